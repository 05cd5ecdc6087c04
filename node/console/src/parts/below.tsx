import type { ReactNode } from 'react';
import styles from './parts.module.css';

/** What stands under something, in small letters. */
export function Below({ children }: { readonly children: ReactNode }): ReactNode {
  return <span className={styles['below']}>{children}</span>;
}
