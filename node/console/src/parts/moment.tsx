import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import styles from './parts.module.css';

/** A time, on one line. */
export function Moment({ at }: { readonly at: number }): ReactNode {
  const { time } = useWords();
  return <time className={styles['oneLine']} dateTime={new Date(at * 1000).toISOString()}>{time(at)}</time>;
}
