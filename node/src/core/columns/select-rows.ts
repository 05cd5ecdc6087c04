import { ProtocolError } from '@huilian/protocol';
import type { AggregateFilter } from './aggregate.js';
import type { Dictionary } from './dictionary.js';
import { payloadStates, projectNumbers } from './own-values.js';
import type { Piece } from './piece.js';
import { monthName, rightsClasses, rowFlags, type RecordColumns } from './record-columns.js';

/** Clears the selection of rows that do not match. */
export type Select = (piece: Piece, selected: Uint8Array) => void;

/** What a filter selects among current versions. @throws BAD_FIELD for a project that is none */
export function selectsOf(columns: RecordColumns, { from, kind, place, project, publisher, region, rights, status, to }: AggregateFilter): Select[] {
  const selects: Select[] = [selectFlags({ rights, status })];
  if (publisher !== undefined) selects.push(selectTable('publisher', codesThat(columns.publishers, (text) => text === publisher)));
  if (kind !== undefined) selects.push(selectTable('kind', codesThat(columns.kinds, (text) => text === kind)));
  if (from !== undefined || to !== undefined) selects.push(selectMonths(columns, from, to));
  if (region !== undefined) selects.push(selectTable('region', codesThat(columns.regions, (text) => text.startsWith(region))));
  if (place !== undefined) selects.push(selectPlace(place));
  if (project !== undefined) selects.push(selectProject(project));
  return selects;
}

/** Own payloads that were read. */
export const selectRead: Select = ({ own, rows }, selected) => {
  if (own === undefined) selected.fill(0);
  else for (let at = 0; at < rows; at += 1) selected[at] = (selected[at] as number) & Number(own.state[at] === payloadStates.read);
};

/** Current versions, of one status and rights class where they are named: decided once for each of the few combinations. */
function selectFlags({ rights, status }: { readonly rights: AggregateFilter['rights'] | undefined; readonly status: AggregateFilter['status'] | undefined }): Select {
  const table = Uint8Array.from({ length: 256 }, (_, flags) => {
    const isOf = { active: (flags & rowFlags.revoked) === 0, revoked: (flags & rowFlags.revoked) !== 0, contested: (flags & rowFlags.contested) !== 0 };
    const wanted = (status === undefined || isOf[status]) && (rights === undefined || rightsClasses[flags >> rowFlags.rightsShift] === rights);
    return Number(wanted && (flags & rowFlags.current) !== 0);
  });
  return selectTable('flags', table);
}

function selectTable(column: 'flags' | 'kind' | 'month' | 'publisher' | 'region', table: Uint8Array): Select {
  return (piece, selected) => {
    const { [column]: codes, rows } = piece;
    if (codes === undefined) throw new TypeError(`a piece without ${column}`);
    for (let at = 0; at < rows; at += 1) selected[at] = (selected[at] as number) & (table[codes[at] as number] as number);
  };
}

function selectMonths({ monthRange: [, last] }: RecordColumns, from = '', to = '9999-99'): Select {
  return selectTable('month', Uint8Array.from({ length: last + 1 }, (_, month) => {
    const name = monthName(month);
    return Number(from <= name && name <= to);
  }));
}

function codesThat(dictionary: Dictionary, fits: (text: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: Math.max(1, dictionary.size) }, (_, code) => Number(fits(dictionary.text(code))));
}

function selectPlace(start: string): Select {
  const scale = 10 ** (6 - start.length);
  const [least, most] = [Number(start) * scale, (Number(start) + 1) * scale - 1];
  return ({ place: places, rows }, selected) => {
    for (let at = 0; at < rows; at += 1) {
      const place = places === undefined ? 0 : (places[at] as number);
      selected[at] = (selected[at] as number) & Number(place >= least && place <= most);
    }
  };
}

function selectProject(code: string): Select {
  const [high, low] = projectNumbers(code);
  if (high === 0) throw new ProtocolError('BAD_FIELD', { path: '/project', reason: 'pattern' });
  return ({ own, rows }, selected) => {
    for (let at = 0; at < rows; at += 1) selected[at] = (selected[at] as number) & Number(own?.projectHigh[at] === high && own.projectLow[at] === low);
  };
}
