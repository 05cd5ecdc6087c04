import type { LedgerRecord, RecordQuery } from '@huilian/sdk';
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { Below } from '../parts/below.js';
import { PlainCode } from '../parts/code.js';
import { Filters, type Filter } from '../parts/filters.js';
import { useKindNames } from '../parts/kind-name.js';
import { PagedList } from '../parts/list.js';
import { MemberName } from '../parts/member-name.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel, Stack } from '../parts/panel.js';
import { RecordStatus } from '../parts/record-status.js';
import { usePages } from '../parts/use-pages.js';
import { fetchRecords, queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import styles from './records-page.module.css';

const statuses = ['active', 'revoked', 'contested'] as const;

/** Records of all centres, searched at the node. */
export function RecordsPage(): ReactNode {
  const { name, t } = useWords();
  const { kindName } = useKindNames();
  const node = useNode();
  const [search] = useSearchParams();
  const query = queryOf(search);
  const pages = usePages(['records', query], fetchRecords(node, query));
  return (
    <>
      <PageHead actions={<OpenById />} lead={t('records.lead')} title={t('records.title')} />
      <Stack>
        <Panel><Filters filters={useFilters()} label={t('records.search')} /><p className={styles['export']}><a download href={exportAddress(query)}>{t('records.export')}</a></p></Panel>
        <Panel>
          <PagedList<LedgerRecord>
            columns={[
              { label: t('records.record'), show: ({ header, recordId }) => <Link to={`/records/${recordId}`}>{kindName(header.kind)}<Below><PlainCode short text={header.localId} /></Below></Link> },
              { label: t('records.publisher'), show: ({ recordId }) => <MemberName id={recordId.split('/')[0] ?? ''} /> },
              { label: t('records.subject'), show: ({ header }) => (header.subject === '' ? <span className={styles['none']}>{t('record.noSubject')}</span> : <PlainCode text={header.subject.slice(4)} />) },
              { label: t('records.rights'), show: ({ header }) => name('rights', header.rights) },
              { label: t('records.version'), show: ({ header }) => header.version },
              { label: t('records.status'), show: (record) => <RecordStatus record={record} /> },
              { label: t('records.publishedAt'), show: ({ publishedAt }) => <Moment at={publishedAt} /> },
            ]}
            empty={{ title: t('records.empty'), next: t('records.emptyNext') }}
            keyOf={({ recordId }) => recordId}
            label={t('records.title')}
            pages={pages}
          />
        </Panel>
      </Stack>
    </>
  );
}

function useFilters(): readonly Filter[] {
  const { pick, t } = useWords();
  const { kindName, kinds } = useKindNames();
  const { data: members = [] } = useQuery(queries.members(useNode()));
  const all = { value: '', label: t('records.all') };
  const centres = members.filter(({ document }) => document.kind === 'centre').map(({ document }) => ({ value: document.id, label: pick(document.name) }));
  return [
    { name: 'kind', label: t('records.kind'), choices: [all, ...kinds.map((kind) => ({ value: kind, label: kindName(kind) }))] },
    { name: 'publisher', label: t('records.publisher'), choices: [all, ...centres] },
    { name: 'status', label: t('records.status'), choices: [all, ...statuses.map((status) => ({ value: status, label: t(`records.${status}`) }))] },
    { name: 'subject', label: t('records.subject'), placeholder: '9144…' },
    { name: 'owner', label: t('records.owner'), placeholder: '9144…' },
  ];
}

function queryOf(search: URLSearchParams): RecordQuery {
  const given = (name: string): string | undefined => search.get(name) ?? undefined;
  const status = statuses.find((one) => one === given('status'));
  return {
    ...only('kind', given('kind')),
    ...only('publisher', given('publisher')),
    ...only('subject', organisation(given('subject'))),
    ...only('owner', organisation(given('owner'))),
    ...(status === undefined ? {} : { status }),
  };
}

function only<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: string };
}

/** People type the code of an organisation; ids have `org:` before it. */
export function organisation(typed: string | undefined): string | undefined {
  if (typed === undefined || typed.includes(':')) return typed;
  return `org:${typed.toUpperCase()}`;
}

function OpenById(): ReactNode {
  const { t } = useWords();
  const navigate = useNavigate();
  const [id, setId] = useState('');
  const open = (event: FormEvent): void => {
    event.preventDefault();
    void navigate(`/records/${id.trim().replace(/^\/+/, '')}`);
  };
  return (
    <form className={styles['byId']} onSubmit={open}>
      <TextInput aria-label={t('records.id')} onChange={(event) => { setId(event.currentTarget.value); }} pattern="\s*[a-z0-9-]+/[a-z-]+/[a-z0-9]+\s*" placeholder={t('records.id')} required size="sm" value={id} />
      <Button size="sm" type="submit" variant="default">{t('records.openId')}</Button>
    </form>
  );
}

/** The same search as a file that spreadsheets open. */
function exportAddress({ limit: _limit, ...query }: RecordQuery): string {
  return `/v1/export?${new URLSearchParams({ ...(query as Record<string, string>), format: 'csv', bom: 'true' }).toString()}`;
}
