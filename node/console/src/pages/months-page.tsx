import type { Aggregates } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useKindNames } from '../parts/kind-name.js';
import { List } from '../parts/list.js';
import { Mark, Notice } from '../parts/mark.js';
import { MemberName } from '../parts/member-name.js';
import { PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer, Empty } from '../parts/states.js';
import { monthsShown, queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** What one centre published of one kind, month by month, the newest last. */
interface Row {
  readonly centre: string;
  readonly kind: string;
  readonly counts: readonly number[];
  /** Something came in earlier months and nothing in this one. */
  readonly quiet: boolean;
}

/** Which centre published what in which month, and who has been quiet since. */
export function MonthsPage(): ReactNode {
  const { number, t } = useWords();
  const { kindName } = useKindNames();
  const counts = useQuery(queries.monthCounts(useNode()));
  const months = monthsShown();
  return (
    <>
      <PageHead lead={t('months.lead')} title={t('months.title')} />
      <Answer lines={8} of={counts}>
        {(found) => {
          const rows = rowsOf(found, months);
          return (
            <Stack>
              {found.complete.headers ? null : <Notice tone="info"><p>{t('overview.stillCounting')}</p></Notice>}
              <Panel>
                {rows.length === 0 ? <Empty next={t('records.emptyNext')} title={t('overview.noRecords')} /> : (
                  <List<Row>
                    columns={[
                      { label: t('records.publisher'), show: ({ centre }) => <MemberName id={centre} /> },
                      { label: t('records.kind'), show: ({ centre, kind }) => <Link to={`/records?publisher=${centre}&kind=${kind}`}>{kindName(kind)}</Link> },
                      { label: t('months.state'), show: ({ quiet }) => (quiet ? <Mark tone="warn">{t('months.quiet')}</Mark> : <Mark tone="ok">{t('months.came')}</Mark>) },
                      ...months.map((month, index) => ({ label: month, show: (row: Row) => number(row.counts[index] ?? 0) })),
                    ]}
                    items={rows}
                    keyOf={({ centre, kind }) => `${centre} ${kind}`}
                    label={t('months.title')}
                  />
                )}
              </Panel>
            </Stack>
          );
        }}
      </Answer>
    </>
  );
}

/** Quiet ones first, then by centre and kind. */
function rowsOf({ groups }: Aggregates, months: readonly string[]): readonly Row[] {
  const found = new Map<string, number[]>();
  for (const { key, records } of groups) {
    const row = `${key['publisher'] ?? ''} ${key['kind'] ?? ''}`;
    const counts = found.get(row) ?? months.map(() => 0);
    const at = months.indexOf(key['month'] ?? '');
    if (at >= 0) counts[at] = (counts[at] ?? 0) + records;
    found.set(row, counts);
  }
  const rows = [...found].map(([row, counts]) => {
    const [centre = '', kind = ''] = row.split(' ');
    return { centre, kind, counts, quiet: counts.at(-1) === 0 };
  });
  return rows.sort((left, right) => Number(right.quiet) - Number(left.quiet) || (`${left.centre} ${left.kind}` < `${right.centre} ${right.kind}` ? -1 : 1));
}
