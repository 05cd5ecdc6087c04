import { ProtocolError } from '@huilian/protocol';

/** A row that names so many of the file's columns is another header. */
const headerShare = 0.6;

/**
 * Whether a row is the header once more: files that were put together, or printed by pages, have it in their middle.
 * @throws SOURCE_CHANGED where it is another one: rows behind it would be read under the wrong names
 */
export function isHeaderAgain(cells: readonly string[], columns: readonly string[], place: { readonly file: string; readonly line: number }): boolean {
  if (!isHeader(cells, columns)) return false;
  const found = withoutBlankEnd(cells);
  const expected = withoutBlankEnd(columns);
  if (found.length === expected.length && found.every((cell, index) => cell === expected[index])) return true;
  const missing = columns.findIndex((column) => column !== '' && !found.includes(column));
  const moved = expected.findIndex((column, index) => column !== found[index]);
  throw new ProtocolError('SOURCE_CHANGED', { ...place, reason: 'columns-changed', ...nameOf(missing === -1 ? moved : missing, columns) });
}

function isHeader(cells: readonly string[], columns: readonly string[]): boolean {
  // Most rows end at the first cell.
  if (!cells.some((cell) => cell !== '' && columns.includes(cell.trim()))) return false;
  const filled = cells.filter((cell) => cell.trim() !== '');
  const named = filled.filter((cell) => columns.includes(cell.trim())).length;
  return named >= 2 && named >= filled.length * headerShare;
}

function withoutBlankEnd(cells: readonly string[]): readonly string[] {
  const trimmed = cells.map((cell) => cell.trim());
  return trimmed.slice(0, trimmed.findLastIndex((cell) => cell !== '') + 1);
}

/** The name of a national column is told; any other header could be data in the wrong place, so its position is. */
function nameOf(index: number, columns: readonly string[]): { readonly column?: string } {
  const column = columns[index];
  if (column === undefined) return {};
  return { column: /^[A-Z]{2,}(?:_[A-Z]+)*$/.test(column) && column.length <= 40 ? column : `column-${String(index + 1)}` };
}
