import type { SyncRun } from '@huilian/sdk';
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { PlainCode } from '../parts/code.js';
import { Facts } from '../parts/facts.js';
import { useKindNames } from '../parts/kind-name.js';
import { PagedList } from '../parts/list.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { ProblemList } from '../parts/problems.js';
import { RunCounts, RunState } from '../parts/run-state.js';
import { Answer, Failure } from '../parts/states.js';
import { usePages } from '../parts/use-pages.js';
import { fetchRuns, queries, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';

/** One source: the run under way, the runs before it, and what may be asked of it. */
export function SourcePage(): ReactNode {
  const { name: nameOf, t } = useWords();
  const { kindName } = useKindNames();
  const runFacts = useRunFacts();
  const { source: name = '' } = useParams();
  const node = useNode();
  const client = useQueryClient();
  const source = useQuery(queries.source(node, name));
  const [current, last] = [source.data?.current?.run, source.data?.last?.run];
  // A run that began or ended stands in the list at once.
  useEffect(() => void client.invalidateQueries({ queryKey: ['runs', name] }), [client, name, current, last]);
  const pages = usePages<SyncRun>(['runs', name], fetchRuns(node, name));
  return (
    <>
      <PageHead actions={<Link to="/sources">{t('sources.back')}</Link>} lead={t('sources.oneLead')} title={t('sources.of', { name })} />
      <Stack>
        <Answer of={source}>
          {(found) => (
            <Panel actions={<Orders name={name} running={found.current !== undefined} />} title={t('sources.state')}>
              <Facts
                facts={[
                  [t('sources.type'), nameOf('sourceType', found.type)],
                  [t('records.kind'), found.kind === undefined ? undefined : kindName(found.kind)],
                  [t('sources.schedule'), found.everyMinutes === 0 ? t('sources.onRequest') : t('sources.every', { n: found.everyMinutes })],
                  [t('sources.next'), found.next === undefined ? undefined : <Moment at={found.next} key="next" />],
                  ...runFacts(found.current ?? found.last, t(found.current === undefined ? 'sources.last' : 'sources.current')),
                ]}
              />
            </Panel>
          )}
        </Answer>
        <Panel title={t('sources.runs')}>
          <PagedList<SyncRun>
            columns={[
              { label: t('sources.run'), show: ({ run }) => `#${String(run)}` },
              { label: t('sources.state'), show: (run) => <RunState run={run} /> },
              { label: t('sources.counts'), show: (run) => <RunCounts run={run} /> },
              { label: t('dead.reason'), show: (run) => <Refused run={run} /> },
              { label: t('sources.started'), show: ({ started }) => <Moment at={started} /> },
            ]}
            empty={{ title: t('sources.noRuns') }}
            keyOf={({ run }) => String(run)}
            label={t('sources.runs')}
            pages={pages}
          />
        </Panel>
      </Stack>
    </>
  );
}

/** The run under way or the last one; of a trial nothing else is kept. */
function useRunFacts(): (run: SyncRun | undefined, label: string) => readonly (readonly [string, ReactNode])[] {
  const { t } = useWords();
  return (run, label) => run === undefined ? [] : [
    [label, <RunState key="state" run={run} />],
    [t('sources.counts'), <RunCounts key="counts" run={run} />],
    ...(run.dryRun && run.refused > 0 ? [[t('dead.reason'), <Refused key="refused" run={run} />] as const] : []),
  ];
}

function Orders({ name, running }: { readonly name: string; readonly running: boolean }): ReactNode {
  const { t } = useWords();
  const { may } = useSession();
  const node = useNode();
  const client = useQueryClient();
  const order = useMutation({
    mutationFn: async (ask: () => Promise<unknown>) => await ask(),
    onSettled: async () => { await Promise.all([client.invalidateQueries({ queryKey: ['source', name] }), client.invalidateQueries({ queryKey: ['runs', name] }), client.invalidateQueries({ queryKey: ['sources'] })]); },
  });
  if (!may('sync')) return null;
  return (
    <>
      <Inline>
        {running ? <Button loading={order.isPending} onClick={() => { order.mutate(async () => await node.stopRun(name)); }} size="sm" variant="default">{t('sources.stop')}</Button> : (
          <>
            <Button loading={order.isPending} onClick={() => { order.mutate(async () => await node.runSource(name)); }} size="sm">{t('sources.runNow')}</Button>
            <Button disabled={order.isPending} onClick={() => { order.mutate(async () => await node.runSource(name, { dryRun: true })); }} size="sm" variant="default">{t('sources.tryOut')}</Button>
          </>
        )}
      </Inline>
      {order.error === null ? null : <Failure error={order.error} />}
    </>
  );
}

const refusedShown = 3;

/** The first refused rows of a run; all are among the refused rows, but for those of a trial. */
function Refused({ run: { dryRun, refused, refusedRows, source } }: { readonly run: SyncRun }): ReactNode {
  const { number, t } = useWords();
  if (refused === 0) return t('state.none');
  return (
    <>
      {refusedRows.slice(0, refusedShown).map(({ file, line, problems }) => <div key={`${file} ${String(line)}`}><PlainCode text={file.split('/').at(-1) ?? file} />{` · ${t('dead.line', { n: number(line) })}`}<ProblemList problems={problems} /></div>)}
      {dryRun || refused <= refusedShown ? null : <Link to={`/dead-letters?file=${encodeURIComponent(refusedRows[0]?.file.split('/').at(-1) ?? source)}`}>{t('sources.allRefused', { n: number(refused) })}</Link>}
    </>
  );
}
