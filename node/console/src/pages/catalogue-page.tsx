import type { Catalogue, CatalogueVersion } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { List } from '../parts/list.js';
import { Mark, Notice, type Tone } from '../parts/mark.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer, Empty } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import styles from './catalogue-page.module.css';

/** What the consortium agreed to by vote: in force, to come, ending. */
export function CataloguePage(): ReactNode {
  const { t } = useWords();
  const catalogue = useQuery(queries.catalogue(useNode()));
  return (
    <>
      <PageHead lead={t('catalogue.lead')} title={t('catalogue.title')} />
      <Answer lines={8} of={catalogue}>
        {(found) => (
          <Stack>
            {found.endsSoon.map((end) => <Notice key={`${end.of} ${end.id} ${String(end.version ?? '')}`} tone="warn"><p><EndsSoon end={end} /></p></Notice>)}
            <Kinds kinds={found.kinds} />
            <Documents documents={found.codeSets} title={t('catalogue.codeSets')} />
            <Documents documents={found.ruleSets} title={t('catalogue.ruleSets')} />
            <Authorities cas={found.cas} />
          </Stack>
        )}
      </Answer>
    </>
  );
}

function EndsSoon({ end: { followedBy, id, retires, version } }: { readonly end: Catalogue['endsSoon'][number] }): ReactNode {
  const { t, time } = useWords();
  const what = version === undefined ? id : `${id} ${String(version)}`;
  return <>{t('catalogue.ends', { what, time: time(retires) })}{followedBy === undefined ? '' : ` ${t('catalogue.followedBy', { n: followedBy })}`}</>;
}

const tones: Readonly<Record<string, Tone>> = { 'in-force': 'ok', effective: 'ok', coming: 'info', pending: 'info', retired: 'neutral' };

function Versions({ versions }: { readonly versions: readonly CatalogueVersion[] }): ReactNode {
  const { name, t } = useWords();
  return (
    <div className={styles['versions']}>
      {versions.map(({ effective, retires, state, version }) => (
        <Inline key={version}>
          <span>{t('record.versionN', { n: version })}</span><Mark tone={tones[state] ?? 'neutral'}>{name('termState', state)}</Mark>
          {effective === undefined ? null : <span className={styles['when']}>{t('catalogue.from')} <Moment at={effective} /></span>}
          {retires === undefined ? null : <span className={styles['when']}>{t('catalogue.until')} <Moment at={retires} /></span>}
        </Inline>
      ))}
    </div>
  );
}

function Kinds({ kinds }: { readonly kinds: Catalogue['kinds'] }): ReactNode {
  const { name, pick, t } = useWords();
  return (
    <Panel title={t('catalogue.kinds')}>
      {kinds.length === 0 ? <Empty title={t('catalogue.none')} /> : (
        <List<Catalogue['kinds'][number]>
          columns={[
            { label: t('records.kind'), show: ({ kind, title }) => <><strong>{pick(title)}</strong><br /><span className={styles['when']}>{kind}</span></> },
            { label: t('record.versions'), show: ({ versions }) => <Versions versions={versions} /> },
            { label: t('records.rights'), show: ({ rights }) => rights.map((one) => name('rights', one)).join(', ') },
            { label: t('accesses.what'), show: ({ claims }) => claims.map((claim) => `${pick(claim)}${claim.personal ? ` (${t('catalogue.personal')})` : ''}`).join(', ') },
            { label: t('catalogue.migrations'), show: ({ migrations }) => (migrations.length === 0 ? t('state.none') : migrations.map(({ from, to }) => `${String(from)} → ${String(to)}`).join(', ')) },
          ]}
          items={kinds}
          keyOf={({ kind }) => kind}
          label={t('catalogue.kinds')}
        />
      )}
    </Panel>
  );
}

function Documents({ documents, title }: { readonly documents: Catalogue['codeSets']; readonly title: string }): ReactNode {
  const { number, pick, t } = useWords();
  return (
    <Panel title={title}>
      {documents.length === 0 ? <Empty title={t('catalogue.none')} /> : (
        <List<Catalogue['codeSets'][number]>
          columns={[
            { label: t('members.name'), show: ({ name, title: titled }) => (titled === undefined ? name : `${pick(titled)} · ${name}`) },
            { label: t('record.versions'), show: ({ versions }) => <Versions versions={versions} /> },
            { label: t('catalogue.codes'), show: ({ codes }) => (codes === undefined ? '' : number(codes)) },
          ]}
          items={documents}
          keyOf={({ name }) => name}
          label={title}
        />
      )}
    </Panel>
  );
}

function Authorities({ cas }: { readonly cas: Catalogue['cas'] }): ReactNode {
  const { name, pick, t } = useWords();
  return (
    <Panel title={t('catalogue.cas')}>
      {cas.length === 0 ? <Empty title={t('catalogue.none')} /> : (
        <List<Catalogue['cas'][number]>
          columns={[
            { label: t('members.name'), show: (ca) => pick(ca.name) },
            { label: t('records.status'), show: ({ state }) => <Mark tone={tones[state] ?? 'neutral'}>{name('termState', state)}</Mark> },
            { label: t('catalogue.until'), show: ({ retires }) => (retires === undefined ? '' : <Moment at={retires} />) },
          ]}
          items={cas}
          keyOf={({ fingerprint }) => fingerprint}
          label={t('catalogue.cas')}
        />
      )}
    </Panel>
  );
}
