import { Button } from '@mantine/core';
import { errorBody, ProtocolError } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { Notice } from './mark.js';
import styles from './parts.module.css';

/** What stands where an answer is awaited. */
export function Loading({ lines = 4 }: { readonly lines?: number }): ReactNode {
  const { t } = useWords();
  return (
    <div aria-busy="true" role="status">
      <span className="visually-hidden">{t('state.loading')}</span>
      {Array.from({ length: lines }, (_, line) => <span className={styles['skeleton']} key={line} style={{ width: `${String(92 - ((line * 17) % 45))}%` }} />)}
    </div>
  );
}

/** What stands where there is nothing, and what would bring something. */
export function Empty({ children, next, title }: { readonly title: string; readonly next?: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className={styles['empty']}>
      <p className={styles['emptyTitle']}>{title}</p>
      {next === undefined ? null : <p>{next}</p>}
      {children}
    </div>
  );
}

/** A refusal: its code, what it means, what to do. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }): ReactNode {
  const { pick, t } = useWords();
  const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
  const { code, details, message, next } = errorBody(known);
  const noAnswer = code === 'EXCHANGE_FAILED' && details['reason'] === 'no-answer';
  const said = Object.entries(details).filter(([name]) => name !== 'node');
  return (
    <Notice title={noAnswer ? t('error.EXCHANGE_FAILED') : pick(message)} tone="fail">
      <p><strong>{t('state.next')}</strong>{' '}{noAnswer ? t('error.EXCHANGE_FAILEDNext') : pick(next)}</p>
      <p className={styles['code']}>{code}{said.map(([name, value]) => ` · ${name}: ${String(value)}`).join('')}</p>
      {onRetry === undefined ? null : <Button mt="xs" onClick={onRetry} size="xs" variant="default">{t('state.retry')}</Button>}
    </Notice>
  );
}

interface Asked<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  refetch(): unknown;
}

/** An answer, or what stands in its place. */
export function Answer<T>({ children, lines, of }: { readonly of: Asked<T>; readonly lines?: number; readonly children: (answer: T) => ReactNode }): ReactNode {
  if (of.data !== undefined) return children(of.data);
  if (of.error !== null && of.error !== undefined) return <Failure error={of.error} onRetry={() => void of.refetch()} />;
  return <Loading {...(lines === undefined ? {} : { lines })} />;
}
