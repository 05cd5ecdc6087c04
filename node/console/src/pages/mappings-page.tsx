import type { HeldMapping, MappingDraft, MappingPreview } from '@huilian/sdk';
import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useKindNames } from '../parts/kind-name.js';
import { List } from '../parts/list.js';
import { DraftGuesses } from '../parts/mapping-draft.js';
import { PreviewedRows } from '../parts/mapping-preview.js';
import { Notice } from '../parts/mark.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { readTable, type PastedTable } from '../parts/read-table.js';
import { Answer, Empty, Failure } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';
import styles from './mappings-page.module.css';

/** Mappings that the node holds, and rows tried out against them. */
export function MappingsPage(): ReactNode {
  const { t } = useWords();
  const { may } = useSession();
  return (
    <>
      <PageHead lead={t('mappings.lead')} title={t('mappings.title')} />
      <Stack><Held />{may('correct') ? <Trial /> : null}</Stack>
    </>
  );
}

function Held(): ReactNode {
  const { number, pick, t } = useWords();
  const { kindName } = useKindNames();
  const mappings = useQuery(queries.mappings(useNode()));
  return (
    <Panel title={t('mappings.held')}>
      <Answer lines={3} of={mappings}>
        {(items) =>
          items.length === 0 ? <Empty next={t('mappings.noneNext')} title={t('mappings.none')} /> : (
            <List<HeldMapping>
              columns={[
                { label: t('mappings.name'), show: ({ name, title }) => <><strong>{name}</strong>{title === undefined ? '' : ` · ${pick(title)}`}</> },
                { label: t('records.kind'), show: ({ kind, schema }) => `${kindName(kind)} ${String(schema)}` },
                { label: t('mappings.columns'), show: ({ columns }) => number(columns) },
                { label: t('mappings.changed'), show: ({ at }) => <Moment at={at} /> },
              ]}
              items={items}
              keyOf={({ name }) => name}
              label={t('mappings.held')}
            />
          )
        }
      </Answer>
    </Panel>
  );
}

const mostRows = 50;

/** Rows pasted from a spreadsheet or an export, beside what would become of them. Nothing is kept or published. */
function Trial(): ReactNode {
  const { t } = useWords();
  const { kindName, kinds } = useKindNames();
  const node = useNode();
  const mappings = useQuery(queries.mappings(node));
  const [chosen, setKind] = useState('');
  const kind = chosen === '' ? (kinds[0] ?? '') : chosen;
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const table = readTable(text);
  const preview = useMutation({ mutationFn: async (pasted: PastedTable): Promise<MappingPreview> => await node.previewMapping({ kind, ...(name === '' ? {} : { name }), rows: pasted.rows.slice(0, mostRows) }) });
  const draft = useMutation({ mutationFn: async (pasted: PastedTable): Promise<MappingDraft> => await node.draftMapping({ kind, header: pasted.header, samples: pasted.cells.slice(0, mostRows) }) });
  const fits = mappings.data?.filter((mapping) => mapping.kind === kind) ?? [];
  return (
    <Panel lead={t('mappings.trialLead')} title={t('mappings.trial')}>
      <Stack>
        <div className={styles['choice']}>
          <NativeSelect data={kinds.map((one) => ({ value: one, label: kindName(one) }))} label={t('records.kind')} onChange={(event) => { setKind(event.currentTarget.value); setName(''); }} value={kind} />
          <NativeSelect data={[{ value: '', label: t('mappings.builtIn') }, ...fits.map((mapping) => ({ value: mapping.name, label: mapping.name }))]} label={t('mappings.mapping')} onChange={(event) => { setName(event.currentTarget.value); }} value={name} />
        </div>
        <Textarea autosize classNames={{ input: styles['pasted'] ?? '' }} description={t('mappings.pasteHint')} label={t('mappings.paste')} maxRows={12} minRows={5} onChange={(event) => { setText(event.currentTarget.value); }} spellCheck={false} value={text} />
        {table.fault === undefined ? null : <Notice tone="warn"><p>{t('mappings.unreadable')}</p></Notice>}
        <Inline>
          <Button disabled={table.rows.length === 0} loading={preview.isPending} onClick={() => { preview.mutate(table); }}>{t('mappings.preview')}</Button>
          <Button disabled={table.header.length === 0} loading={draft.isPending} onClick={() => { draft.mutate(table); }} variant="default">{t('mappings.draft')}</Button>
        </Inline>
        {preview.error === null ? null : <Failure error={preview.error} />}
        {draft.error === null ? null : <Failure error={draft.error} />}
        {preview.data === undefined ? null : <PreviewedRows preview={preview.data} />}
        {draft.data === undefined ? null : <><DraftGuesses draft={draft.data} /><KeepDraft draft={draft.data} /></>}
      </Stack>
    </Panel>
  );
}

function KeepDraft({ draft }: { readonly draft: MappingDraft }): ReactNode {
  const { t } = useWords();
  const node = useNode();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const keep = useMutation({ mutationFn: async () => await node.putMapping(name, draft.mapping), onSuccess: async () => { await client.invalidateQueries({ queryKey: ['mappings'] }); } });
  return (
    <form className={styles['keep']} onSubmit={(event) => { event.preventDefault(); keep.mutate(); }}>
      <TextInput label={t('mappings.keepAs')} onChange={(event) => { setName(event.currentTarget.value); }} pattern="[a-z0-9][a-z0-9\-]{0,63}" placeholder="company-export" required size="sm" value={name} />
      <Button loading={keep.isPending} size="sm" type="submit">{t('mappings.keep')}</Button>
      {keep.error === null ? null : <Failure error={keep.error} />}
      {keep.isSuccess ? <Notice tone="ok"><p>{t('accounts.saved')}</p></Notice> : null}
    </form>
  );
}
