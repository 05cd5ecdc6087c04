import type { CompletenessQuery, CompletenessReport, DayRow, ReceiptRow } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { Below } from '../parts/below.js';
import { Filters, type Filter } from '../parts/filters.js';
import { useKindNames } from '../parts/kind-name.js';
import { List, PagedList } from '../parts/list.js';
import { Mark, Notice, type Tone } from '../parts/mark.js';
import { MemberName, useMemberNames } from '../parts/member-name.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer, Empty } from '../parts/states.js';
import { daysBefore, queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import styles from './completeness-page.module.css';

const states = ['late', 'waiting', 'complete', 'undeclared'] as const;
const tones: Readonly<Record<DayRow['state'], Tone>> = { complete: 'ok', late: 'fail', undeclared: 'neutral', waiting: 'info' };
/** Periods that can be asked for beside the usual one, in days. */
const periods = { month: 31, quarter: 92 } as const;
const rowsAtOnce = 20;

/** Which centre is late with what. */
export function CompletenessPage(): ReactNode {
  const { t } = useWords();
  const node = useNode();
  const [search] = useSearchParams();
  const query = queryOf(search);
  const report = useQuery(queries.completeness(node, query));
  return (
    <>
      <PageHead actions={<a download href={node.completenessExport(query)}>{t('completeness.export')}</a>} lead={t('completeness.lead')} title={t('completeness.title')} />
      <Stack>
        <Panel><Filters filters={useFilters()} label={t('records.search')} /></Panel>
        <Answer lines={8} of={report}>
          {({ days, documents, late }) => (
            <>
              <Late late={late} />
              <Days days={days} key={search.toString()} />
              <Documents documents={documents} />
            </>
          )}
        </Answer>
      </Stack>
    </>
  );
}

function useFilters(): readonly Filter[] {
  const { name, pick, t } = useWords();
  const { kindName, kinds } = useKindNames();
  const { data: members = [] } = useQuery(queries.members(useNode()));
  const all = { value: '', label: t('records.all') };
  return [
    { name: 'centre', label: t('completeness.centre'), choices: [all, ...members.filter(({ document }) => document.kind === 'centre').map(({ document }) => ({ value: document.id, label: pick(document.name) }))] },
    { name: 'kind', label: t('records.kind'), choices: [all, ...kinds.map((kind) => ({ value: kind, label: kindName(kind) }))] },
    { name: 'state', label: t('completeness.state'), choices: [all, ...states.map((state) => ({ value: state, label: name('dayState', state) }))] },
    { name: 'period', label: t('completeness.period'), choices: [{ value: '', label: t('completeness.twoWeeks') }, { value: 'month', label: t('completeness.month') }, { value: 'quarter', label: t('completeness.quarter') }] },
  ];
}

function queryOf(search: URLSearchParams): CompletenessQuery {
  const state = states.find((one) => one === search.get('state'));
  const period = search.get('period');
  const named = Object.fromEntries(['centre', 'kind'].flatMap((name) => { const value = search.get(name); return value === null ? [] : [[name, value]]; }));
  return { ...named, ...(state === undefined ? {} : { state }), ...(period === 'month' || period === 'quarter' ? { from: daysBefore(periods[period]) } : {}) };
}

function Late({ late }: Pick<CompletenessReport, 'late'>): ReactNode {
  const { number, t } = useWords();
  const daysOf = (member: string): string => `/completeness?${new URLSearchParams({ centre: member, state: 'late', period: 'quarter' }).toString()}`;
  return (
    <Panel lead={t('completeness.lateLead')} title={t('completeness.late')}>
      {late.length === 0 ? <Notice tone="ok"><p>{t('completeness.nobody')}</p></Notice> : (
        <List<CompletenessReport['late'][number]>
          columns={[
            { label: t('completeness.member'), show: ({ days, member }) => (days === 0 ? <MemberName id={member} /> : <Link to={daysOf(member)}><MemberName id={member} /></Link>) },
            { label: t('completeness.lateDays'), show: ({ days }) => <Count of={days} /> },
            { label: t('completeness.lateRows'), show: ({ rows }) => <Count of={rows} /> },
            { label: t('completeness.lateDocuments'), show: ({ documents }) => <span className={styles['number']}>{number(documents)}</span> },
          ]}
          items={late}
          keyOf={({ member }) => member}
          label={t('completeness.late')}
        />
      )}
    </Panel>
  );
}

function Days({ days }: Pick<CompletenessReport, 'days'>): ReactNode {
  const { name, t, time } = useWords();
  const { kindName } = useKindNames();
  // What is late is what is looked for.
  const rows = [...days.filter(({ state }) => state === 'late'), ...days.filter(({ state }) => state !== 'late')];
  const [shown, setShown] = useState(rowsAtOnce);
  const pages = { items: rows.slice(0, shown), error: null, hasMore: rows.length > shown, isMoreComing: false, more: () => { setShown(shown + rowsAtOnce); }, refetch: () => undefined };
  return (
    <Panel lead={t('completeness.daysLead')} title={t('completeness.days')}>
      <PagedList<DayRow>
        columns={[
          { label: t('completeness.day'), show: ({ day, kind }) => <><span className={styles['oneLine']}>{day}</span><Below>{kindName(kind)}</Below></> },
          { label: t('completeness.centre'), show: ({ centre }) => <MemberName id={centre} /> },
          { label: t('completeness.state'), show: ({ deadline, state }) => <><Mark tone={tones[state]}>{name('dayState', state)}</Mark>{state === 'undeclared' ? null : <Below>{t('completeness.until', { time: time(deadline) })}</Below>}</> },
          { label: t('completeness.expected'), show: ({ expected }) => <Count none={t('completeness.notDeclared')} of={expected} /> },
          { label: t('completeness.received'), show: ({ received }) => <Count none={t('completeness.notHere')} of={received} /> },
          { label: t('completeness.refused'), show: ({ kind, refused = 0, received }) => (refused > 0 ? <Link to={`/dead-letters?kind=${kind}`}><Count of={refused} /></Link> : <Count none={t('completeness.notHere')} of={received === undefined ? undefined : refused} />) },
          { label: t('completeness.published'), show: ({ published }) => <Count none={t('completeness.notHere')} of={published} /> },
          { label: t('completeness.confirmed'), show: ({ centre, confirmed, kind }) => <Link to={`/records?publisher=${centre}&kind=${kind}`}><Count of={confirmed} /></Link> },
          { label: t('completeness.missing'), show: ({ missing }) => <Count of={missing} /> },
        ]}
        empty={{ title: t('completeness.empty'), next: t('completeness.emptyNext') }}
        keyOf={({ centre, day, kind }) => `${centre} ${kind} ${day}`}
        label={t('completeness.days')}
        pages={pages}
      />
    </Panel>
  );
}

/** A number, or why there is none: a dash for who sees it, the reason for who points at it or cannot see. */
function Count({ none, of }: { readonly of: number | undefined; readonly none?: string }): ReactNode {
  const { number } = useWords();
  if (of === undefined) return <span className={styles['none']} title={none}><span aria-hidden="true">–</span><span className="visually-hidden">{none}</span></span>;
  return <span className={styles['number']}>{number(of)}</span>;
}

function Documents({ documents }: Pick<CompletenessReport, 'documents'>): ReactNode {
  const { name, number, t } = useWords();
  const { kindName } = useKindNames();
  const nameOf = useMemberNames();
  // Those that somebody has not acknowledged stand first.
  const items = [...documents].sort((left, right) => Number(right.missing.length > 0) - Number(left.missing.length > 0));
  const shortId = ({ id, of }: ReceiptRow): string => (of === 'ca' ? id.slice(0, 16) : of === 'schema' ? kindName(id) : id);
  return (
    <Panel title={t('completeness.documents')}>
      {items.length === 0 ? <Empty title={t('completeness.noDocuments')} /> : (
        <List<ReceiptRow>
          columns={[
            { label: t('completeness.document'), show: (row) => <span title={row.id}>{shortId(row)}<Below>{name('adopted', row.of)}{row.version === 0 ? '' : ` · ${t('record.versionN', { n: row.version })}`}</Below></span> },
            { label: t('completeness.state'), show: ({ late, missing }) => { const state = missing.length === 0 ? 'complete' : late ? 'late' : 'waiting'; return <Mark tone={tones[state]}>{name('dayState', state)}</Mark>; } },
            { label: t('completeness.acknowledged'), show: ({ acknowledged }) => <span className={styles['number']}>{number(acknowledged.length)}</span> },
            { label: t('completeness.waitsFor'), show: ({ missing }) => (missing.length === 0 ? t('state.none') : missing.map(nameOf).join(', ')) },
            { label: t('completeness.deadline'), show: ({ deadline }) => <Moment at={deadline} /> },
          ]}
          items={items}
          keyOf={({ id, of, version }) => `${of} ${id} ${String(version)}`}
          label={t('completeness.documents')}
        />
      )}
    </Panel>
  );
}
