import type { SourceState } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useKindNames } from '../parts/kind-name.js';
import { List } from '../parts/list.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel } from '../parts/panel.js';
import { RunCounts, RunState } from '../parts/run-state.js';
import { Answer, Empty } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** Where the node's records come from, and how the last run of each went. */
export function SourcesPage(): ReactNode {
  const { name, t } = useWords();
  const { kindName } = useKindNames();
  const sources = useQuery(queries.sources(useNode()));
  return (
    <>
      <PageHead lead={t('sources.lead')} title={t('sources.title')} />
      <Panel>
        <Answer lines={5} of={sources}>
          {(items) =>
            items.length === 0 ? <Empty next={t('sources.noneNext')} title={t('sources.none')} /> : (
              <List<SourceState>
                columns={[
                  { label: t('sources.name'), show: (source) => <Link to={`/sources/${encodeURIComponent(source.name)}`}>{source.name}</Link> },
                  { label: t('sources.type'), show: ({ type }) => name('sourceType', type) },
                  { label: t('records.kind'), show: ({ kind }) => (kind === undefined ? '' : kindName(kind)) },
                  { label: t('sources.state'), show: ({ current, last }) => <RunState run={current ?? last} /> },
                  { label: t('sources.counts'), show: ({ current, last }) => <RunCounts run={current ?? last} /> },
                  { label: t('sources.next'), show: ({ everyMinutes, next }) => (next === undefined ? t(everyMinutes === 0 ? 'sources.onRequest' : 'sources.soon') : <Moment at={next} />) },
                ]}
                items={items}
                keyOf={(source) => source.name}
                label={t('sources.title')}
              />
            )
          }
        </Answer>
      </Panel>
    </>
  );
}

