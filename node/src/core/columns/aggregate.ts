import { groupColumn, type GroupColumn } from './group-columns.js';
import type { Piece } from './piece.js';
import { rowsPerSegment, type RecordColumns } from './record-columns.js';
import { selectRead, selectsOf } from './select-rows.js';
import { TallyGroups } from './tally-groups.js';

/** By what records are counted: said by headers of all centres, and by the node's own payloads. */
export const headerDimensions = ['publisher', 'kind', 'month', 'region', 'rights', 'status'] as const;
export const payloadDimensions = ['place', 'project'] as const;
export type Dimension = (typeof headerDimensions)[number] | (typeof payloadDimensions)[number];

export interface AggregateFilter {
  readonly publisher?: string;
  readonly kind?: string;
  /** First and last month of publication, `2026-01`. */
  readonly from?: string;
  readonly to?: string;
  /** First two, four or all six digits of a division. */
  readonly region?: string;
  readonly rights?: 'owner' | 'publisher' | 'public';
  readonly status?: 'active' | 'revoked' | 'contested';
  readonly place?: string;
  readonly project?: string;
}

export interface AggregateQuery {
  readonly by: readonly Dimension[];
  readonly filter: AggregateFilter;
  /** Path of an amount, `contract.amount`: summed over own payloads. */
  readonly sum?: string;
  /** How many digits of a division make a group: 2 province, 4 prefecture, 6 county. */
  readonly digits: 2 | 4 | 6;
  readonly order: 'key' | 'records' | 'sum';
  readonly limit: number;
}

interface AggregateGroup {
  readonly key: Readonly<Partial<Record<Dimension, string>>>;
  readonly records: number;
  /** Of `sum`: fen, the records that have the amount, and those that have it in another currency and are not in the sum. */
  readonly sum?: string;
  readonly amounts?: number;
  readonly foreign?: number;
}

export interface Aggregate {
  readonly groups: readonly AggregateGroup[];
  /** All groups there are. */
  readonly groupCount: number;
}

/** Whether a query is about what only payloads say. */
export function isOfPayloads({ by, filter: { place, project }, sum }: Pick<AggregateQuery, 'by' | 'filter' | 'sum'>): boolean {
  return sum !== undefined || place !== undefined || project !== undefined || by.some((dimension) => (payloadDimensions as readonly string[]).includes(dimension));
}

const mostSmall = 2 ** 31;

/**
 * Counts current records by groups, and sums an amount of theirs: from the cells where they tell apart what is asked, else row by row. One
 * piece after the other, one column at a time. `amountPosition` says where a kind keeps the amount. @throws BAD_FIELD
 */
export function aggregate(columns: RecordColumns, query: AggregateQuery, amountPosition: (kind: string) => number | undefined): Aggregate {
  const groupColumns = query.by.map((dimension) => groupColumn(columns, dimension, query.digits));
  const [pieces, areRows] = piecesFor(columns, query);
  const selects = [...selectsOf(columns, query.filter), ...(areRows && isOfPayloads(query) ? [selectRead] : [])];
  const positions = query.sum === undefined ? undefined : Int32Array.from({ length: columns.kinds.size }, (_, kind) => amountPosition(columns.kinds.text(kind)) ?? -1);
  const combinations = groupColumns.reduce((size, column) => size * column.size, 1);
  const tallies = new TallyGroups(combinations, positions);
  const most = Math.max(1, ...pieces.map(({ rows }) => rows));
  const [selected, groups] = [new Uint8Array(most), combinations < mostSmall ? new Int32Array(most) : new Float64Array(most)];
  for (const piece of pieces) {
    selected.fill(1);
    for (const select of selects) select(piece, selected);
    groups.fill(0);
    let stride = 1;
    for (const column of groupColumns) {
      column.add(piece, groups, stride);
      stride *= column.size;
    }
    tallies.add(piece, selected, groups);
  }
  return named(tallies, groupColumns, query);
}

/** The smallest that tells apart what is asked, and whether these are rows. */
function piecesFor(columns: RecordColumns, query: AggregateQuery): readonly [pieces: readonly Piece[], areRows: boolean] {
  const { by, filter } = query;
  const [region, project] = [by.includes('region') || filter.region !== undefined, by.includes('project') || filter.project !== undefined];
  if (!isOfPayloads(query)) {
    if (columns.headerCells.isUsable) return [[columns.headerCells.piece()], false];
  } else if (!region && !project && columns.payloadCells.isUsable) return [[columns.payloadCells.piece()], false];
  if (filter.project !== undefined) return [[columns.gather(columns.projects.rowsOf(filter.project))], true];
  const rows = columns.segments.map((segment, number): Piece => ({
    ...segment,
    rows: Math.min(rowsPerSegment, columns.rows - number * rowsPerSegment),
    ...(segment.own === undefined ? {} : { place: segment.own.place }),
  }));
  return [rows, true];
}

interface FoundGroup extends AggregateGroup {
  readonly total: bigint;
  /** The values of the key in the order of the question. */
  readonly text: string;
}

function named(tallies: TallyGroups, columns: readonly GroupColumn[], { limit, order, sum }: AggregateQuery): Aggregate {
  const groups: FoundGroup[] = [];
  for (const [group, tally] of tallies.found()) {
    const key = keyOf(group, columns);
    const summed = sum === undefined ? {} : { sum: tally.sum.toString(), amounts: tally.amounts, foreign: tally.foreign };
    groups.push({ key, records: tally.count, text: Object.values(key).join('\u0000'), total: tally.sum, ...summed });
  }
  groups.sort((left, right) => {
    if (order === 'records' && left.records !== right.records) return right.records - left.records;
    if (order === 'sum' && left.total !== right.total) return left.total < right.total ? 1 : -1;
    return left.text < right.text ? -1 : 1;
  });
  return { groupCount: groups.length, groups: groups.slice(0, limit).map(({ text: _text, total: _total, ...group }) => group) };
}

function keyOf(group: number, columns: readonly GroupColumn[]): AggregateGroup['key'] {
  let rest = group;
  const key: Partial<Record<Dimension, string>> = {};
  for (const { dimension, name, size } of columns) {
    key[dimension] = name(rest % size);
    rest = Math.floor(rest / size);
  }
  return key;
}
