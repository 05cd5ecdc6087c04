import type { ReactNode } from 'react';
import styles from './parts.module.css';

export type Tone = 'fail' | 'info' | 'neutral' | 'ok' | 'warn';

/** A word about a state; its colour says nothing that the word does not. */
export function Mark({ children, tone = 'neutral' }: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  return <span className={`${styles['mark'] ?? ''} ${styles[tone] ?? ''}`}>{children}</span>;
}

/** Something to be read before the rest. */
export function Notice({ children, title, tone }: { readonly tone: Tone; readonly title?: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className={`${styles['notice'] ?? ''} ${styles[tone] ?? ''}`} role={tone === 'fail' ? 'alert' : 'status'}>
      {title === undefined ? null : <p className={styles['noticeTitle']}>{title}</p>}
      {children}
    </div>
  );
}
