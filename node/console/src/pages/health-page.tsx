import type { NodeStatus } from '@huilian/sdk';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Facts, type Fact } from '../parts/facts.js';
import { Mark } from '../parts/mark.js';
import { MemberName } from '../parts/member-name.js';
import { Columns, Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer } from '../parts/states.js';
import { Steps } from '../parts/steps.js';
import { queries, useNode } from '../queries.js';
import { useWords, type Words } from '../words/use-words.js';

/** What the node finds when it looks at itself. */
export function HealthPage(): ReactNode {
  const words = useWords();
  const { t } = words;
  const node = useNode();
  const doctor = useQuery(queries.doctor(node));
  const status = useQuery(queries.status(node));
  const again = (): void => {
    void doctor.refetch();
    void status.refetch();
  };
  const looking = doctor.isFetching;
  return (
    <>
      <PageHead actions={<Button loading={looking} onClick={again} size="sm" variant="default">{t('health.run')}</Button>} lead={t('health.lead')} title={t('health.title')} />
      <Columns>
        <Panel title={t('health.checks')}><Answer lines={9} of={doctor}>{(findings) => <Steps findings={findings} />}</Answer></Panel>
        <Stack>
          <Panel title={t('health.state')}><Answer lines={7} of={status}>{(found) => <Facts facts={factsOf(found, words)} />}</Answer></Panel>
          <Panel title={t('health.peers')}><Answer lines={3} of={status}>{(found) => <Peers status={found} />}</Answer></Panel>
        </Stack>
      </Columns>
    </>
  );
}

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

function factsOf(status: NodeStatus, words: Words): readonly Fact[] {
  const { number, t } = words;
  const { active = 0, failing = 0, paused = 0 } = status.webhooks;
  return [
    [t('overview.height'), number(status.height)],
    [t('overview.outbox'), number(status.outbox.pending + status.outbox.inFlight)],
    [t('health.clock'), status.clockBehindSeconds === null ? t('health.clockUnknown') : `${status.clockBehindSeconds.toFixed(1)} s`],
    [t('health.disk'), `${number(Math.round((status.diskFreeBytes / gibibyte) * 10) / 10)} GiB`],
    [t('health.memory'), `${number(status.memoryMiB)} MiB`],
    [t('health.backups'), backups(status, words)],
    [t('health.keyCopy'), t(keyCopyWords[status.vaultKeyCopy])],
    [t('health.webhooks'), t('health.webhooksN', { active, failing, paused })],
    [t('health.version'), status.version],
  ];
}

const keyCopyWords = { kept: 'health.keyCopyKept', none: 'health.keyCopyNone', unreachable: 'health.keyCopyUnreachable' } as const;

function backups({ backups: { configured, kept, last } }: NodeStatus, { t, time }: Words): string {
  if (!configured) return t('health.backupsOff');
  return last === undefined ? t('health.backupsNone') : t('health.backupsKept', { n: kept, time: time(last.at) });
}

function Peers({ status: { peers } }: { readonly status: NodeStatus }): ReactNode {
  const { t } = useWords();
  if (peers.length === 0) return t('health.peersNone');
  return (
    <Facts
      facts={peers.map(({ centre, code, height = 0, reachable }) => [
        centre,
        <Inline key={centre}><MemberName id={centre} />{reachable ? <Mark tone="ok">{t('health.peerHeight', { n: height })}</Mark> : <Mark tone="warn">{t('health.peerAway')}{code === undefined ? '' : ` · ${code}`}</Mark>}</Inline>,
      ])}
    />
  );
}
