import type { ReactNode } from 'react';
import styles from './parts.module.css';

export type Fact = readonly [label: string, value: ReactNode];

/** Names and values; facts without a value are left out. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }): ReactNode {
  const given = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return (
    <dl className={styles['facts']}>
      {given.map(([label, value]) => (
        <div key={label} style={{ display: 'contents' }}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
