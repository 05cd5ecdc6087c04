import type { LedgerAccess, LedgerRecordPlace } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { AccessOutcome, AccessReader } from '../parts/access-columns.js';
import { Code } from '../parts/code.js';
import { Facts } from '../parts/facts.js';
import { useKindNames } from '../parts/kind-name.js';
import { PagedList } from '../parts/list.js';
import { Mark, Notice } from '../parts/mark.js';
import { MemberName } from '../parts/member-name.js';
import { Moment } from '../parts/moment.js';
import { Columns, Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { RecordStatus } from '../parts/record-status.js';
import { RecordWords } from '../parts/record-words.js';
import { Answer } from '../parts/states.js';
import { Steps } from '../parts/steps.js';
import { usePages } from '../parts/use-pages.js';
import { fetchAccesses, queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** One record's whole life: what the ledger says of it, how it got there, who read it. */
export function RecordPage(): ReactNode {
  const { t } = useWords();
  const { kind = '', localId = '', publisher = '' } = useParams();
  const id = `${publisher}/${kind}/${localId}`;
  const [search] = useSearchParams();
  const version = Number(search.get('version') ?? Number.NaN);
  const place = useQuery(queries.record(useNode(), id, Number.isSafeInteger(version) && version > 0 ? version : undefined));
  return (
    <>
      <PageHead actions={<Link to="/records">{t('record.back')}</Link>} lead={<Code label={t('records.id')} text={id} />} title={t('record.title')} />
      <Stack>
        <Answer lines={8} of={place}>{(found) => <Header place={found} />}</Answer>
        <Columns>
          <Course id={id} />
          <Accesses id={id} />
          <RecordWords id={id} />
        </Columns>
      </Stack>
    </>
  );
}

function Header({ place }: { readonly place: LedgerRecordPlace }): ReactNode {
  const { name, t, time } = useWords();
  const { kindName } = useKindNames();
  const { batch, placed, record } = place;
  const { header } = record;
  return (
    <>
      {record.contested ? <Notice tone="fail"><p>{t('record.contestedLead')}</p></Notice> : null}
      {header.status === 'revoked' ? <Notice tone="warn"><p>{t('record.revokedLead')}</p></Notice> : null}
      <Columns>
        <Panel title={t('record.header')}>
          <Facts
            facts={[
              [t('records.kind'), kindName(header.kind)],
              [t('records.publisher'), <MemberName id={record.recordId.split('/')[0] ?? ''} key="publisher" />],
              [t('records.status'), <RecordStatus key="status" record={record} />],
              [t('record.versions'), <Versions key="versions" record={record} />],
              [t('records.subject'), header.subject === '' ? t('record.noSubject') : <OrganisationLink id={header.subject} key="subject" by="subject" />],
              [t('records.owner'), header.owner === undefined ? undefined : <OrganisationLink id={header.owner} key="owner" by="owner" />],
              [t('records.rights'), name('rights', header.rights)],
              [t('record.schema'), header.schema],
              [t('record.digest'), <Code key="digest" label={t('record.digest')} text={header.digest} />],
            ]}
          />
        </Panel>
        <Panel title={t('record.place')}>
          <Facts
            facts={[
              [t('records.publishedAt'), time(record.publishedAt)],
              [t('record.seq'), record.seq],
              [t('record.index'), t('record.indexOf', { index: placed.index + 1, count: batch.count })],
              [t('record.path'), t('record.pathSteps', { n: placed.path.length })],
              [t('record.root'), <Code key="root" label={t('record.root')} text={batch.root} />],
              [t('record.block'), batch.block],
              [t('record.transaction'), <Code key="transaction" label={t('record.transaction')} text={batch.transactionId} />],
            ]}
          />
        </Panel>
      </Columns>
    </>
  );
}

function OrganisationLink({ by, id }: { readonly id: string; readonly by: 'owner' | 'subject' }): ReactNode {
  const code = id.startsWith('org:') ? id.slice(4) : id;
  if (!id.startsWith('org:')) return code;
  return by === 'owner' ? <Link to={`/owners/${code}`}>{code}</Link> : <Link to={`/records?subject=${code}`}>{code}</Link>;
}

function Versions({ record: { header, recordId, versions } }: { readonly record: LedgerRecordPlace['record'] }): ReactNode {
  const { t } = useWords();
  return (
    <Inline>
      {Array.from({ length: versions }, (_, index) => versions - index).slice(0, 20).map((version) =>
        version === header.version ? <Mark key={version} tone="info">{t('record.versionN', { n: version })}{version === versions ? ` · ${t('record.current')}` : ''}</Mark> : <Link key={version} to={`/records/${recordId}${version === versions ? '' : `?version=${String(version)}`}`}>{t('record.versionN', { n: version })}</Link>,
      )}
    </Inline>
  );
}

function Course({ id }: { readonly id: string }): ReactNode {
  const { t } = useWords();
  const course = useQuery(queries.course(useNode(), id));
  return <Panel lead={t('record.courseLead')} title={t('record.course')}><Answer of={course}>{({ steps }) => <Steps findings={steps} ordered />}</Answer></Panel>;
}

function Accesses({ id }: { readonly id: string }): ReactNode {
  const { t } = useWords();
  const query = { record: id };
  const pages = usePages<LedgerAccess>(['accesses', query], fetchAccesses(useNode(), query));
  return (
    <Panel title={t('record.accesses')}>
      <PagedList
        columns={[
          { label: t('accesses.reader'), show: (access) => <AccessReader access={access} /> },
          { label: t('accesses.at'), show: ({ at }) => <Moment at={at} /> },
          { label: t('accesses.state'), show: (access) => <AccessOutcome access={access} /> },
        ]}
        empty={{ title: t('record.accessesNone') }}
        keyOf={({ ticket }) => ticket}
        label={t('record.accesses')}
        pages={pages}
      />
    </Panel>
  );
}
