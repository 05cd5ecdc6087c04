import { purposes, type AccessQuery, type LedgerAccess } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { AccessOutcome, AccessReader, AccessWhat } from '../parts/access-columns.js';
import { Filters, type Filter } from '../parts/filters.js';
import { PagedList } from '../parts/list.js';
import { MemberName } from '../parts/member-name.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel, Stack } from '../parts/panel.js';
import { sinceOf, usePeriods } from '../parts/periods.js';
import { usePurposeName } from '../parts/purpose-name.js';
import { Failure } from '../parts/states.js';
import { usePages } from '../parts/use-pages.js';
import { fetchAccesses, queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import { organisation } from './records-page.js';

/** Who read this centre's records, or anybody's: the last week where nothing else is asked for. */
export function AccessesPage(): ReactNode {
  const { name, t } = useWords();
  const node = useNode();
  const overview = useQuery(queries.overview(node));
  const [search] = useSearchParams();
  const own = overview.data?.member ?? '';
  const query = useMemo(() => queryOf(search, own), [search, own]);
  const pages = usePages<LedgerAccess>(['accesses', query], fetchAccesses(node, query), own !== '');
  return (
    <>
      <PageHead lead={t('accesses.lead')} title={t('accesses.title')} />
      <Stack>
        <Panel><Filters filters={useFilters()} label={t('records.search')} /></Panel>
        <Panel>
          {overview.error === null ? null : <Failure error={overview.error} onRetry={() => void overview.refetch()} />}
          <PagedList<LedgerAccess>
            columns={[
              { label: t('accesses.reader'), show: (access) => <AccessReader access={access} /> },
              { label: t('accesses.at'), show: ({ at }) => <Moment at={at} /> },
              { label: t('accesses.owner'), show: ({ owner, publisher }) => (owner === undefined ? <MemberName id={publisher} /> : <Link title={t('accesses.byOwner')} to={`/accesses?owner=${owner.replace(/^org:/, '')}&period=all`}>{owner.replace(/^org:/, '')}</Link>) },
              { label: t('accesses.what'), show: (access) => <AccessWhat access={access} /> },
              { label: t('accesses.basis'), show: ({ basis }) => name('accesses', basis.kind) },
              { label: t('accesses.state'), show: (access) => <AccessOutcome access={access} /> },
            ]}
            empty={{ title: t('accesses.empty'), next: t('accesses.emptyNext') }}
            keyOf={({ ticket }) => ticket}
            label={t('accesses.title')}
            pages={pages}
          />
        </Panel>
      </Stack>
    </>
  );
}

function useFilters(): readonly Filter[] {
  const { pick, t } = useWords();
  const purposeName = usePurposeName();
  const { data: members = [] } = useQuery(queries.members(useNode()));
  const all = { value: '', label: t('records.all') };
  return [
    { name: 'period', label: t('accesses.period'), choices: usePeriods('week') },
    { name: 'whose', label: t('accesses.whose'), choices: [{ value: '', label: t('accesses.mine') }, { value: 'all', label: t('accesses.everyone') }] },
    { name: 'reader', label: t('accesses.reader'), choices: [all, ...members.map(({ document }) => ({ value: document.id, label: pick(document.name) }))] },
    { name: 'purpose', label: t('accesses.purpose'), choices: [all, ...Object.keys(purposes).map((purpose) => ({ value: purpose, label: purposeName(purpose) }))] },
    { name: 'owner', label: t('records.owner'), placeholder: '9144…' },
  ];
}

function queryOf(search: URLSearchParams, own: string): AccessQuery {
  const owner = organisation(search.get('owner') ?? undefined);
  const reader = search.get('reader');
  const purpose = search.get('purpose');
  return {
    ...(search.get('whose') === 'all' || own === '' ? {} : { publisher: own }),
    ...(owner === undefined ? {} : { owner }),
    ...(reader === null ? {} : { reader }),
    ...(purpose === null ? {} : { purpose }),
    ...sinceOf(search.get('period') ?? 'week'),
  };
}
