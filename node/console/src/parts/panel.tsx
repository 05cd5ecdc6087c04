import { useEffect, useRef, type ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import styles from './parts.module.css';

/** Title of a page; it takes the focus when the page comes, so that a keyboard and a reader start there. */
export function PageHead({ actions, lead, title }: { readonly title: string; readonly lead?: ReactNode; readonly actions?: ReactNode }): ReactNode {
  const { t } = useWords();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className={styles['pageHead']}>
      <title>{`${title} · ${t('app.name')}`}</title>
      <div>
        <h1 className={styles['pageTitle']} ref={heading} tabIndex={-1}>{title}</h1>
        {lead === undefined ? null : <p className={styles['lead']}>{lead}</p>}
      </div>
      {actions}
    </div>
  );
}

/** A part of a page with a title of its own. */
export function Panel({ actions, children, lead, title }: { readonly title?: string; readonly lead?: string; readonly actions?: ReactNode; readonly children: ReactNode }): ReactNode {
  return (
    <section aria-label={title} className={styles['panel']}>
      {title === undefined ? null : (
        <div className={styles['panelHead']}>
          <div>
            <h2 className={styles['panelTitle']}>{title}</h2>
            {lead === undefined ? null : <p className={styles['lead']}>{lead}</p>}
          </div>
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}

export function Stack({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles['stack']}>{children}</div>;
}

/** Panels side by side where there is room. */
export function Columns({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles['columns']}>{children}</div>;
}

/** Things in a line that wraps. */
export function Inline({ children }: { readonly children: ReactNode }): ReactNode {
  return <span className={styles['inline']}>{children}</span>;
}
