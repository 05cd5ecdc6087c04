import type { MappingDraft } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { PlainCode } from './code.js';
import { List } from './list.js';
import { Mark, Notice } from './mark.js';

/** What the node guesses of each column, how sure it is and why. */
export function DraftGuesses({ draft }: { readonly draft: MappingDraft }): ReactNode {
  const { pick, t } = useWords();
  return (
    <>
      {draft.missing.length === 0 ? null : <Notice title={t('mappings.missing')} tone="warn"><p>{draft.missing.join(', ')}</p></Notice>}
      <List<MappingDraft['columns'][number]>
        columns={[
          { label: t('mappings.column'), show: ({ column }) => <strong>{column}</strong> },
          { label: t('dead.field'), show: ({ field, others = [] }) => (field === undefined ? (others.length === 0 ? t('state.none') : t('mappings.perhaps', { fields: others.join(', ') })) : <PlainCode text={field} />) },
          { label: t('mappings.confidence'), show: ({ confidence, decided }) => <Mark tone={decided ? 'ok' : 'neutral'}>{`${String(confidence)} %`}</Mark> },
          { label: t('mappings.why'), show: ({ why }) => pick(why) },
        ]}
        items={draft.columns}
        keyOf={({ column }) => column}
        label={t('mappings.draft')}
      />
    </>
  );
}
