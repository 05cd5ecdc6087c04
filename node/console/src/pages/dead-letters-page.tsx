import type { DeadLetter, DeadLetterQuery } from '@huilian/sdk';
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { PlainCode } from '../parts/code.js';
import { CorrectLetter } from '../parts/correct-letter.js';
import { Filters, type Filter } from '../parts/filters.js';
import { useKindNames } from '../parts/kind-name.js';
import { PagedList } from '../parts/list.js';
import { Notice } from '../parts/mark.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { Problems } from '../parts/problems.js';
import { Failure } from '../parts/states.js';
import { usePages } from '../parts/use-pages.js';
import { fetchDeadLetters, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';

/** Rows that were refused: why, what to do, and the ways to correct them and try again. */
export function DeadLettersPage(): ReactNode {
  const { number, t } = useWords();
  const { kindName } = useKindNames();
  const { may } = useSession();
  const [search] = useSearchParams();
  const query = queryOf(search);
  const pages = usePages<DeadLetter>(['dead-letters', query], fetchDeadLetters(useNode(), query));
  const [open, setOpen] = useState<DeadLetter>();
  const filtered = Object.keys(query).length > 0;
  return (
    <>
      <PageHead actions={may('correct') ? <a download href={exportAddress(query)}>{t('dead.export')}</a> : undefined} lead={t('dead.lead')} title={t('dead.title')} />
      <Stack>
        <Panel><Filters filters={useFilters()} label={t('records.search')} /></Panel>
        {may('correct') && (pages.items?.length ?? 0) > 0 ? <Together filtered={filtered} query={query} /> : null}
        <Panel>
          <PagedList<DeadLetter>
            columns={[
              { label: t('dead.source'), show: (letter) => <Source letter={letter} /> },
              { label: t('dead.kind'), show: ({ kind, recordId }) => kindName(kind ?? recordId?.split('/')[1] ?? '') },
              { label: t('dead.reason'), show: (letter) => <Problems letter={letter} /> },
              { label: t('dead.at'), show: ({ at }) => <Moment at={at} /> },
              ...(may('correct') ? [{ label: t('accounts.actions'), show: (letter: DeadLetter) => <Button aria-label={`${t('dead.correct')} ${letter.file ?? letter.recordId ?? ''} ${letter.line === undefined ? '' : number(letter.line)}`} onClick={() => { setOpen(letter); }} size="compact-sm" variant="default">{t('dead.correct')}</Button> }] : []),
            ]}
            empty={filtered ? { title: t('dead.noneMatch'), next: t('audit.emptyNext') } : { title: t('dead.empty'), next: t('dead.emptyNext') }}
            keyOf={({ id }) => id}
            label={t('dead.title')}
            pages={pages}
          />
        </Panel>
      </Stack>
      {open === undefined ? null : <CorrectLetter letter={open} onClose={() => { setOpen(undefined); }} />}
    </>
  );
}

function useFilters(): readonly Filter[] {
  const { t } = useWords();
  const { kindName, kinds } = useKindNames();
  return [
    { name: 'kind', label: t('records.kind'), choices: [{ value: '', label: t('records.all') }, ...kinds.map((kind) => ({ value: kind, label: kindName(kind) }))] },
    { name: 'file', label: t('dead.source') },
    { name: 'field', label: t('dead.field'), placeholder: 'identity.uscc' },
    { name: 'code', label: t('dead.code'), placeholder: 'required' },
    { name: 'record', label: t('records.id') },
  ];
}

function queryOf(search: URLSearchParams): DeadLetterQuery {
  return Object.fromEntries(['kind', 'file', 'field', 'code', 'record'].flatMap((name) => { const value = search.get(name); return value === null ? [] : [[name, value]]; }));
}

function exportAddress(query: DeadLetterQuery): string {
  return `/v1/dead-letters/export?${new URLSearchParams({ format: 'csv', ...(query as Record<string, string>) }).toString()}`;
}

function Source({ letter: { file, line, recordId } }: { readonly letter: DeadLetter }): ReactNode {
  const { number, t } = useWords();
  if (file === undefined) return recordId === undefined ? '' : <Link to={`/records/${recordId}`}><PlainCode short text={recordId} /></Link>;
  return <><PlainCode text={file.split('/').at(-1) ?? file} />{line === undefined ? '' : ` · ${t('dead.line', { n: number(line) })}`}</>;
}

/** All rows that match, at once: tried again as they are, for example after a mapping was mended. */
function Together({ filtered, query }: { readonly query: DeadLetterQuery; readonly filtered: boolean }): ReactNode {
  const { number, t } = useWords();
  const node = useNode();
  const client = useQueryClient();
  const retry = useMutation({
    mutationFn: async () => await node.retryDeadLetters(query),
    onSettled: async () => { await Promise.all([client.invalidateQueries({ queryKey: ['dead-letters'] }), client.invalidateQueries({ queryKey: ['overview'] })]); },
  });
  return (
    <Panel>
      <Stack>
        <Inline><Button loading={retry.isPending} onClick={() => { retry.mutate(); }} size="sm" variant="default">{t(filtered ? 'dead.retryMatching' : 'dead.retryAll')}</Button><span>{t('dead.retryLead')}</span></Inline>
        {retry.error === null ? null : <Failure error={retry.error} />}
        {retry.data === undefined ? null : <Notice tone={retry.data.refused > 0 ? 'warn' : 'ok'}><p>{t('dead.retried', { accepted: number(retry.data.accepted + retry.data.unchanged), refused: number(retry.data.refused) })}</p></Notice>}
      </Stack>
    </Panel>
  );
}
