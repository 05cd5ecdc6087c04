import { unreadableReasons, type ClaimSource, type RecordNote, type Thing as OwnedThing } from '@huilian/sdk';
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { ClaimValue } from '../parts/claim-value.js';
import { useKindNames } from '../parts/kind-name.js';
import { List } from '../parts/list.js';
import { Mark, Notice } from '../parts/mark.js';
import { MemberName } from '../parts/member-name.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer, Empty } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import styles from './owner-page.module.css';
import { organisation } from './records-page.js';

/** One view of an owner: this centre's records merged claim by claim, and where other centres have more. */
export function OwnerPage(): ReactNode {
  const { t } = useWords();
  const { owner } = useParams();
  const id = organisation(owner);
  return (
    <>
      <PageHead actions={<Find />} lead={t('owners.lead')} title={owner === undefined ? t('owners.title') : t('owners.of', { owner })} />
      {id === undefined ? <Panel><Empty next={t('owners.findNext')} title={t('owners.find')} /></Panel> : <View id={id} />}
    </>
  );
}

function Find(): ReactNode {
  const { t } = useWords();
  const navigate = useNavigate();
  const [code, setCode] = useState('');
  const open = (event: FormEvent): void => {
    event.preventDefault();
    void navigate(`/owners/${code.trim().toUpperCase()}`);
  };
  return (
    <form className={styles['find']} onSubmit={open}>
      <TextInput aria-label={t('records.owner')} onChange={(event) => { setCode(event.currentTarget.value); }} pattern="\s*[0-9A-Za-z]{18}\s*" placeholder={t('records.owner')} required size="sm" value={code} />
      <Button size="sm" type="submit" variant="default">{t('owners.open')}</Button>
    </form>
  );
}

function View({ id }: { readonly id: string }): ReactNode {
  const { pick, t } = useWords();
  const view = useQuery(queries.owner(useNode(), id));
  return (
    <Answer lines={9} of={view}>
      {(found) => (
        <Stack>
          {found.partial ? <Notice tone="info"><p>{t('owners.partial')}</p></Notice> : null}
          <p className={styles['asOf']}>{t('owners.asOf', { day: found.asOf })}</p>
          {found.flags.map((flag) => <Notice key={`${flag.code} ${flag.recordIds.join()}`} title={pick(flag)} tone="warn"><p><Inline>{flag.recordIds.map((record) => <Link key={record} to={`/records/${record}`}>{record}</Link>)}</Inline></p></Notice>)}
          {found.things.length === 0 ? <Panel><Empty next={t('owners.noneNext')} title={t('owners.none')} /></Panel> : found.things.map((thing, index) => <Thing isOpen={thing.disagree || found.things.length <= mostOpen} key={index} thing={thing} />)}
          {found.unreadable.length === 0 ? null : <Elsewhere records={found.unreadable} />}
        </Stack>
      )}
    </Answer>
  );
}

/** Of more things only those are open whose records disagree. */
const mostOpen = 3;

function Thing({ isOpen, thing: { claims, disagree, key = {}, kind, records } }: { readonly isOpen: boolean; readonly thing: OwnedThing }): ReactNode {
  const { t } = useWords();
  const { kindName } = useKindNames();
  const named = Object.values(key).map(String).filter((part) => part !== '').join(' · ');
  return (
    <Panel actions={disagree ? <Mark tone="warn">{t('owners.disagree')}</Mark> : undefined} lead={named} title={kindName(kind)}>
      <Inline>{records.map(({ recordId, version }) => <Link key={recordId} to={`/records/${recordId}`}><MemberName id={recordId.split('/')[0] ?? ''} />{` · ${t('record.versionN', { n: version })}`}</Link>)}</Inline>
      <details className={styles['content']} open={isOpen}>
        <summary>{t('owners.content', { n: claims.length })}</summary>
        <div className={styles['claims']}>{claims.map((claim) => <Claim claim={claim} key={claim.claim} kind={kind} />)}</div>
      </details>
    </Panel>
  );
}

/** What the records say of one claim, side by side, each with where it comes from. */
function Claim({ claim: { alternatives, claim, disagree }, kind }: { readonly kind: string; readonly claim: OwnedThing['claims'][number] }): ReactNode {
  const { t } = useWords();
  const { claimName } = useKindNames();
  return (
    <section aria-label={claimName(kind, claim)}>
      <h3 className={styles['claim']}>{claimName(kind, claim)}{disagree ? <Mark tone="warn">{t('owners.disagree')}</Mark> : null}</h3>
      <div className={styles['alternatives']}>
        {alternatives.map(({ from, value }, index) => (
          <div className={styles['alternative']} key={index}>
            <ClaimValue claim={claim} kind={kind} value={value} />
            <p className={styles['from']}>{from.map((source) => <Origin key={source.recordId} source={source} />)}</p>
          </div>
        ))}
      </div>
    </section>
  );
}

/** Which centre verified it and when, and what others and the owner say of that. */
function Origin({ source: { attestedBy, centre, contradictedBy, standing, verdict, verifiedAt } }: { readonly source: ClaimSource }): ReactNode {
  const { name, t } = useWords();
  return (
    <span>
      <MemberName id={centre} />{' · '}<Moment at={verifiedAt} />
      {standing === 'current' ? null : <Mark tone="warn">{name('standing', standing)}</Mark>}
      {attestedBy.length > 0 ? <Mark tone="ok">{t('owners.attested', { n: attestedBy.length })}</Mark> : null}
      {contradictedBy.length > 0 ? <Mark tone="warn">{t('owners.contradicted', { n: contradictedBy.length })}</Mark> : null}
      {verdict === undefined ? null : <Mark tone={verdict === 'confirm' ? 'ok' : 'fail'}>{t(verdict === 'confirm' ? 'owners.confirmed' : 'owners.disputed')}</Mark>}
    </span>
  );
}

function Elsewhere({ records }: { readonly records: readonly RecordNote[] }): ReactNode {
  const { pick, t } = useWords();
  const { kindName } = useKindNames();
  return (
    <Panel lead={t('owners.elsewhereLead')} title={t('owners.elsewhere')}>
      <List<RecordNote>
        columns={[
          { label: t('records.record'), show: ({ recordId }) => <Link to={`/records/${recordId}`}>{kindName(recordId.split('/')[1] ?? '')}</Link> },
          { label: t('records.publisher'), show: ({ recordId }) => <MemberName id={recordId.split('/')[0] ?? ''} /> },
          { label: t('owners.why'), show: ({ unreadable = 'ask-owner' }) => pick(unreadableReasons[unreadable]) },
          { label: t('records.publishedAt'), show: ({ publishedAt }) => <Moment at={publishedAt} /> },
        ]}
        items={records}
        keyOf={({ recordId }) => recordId}
        label={t('owners.elsewhere')}
      />
    </Panel>
  );
}
