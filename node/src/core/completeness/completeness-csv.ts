import { byteOrderMark, csvLine } from '../export/csv-lines.js';
import type { CompletenessReport, DayRow } from './completeness-report.js';

const columns = ['what', 'member', 'kind', 'day', 'expected', 'received', 'refused', 'published', 'confirmed', 'missing', 'deadline', 'state'];

/** A report for spreadsheets: a line for each day of a kind, and one for each document that a member has not acknowledged. */
export function completenessCsv({ days, documents }: CompletenessReport): string {
  const receipts = documents.flatMap(({ deadline, id, late, missing, of, version }) => missing.map((member) => ['document', member, `${of}/${id}/${String(version)}`, '', '', '', '', '', '', '', moment(deadline), late ? 'late' : 'waiting']));
  return byteOrderMark + [columns, ...days.map(dayCells), ...receipts].map(csvLine).join('');
}

function dayCells({ centre, confirmed, day, deadline, expected, kind, missing, published, received, refused, state }: DayRow): readonly string[] {
  const counts = [expected, received, refused, published, confirmed, missing].map((count) => String(count ?? ''));
  return ['rows', centre, kind, day, ...counts, moment(deadline), state];
}

function moment(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
