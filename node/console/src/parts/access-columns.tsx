import type { LedgerAccess } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useWords } from '../words/use-words.js';
import { Below } from './below.js';
import { useKindNames } from './kind-name.js';
import { Mark } from './mark.js';
import { MemberName } from './member-name.js';
import { usePurposeName } from './purpose-name.js';

/** Who read, and for what. */
export function AccessReader({ access: { purpose, reader } }: { readonly access: LedgerAccess }): ReactNode {
  const purposeName = usePurposeName();
  return <><MemberName id={reader} /><Below>{purposeName(purpose)}</Below></>;
}

/** What was read: the records, and the claims of them. */
export function AccessWhat({ access: { claims, records } }: { readonly access: LedgerAccess }): ReactNode {
  const { t } = useWords();
  const { claimName, kindName } = useKindNames();
  const [first] = records;
  const kinds = [...new Set(records.map(({ recordId }) => recordId.split('/')[1] ?? ''))];
  const names = claims.map((claim) => claimName(kinds[0] ?? '', claim));
  return (
    <>
      {first !== undefined && records.length === 1 ? <Link to={`/records/${first.recordId}`}>{kinds.map(kindName).join(', ')}</Link> : <>{kinds.map(kindName).join(', ')} · {t('accesses.recordsN', { n: records.length })}</>}
      <Below>{names.join(', ')}</Below>
    </>
  );
}

export function AccessOutcome({ access: { confirmed, disputed, refused } }: { readonly access: LedgerAccess }): ReactNode {
  const { t } = useWords();
  if (disputed) return <Mark tone="fail">{t('accesses.disputed')}</Mark>;
  if (refused !== undefined) return <><Mark tone="warn">{t('accesses.refused')}</Mark><Below>{refused}</Below></>;
  return confirmed ? <Mark tone="ok">{t('accesses.confirmed')}</Mark> : <Mark tone="info">{t('accesses.opened')}</Mark>;
}
