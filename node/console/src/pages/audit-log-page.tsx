import type { AuditEntry, AuditQuery } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { Code, PlainCode } from '../parts/code.js';
import { Facts } from '../parts/facts.js';
import { Filters, type Filter } from '../parts/filters.js';
import { PagedList } from '../parts/list.js';
import { Mark, type Tone } from '../parts/mark.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel, Stack } from '../parts/panel.js';
import { sinceOf, usePeriods } from '../parts/periods.js';
import { Answer } from '../parts/states.js';
import { usePages } from '../parts/use-pages.js';
import { fetchAuditLog, queries, useNode } from '../queries.js';
import { auditLogWords } from '../words/audit-log.js';
import { useWords } from '../words/use-words.js';

const groups = Object.keys(auditLogWords).filter((key) => key.startsWith('actGroup.')).map((key) => key.slice('actGroup.'.length));

/** What the centre's own people did, for who oversees them. */
export function AuditLogPage(): ReactNode {
  const { name, number, t, time } = useWords();
  const node = useNode();
  const [search] = useSearchParams();
  const query = useMemo(() => queryOf(search), [search]);
  const pages = usePages<AuditEntry>(['audit-log', query], fetchAuditLog(node, query));
  const checkpoint = useQuery(queries.checkpoint(node));
  return (
    <>
      <PageHead actions={<a download href="/v1/audit-log/export">{t('audit.export')}</a>} lead={t('audit.lead')} title={t('audit.title')} />
      <Stack>
        <Panel><Filters filters={useFilters()} label={t('records.search')} /></Panel>
        <Panel>
          <PagedList<AuditEntry>
            columns={[
              { label: t('audit.act'), show: ({ act, of }) => <>{name('act', act)}{of === undefined ? '' : ` · ${t('audit.of', { n: of })}`}</> },
              { label: t('audit.who'), show: ({ role, who }) => (role === 'machine' ? t('audit.machine') : `${who} · ${name('role', role)}`) },
              { label: t('audit.object'), show: ({ object }) => (object === undefined ? '' : <PlainCode short text={object} />) },
              { label: t('audit.outcome'), show: ({ outcome }) => <Mark tone={toneOf(outcome)}>{name('audit', outcome)}</Mark> },
              { label: t('audit.at'), show: ({ at }) => <Moment at={at} /> },
              { label: t('audit.seq'), show: ({ seq }) => number(seq) },
            ]}
            empty={{ title: t('audit.empty'), next: t('audit.emptyNext') }}
            keyOf={({ seq }) => String(seq)}
            label={t('audit.title')}
            pages={pages}
          />
        </Panel>
        <Panel lead={t('audit.checkpointLead')} title={t('audit.checkpoint')}>
          <Answer lines={3} of={checkpoint}>
            {({ at, digest, seq }) => <Facts facts={[[t('audit.at'), time(at)], [t('audit.seq'), number(seq)], [t('audit.digest'), digest === '' ? t('state.none') : <Code key="digest" label={t('audit.digest')} text={digest} />]]} />}
          </Answer>
        </Panel>
      </Stack>
    </>
  );
}

function toneOf(outcome: string): Tone {
  if (outcome === 'done') return 'ok';
  return outcome === 'begun' ? 'neutral' : 'warn';
}

function useFilters(): readonly Filter[] {
  const { name, t } = useWords();
  return [
    { name: 'act', label: t('audit.act'), choices: [{ value: '', label: t('records.all') }, ...groups.map((group) => ({ value: group, label: name('actGroup', group) }))] },
    { name: 'who', label: t('audit.who') },
    { name: 'period', label: t('accesses.period'), choices: usePeriods('all') },
  ];
}

function queryOf(search: URLSearchParams): AuditQuery {
  const [act, who] = [search.get('act'), search.get('who')];
  return { ...(act === null ? {} : { act }), ...(who === null ? {} : { who }), ...sinceOf(search.get('period') ?? 'all') };
}
