import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import { useKindNames } from './kind-name.js';
import { List } from './list.js';
import { MemberName, useMemberNames } from './member-name.js';
import { Notice } from './mark.js';
import { Panel } from './panel.js';
import { Answer, Empty } from './states.js';

/** Records on the ledger by centre and kind, as the node counts them in memory; each number leads to its records. */
export function RecordCounts(): ReactNode {
  const { number, t } = useWords();
  const { kindName } = useKindNames();
  const nameOf = useMemberNames();
  const counts = useQuery(queries.recordCounts(useNode()));
  return (
    <Panel title={t('overview.counts')}>
      <Answer of={counts}>
        {({ complete, groups }) => {
          const kinds = [...new Set(groups.map(({ key }) => key['kind'] ?? ''))].sort();
          const centres = [...new Set(groups.map(({ key }) => key['publisher'] ?? ''))].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
          const countOf = (centre: string, kind?: string): number => groups.filter(({ key }) => key['publisher'] === centre && (kind === undefined || key['kind'] === kind)).reduce((sum, { records }) => sum + records, 0);
          const cell = (centre: string, kind: string): ReactNode => {
            const count = countOf(centre, kind);
            return count === 0 ? '–' : <Link to={`/records?publisher=${centre}&kind=${kind}&status=active`}>{number(count)}</Link>;
          };
          return (
            <>
              {complete.headers ? null : <Notice tone="info"><p>{t('overview.stillCounting')}</p></Notice>}
              {groups.length === 0 ? <Empty next={t('records.emptyNext')} title={t('overview.noRecords')} /> : (
                <List<string>
                  columns={[
                    { label: t('records.publisher'), show: (centre) => <MemberName id={centre} /> },
                    ...kinds.map((kind) => ({ label: kindName(kind), show: (centre: string) => cell(centre, kind) })),
                    { label: t('overview.all'), show: (centre) => number(countOf(centre)) },
                  ]}
                  items={centres}
                  keyOf={(centre) => centre}
                  label={t('overview.counts')}
                />
              )}
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}
