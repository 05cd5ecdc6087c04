import type { LedgerRecord } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { Mark } from './mark.js';

export function RecordStatus({ record: { contested, header } }: { readonly record: LedgerRecord }): ReactNode {
  const { t } = useWords();
  if (contested) return <Mark tone="fail">{t('records.contested')}</Mark>;
  return header.status === 'active' ? <Mark tone="ok">{t('records.active')}</Mark> : <Mark tone="neutral">{t('records.revoked')}</Mark>;
}
