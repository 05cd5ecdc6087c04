import { useQuery } from '@tanstack/react-query';
import type { NodeOverview } from '@huilian/sdk';
import { useMemo, type ReactNode } from 'react';
import { Link } from 'react-router';
import { DayChart } from '../parts/day-chart.js';
import { Icon, type IconName } from '../parts/icons.js';
import { useMemberNames } from '../parts/member-name.js';
import { Columns, PageHead, Panel, Stack } from '../parts/panel.js';
import { RecordCounts } from '../parts/record-counts.js';
import { Answer, Failure } from '../parts/states.js';
import { Steps } from '../parts/steps.js';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import type { WordKey } from '../words/dictionary.js';
import styles from './overview-page.module.css';

/** The node at a glance, and the ways to what an operator asks most. */
export function OverviewPage(): ReactNode {
  const { t } = useWords();
  const overview = useQuery(queries.overview(useNode()));
  return (
    <Answer lines={8} of={overview}>
      {(node) => (
        <>
          <PageHead lead={<Lead member={node.member} />} title={t('overview.title')} />
          <Stack>
            {overview.error === null ? null : <Failure error={overview.error} onRetry={() => void overview.refetch()} />}
            <Tiles node={node} />
            <Columns>
              <Panel title={t('overview.alerts')}>
                {node.alerts.length === 0 ? <p className={styles['well']}><Icon name="check" />{t('overview.noAlerts')}</p> : <Steps findings={node.alerts} />}
              </Panel>
              <Questions />
            </Columns>
            <Charts days={node.days} />
            <RecordCounts />
          </Stack>
        </>
      )}
    </Answer>
  );
}

/** Drawn again only when the numbers change, not with every refresh. */
function Charts({ days }: { readonly days: NodeOverview['days'] }): ReactNode {
  const { t } = useWords();
  const pushes = useMemo(() => days.map(({ day, publishedElsewhere, publishedHere }) => ({ day, here: publishedHere, elsewhere: publishedElsewhere })), [days]);
  const reads = useMemo(() => days.map(({ day, readElsewhere, readHere }) => ({ day, here: readHere, elsewhere: readElsewhere })), [days]);
  return (
    <Columns>
      <Panel title={t('overview.pushes')}><DayChart days={pushes} elsewhere={t('overview.elsewhere')} here={t('overview.here')} label={t('overview.pushes')} /></Panel>
      <Panel title={t('overview.reads')}><DayChart days={reads} elsewhere={t('overview.readElsewhere')} here={t('overview.readHere')} label={t('overview.reads')} /></Panel>
    </Columns>
  );
}

function Lead({ member }: { readonly member: string }): ReactNode {
  const { t } = useWords();
  const nameOf = useMemberNames();
  return t('overview.lead', { name: nameOf(member) });
}

function Tiles({ node }: { readonly node: NodeOverview }): ReactNode {
  const { number, t } = useWords();
  const { late, outbox, peers, proposals } = node;
  const ownLate = late.own.days + late.own.documents;
  const allLate = ownLate + late.others.days + late.others.documents;
  const waiting = outbox.pending + outbox.inFlight;
  const reachable = peers.filter((peer) => peer.reachable);
  const away = peers.filter((peer) => !peer.reachable);
  const ledger = node.ledger.state === 'following' ? (node.blocksBehind > 0 ? t('overview.behind', { n: node.blocksBehind }) : t('overview.following')) : t('overview.ledgerState', { state: node.ledger.state });
  return (
    <div className={styles['tiles']}>
      <Tile label={t('overview.height')} note={ledger} to="/health" value={number(node.height)} />
      <Tile label={t('overview.outbox')} note={waiting === 0 ? t('overview.outboxEmpty') : t('overview.outboxOldest', { time: duration(outbox.oldestSeconds) })} to="/health" value={number(waiting)} />
      <Tile label={t('overview.peers')} note={away.length === 0 ? t('overview.peersAll') : <Away centres={away.map(({ centre }) => centre)} />} to="/health" value={`${String(reachable.length)} / ${String(peers.length)}`} warn={away.length > 0} />
      <Tile label={t('overview.refused')} note={outbox.deadLettered === 0 ? t('overview.refusedNone') : t('overview.refusedSome')} to="/dead-letters" value={number(outbox.deadLettered)} warn={outbox.deadLettered > 0} />
      <Tile label={t('overview.late')} note={allLate === 0 ? t('overview.lateNone') : ownLate === 0 ? t('overview.lateOthers') : t('overview.lateOwn', { n: ownLate })} to="/completeness" value={number(allLate)} warn={ownLate > 0} />
      <Tile label={t('overview.votesOpen')} note={proposals.unanswered === 0 ? t('overview.votesNone') : t('overview.votes', { n: proposals.unanswered })} to="/proposals" value={number(proposals.open)} warn={proposals.unanswered > 0} />
    </div>
  );
}

function Away({ centres }: { readonly centres: readonly string[] }): ReactNode {
  const { t } = useWords();
  const nameOf = useMemberNames();
  return t('overview.peersAway', { names: centres.map(nameOf).join(', ') });
}

function Tile({ label, note, to, value, warn = false }: { readonly label: string; readonly value: string; readonly note: ReactNode; readonly to: string; readonly warn?: boolean }): ReactNode {
  return (
    <Link className={styles['tile'] ?? ''} to={to}>
      <span className={styles['tileLabel']}>{label}</span>
      <span className={styles['tileValue']}>{value}</span>
      <span className={`${styles['tileNote'] ?? ''} ${warn ? (styles['tileWarn'] ?? '') : ''}`}>{note}</span>
    </Link>
  );
}

const questions: readonly { readonly ask: WordKey; readonly to: string; readonly icon: IconName }[] = [
  { ask: 'overview.askLate', to: '/completeness', icon: 'completeness' },
  { ask: 'overview.askReaders', to: '/accesses', icon: 'accesses' },
  { ask: 'overview.askRefused', to: '/dead-letters', icon: 'deadLetters' },
  { ask: 'overview.askVotes', to: '/proposals', icon: 'proposals' },
];

function Questions(): ReactNode {
  const { t } = useWords();
  return (
    <Panel title={t('overview.questions')}>
      <ul className={styles['questions']}>
        {questions.map(({ ask, icon, to }) => <li key={to}><Link className={styles['question'] ?? ''} to={to}><Icon name={icon} /><span>{t(ask)}</span><Icon name="next" size={15} /></Link></li>)}
      </ul>
    </Panel>
  );
}

/** `h:mm:ss`, or `m:ss`. */
function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] === 0 ? parts.slice(1) : parts).map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
