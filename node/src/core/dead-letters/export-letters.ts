import { byteOrderMark, csvLine } from '../export/csv-lines.js';
import type { LetterFilter } from '../outbox/dead-letters.js';
import type { LetterDesk, OpenedLetter } from './letter-desk.js';

/** Columns of our own come first; those that are read again when the file comes back begin with an underscore. */
const ownColumns = ['_letter', '_file', '_line', '_kind', '_mapping', '_code', '_problems', '_reason', '_原因', '_suggestion', '_建议', '_data'] as const;
const ownNames: ReadonlySet<string> = new Set(ownColumns);
const mostColumns = 2000;

/** Whether a column of an exported file is ours, and not of the row. */
export function isOwnColumn(column: string): boolean {
  return ownNames.has(column);
}

export type ExportFormat = 'csv' | 'ndjson';

/** Letters with their cells as lines of text, one at a time. */
export async function* exportLetters(desk: LetterDesk, filter: LetterFilter, format: ExportFormat): AsyncGenerator<string> {
  if (format === 'ndjson') {
    for await (const letter of desk.export(filter)) yield `${JSON.stringify(letter)}\n`;
    return;
  }
  const columns = await columnsOf(desk, filter);
  yield byteOrderMark + csvLine([...ownColumns, ...columns]);
  for await (const letter of desk.export(filter)) yield csvLine([...ownCells(letter), ...columns.map((column) => letter.row?.[column] ?? '')]);
}

/** Every column of the rows, in the order in which they come. */
async function columnsOf(desk: LetterDesk, filter: LetterFilter): Promise<readonly string[]> {
  const columns = new Set<string>();
  for await (const { row } of desk.export(filter)) {
    for (const column of Object.keys(row ?? {})) if (columns.size < mostColumns) columns.add(column);
  }
  return [...columns];
}

function ownCells({ code, data, file = '', id, kind = '', line, mapping = '', problems }: OpenedLetter): readonly string[] {
  const all = (text: (problem: OpenedLetter['problems'][number]) => string): string => problems.map(text).join('; ');
  return [
    id, file, line === undefined ? '' : String(line), kind, mapping, code, all((problem) => `${problem.path} ${problem.code}`), all(({ en }) => en), all(({ zh }) => zh),
    all(({ suggestion }) => suggestion.en), all(({ suggestion }) => suggestion.zh), data === undefined ? '' : JSON.stringify(data),
  ];
}
