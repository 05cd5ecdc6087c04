import { unreadableReasons, type RecordNote, type Thing as OwnedThing } from '@huilian/sdk';
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
          {found.things.length === 0 ? <Panel><Empty next={t('owners.noneNext')} title={t('owners.none')} /></Panel> : found.things.map((thing, index) => <Thing key={index} thing={thing} />)}
          {found.unreadable.length === 0 ? null : <Elsewhere records={found.unreadable} />}
        </Stack>
      )}
    </Answer>
  );
}

function Thing({ thing: { claims, disagree, key = {}, kind, records } }: { readonly thing: OwnedThing }): ReactNode {
  const { name, t } = useWords();
  const { claimName, kindName } = useKindNames();
  const named = Object.values(key).map(String).filter((part) => part !== '').join(' · ');
  return (
    <Panel actions={disagree ? <Mark tone="warn">{t('owners.disagree')}</Mark> : undefined} lead={named} title={kindName(kind)}>
      <Inline>{records.map(({ recordId, version }) => <Link key={recordId} to={`/records/${recordId}`}><MemberName id={recordId.split('/')[0] ?? ''} />{` · ${t('record.versionN', { n: version })}`}</Link>)}</Inline>
      <div className={styles['claims']}>
        {claims.map(({ alternatives, claim, disagree: differs }) => (
          <section aria-label={claimName(kind, claim)} key={claim}>
            <h3 className={styles['claim']}>{claimName(kind, claim)}{differs ? <Mark tone="warn">{t('owners.disagree')}</Mark> : null}</h3>
            <div className={styles['alternatives']}>
              {alternatives.map((alternative, index) => (
                <div className={styles['alternative']} key={index}>
                  <ClaimValue claim={claim} kind={kind} value={alternative.value} />
                  <p className={styles['from']}>
                    {alternative.from.map(({ attestedBy, centre, contradictedBy, recordId, standing, verdict, verifiedAt }) => (
                      <span key={recordId}><MemberName id={centre} />{' · '}<Moment at={verifiedAt} />{standing === 'current' ? null : <Mark tone="warn">{name('standing', standing)}</Mark>}{attestedBy.length > 0 ? <Mark tone="ok">{t('owners.attested', { n: attestedBy.length })}</Mark> : null}{contradictedBy.length > 0 ? <Mark tone="warn">{t('owners.contradicted', { n: contradictedBy.length })}</Mark> : null}{verdict === undefined ? null : <Mark tone={verdict === 'confirm' ? 'ok' : 'fail'}>{t(verdict === 'confirm' ? 'owners.confirmed' : 'owners.disputed')}</Mark>}</span>
                    ))}
                  </p>
                </div>
              ))}
            </div>
          </section>
        ))}
      </div>
    </Panel>
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
