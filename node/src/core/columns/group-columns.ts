import type { Dimension } from './aggregate.js';
import { Dictionary } from './dictionary.js';
import { payloadStates, projectCode } from './own-values.js';
import type { Piece } from './piece.js';
import { monthName, rightsClasses, rowFlags, type RecordColumns } from './record-columns.js';

/** Small numbers are worked with much faster. */
export type Groups = Float64Array | Int32Array;

/** A dimension as it is looked up: adds `stride` times its code to the group of each row. */
export interface GroupColumn {
  readonly dimension: Dimension;
  /** Above all its codes. */
  readonly size: number;
  add(piece: Piece, groups: Groups, stride: number): void;
  name(code: number): string;
}

export function groupColumn(columns: RecordColumns, dimension: Dimension, digits: number): GroupColumn {
  switch (dimension) {
    case 'publisher':
      return codeColumn(dimension, columns.publishers);
    case 'kind':
      return codeColumn(dimension, columns.kinds);
    case 'month':
      return monthColumn(columns.monthRange);
    case 'region':
      return tableColumn(dimension, 'region', (code) => columns.regions.text(code).slice(0, digits), Math.max(1, columns.regions.size));
    case 'rights':
      return tableColumn(dimension, 'flags', (flags) => rightsClasses[flags >> rowFlags.rightsShift] ?? '', 256);
    case 'status':
      return tableColumn(dimension, 'flags', statusOf, 256);
    case 'place':
      return placeColumn(digits);
    case 'project':
      return projectColumn();
  }
}

/** A contested record counts as contested, whatever its status. */
function statusOf(flags: number): string {
  if ((flags & rowFlags.contested) !== 0) return 'contested';
  return (flags & rowFlags.revoked) === 0 ? 'active' : 'revoked';
}

function codeColumn(dimension: 'kind' | 'publisher', names: Dictionary): GroupColumn {
  return {
    dimension,
    size: Math.max(1, names.size),
    add: ({ [dimension]: codes, rows }, groups, stride) => {
      for (let at = 0; at < rows; at += 1) groups[at] = (groups[at] as number) + (codes[at] as number) * stride;
    },
    name: (code) => names.text(code),
  };
}

function monthColumn([first, last]: readonly [number, number]): GroupColumn {
  return {
    dimension: 'month',
    size: last - first + 1,
    add: ({ month, rows }, groups, stride) => {
      for (let at = 0; at < rows; at += 1) groups[at] = (groups[at] as number) + ((month[at] as number) - first) * stride;
    },
    name: (code) => monthName(first + code),
  };
}

/** Codes of a column that mean the same are one group. */
function tableColumn(dimension: Dimension, column: 'flags' | 'region', nameOf: (code: number) => string, codes: number): GroupColumn {
  const names = new Dictionary();
  const table = Uint16Array.from({ length: codes }, (_, code) => names.codeOf(nameOf(code)));
  return {
    dimension,
    size: names.size,
    add: (piece, groups, stride) => {
      const { [column]: values, rows } = piece;
      if (values === undefined) throw new TypeError(`a piece without ${column}`);
      for (let at = 0; at < rows; at += 1) groups[at] = (groups[at] as number) + (table[values[at] as number] as number) * stride;
    },
    name: (code) => names.text(code),
  };
}

const divisions = 1_000_000;

function placeColumn(digits: number): GroupColumn {
  const scale = 10 ** (6 - digits);
  return {
    dimension: 'place',
    size: divisions / scale,
    add: ({ place, rows }, groups, stride) => {
      if (place === undefined) return;
      for (let at = 0; at < rows; at += 1) groups[at] = (groups[at] as number) + Math.floor((place[at] as number) / scale) * stride;
    },
    name: (code) => (code === 0 ? '' : String(code).padStart(digits, '0')),
  };
}

/** Projects are as many as there are: they get their codes while the rows are worked through. */
function projectColumn(): GroupColumn {
  const codes = new Map<number, Map<number, number>>();
  const projects: (readonly [high: number, low: number])[] = [];
  const codeOf = (high: number, low: number): number => {
    let ofHigh = codes.get(high);
    if (ofHigh === undefined) codes.set(high, (ofHigh = new Map<number, number>()));
    let code = ofHigh.get(low);
    if (code === undefined) ofHigh.set(low, (code = projects.push([high, low]) - 1));
    return code;
  };
  return {
    dimension: 'project',
    size: 2 ** 24,
    add: ({ own, rows }, groups, stride) => {
      if (own === undefined) return;
      for (let at = 0; at < rows; at += 1) if (own.state[at] === payloadStates.read) groups[at] = (groups[at] as number) + codeOf(own.projectHigh[at] as number, own.projectLow[at] as number) * stride;
    },
    name: (code) => projectCode(...(projects[code] ?? [0, 0])),
  };
}
