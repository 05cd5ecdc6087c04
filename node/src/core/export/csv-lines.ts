import { neutralCell } from '../dead-letters/neutral-cells.js';

/** What makes a spreadsheet read UTF-8 as such. */
export const byteOrderMark = '\u{feff}';

/** One line of CSV, RFC 4180, with cells that a spreadsheet would run as formulas made plain text. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(neutralCell(cell))).join(',')}\r\n`;
}

/** A lone carriage return or line feed ends a row for some readers. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
