import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../main-job.js';
import type { Planted } from './personal-scan.js';

/** A person's data, invented, for places where callers put such things by mistake: it must come back nowhere. */
export const misplaced = { account: '6222999900001111222', address: '广州市示例泄漏路88号', email: 'zhao.ceyi@sample.invalid', idNumber: '440105199003077770', name: '赵某测乙', phone: '19900099001' } as const;

/** Columns of the sample data that speak of a person, by their national names. */
const personalColumns: Readonly<Record<string, readonly string[]>> = {
  entity: ['LEGAL_REPRESENT', 'REPRESENT_PHONE', 'BASIC_ACCOUNT_NO', 'LEGAL_CONTACT', 'LEGAL_CONTACT_PHONE', 'LEGAL_CONTACT_ADDRESS', 'LEGAL_EMAIL'],
  personnel: ['ID_CARD', 'PERSON_NAME', 'PERSON_PHONE'],
};
const rowsTaken = 3;

/** What every local consortium publishes in its sample data, of each centre the first rows, and what tests misplace. */
export function plantedValues(): readonly Planted[] {
  const data = path.join(root, 'network-config', 'local', 'data');
  const planted = readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: centre }) => Object.entries(personalColumns).flatMap(([kind, columns]) => valuesOf(path.join(data, centre, `${kind}.csv`), `${centre} ${kind}`, columns)));
  return [...planted, ...Object.entries(misplaced).map(([name, value]) => ({ name: `misplaced ${name}`, value }))];
}

function valuesOf(file: string, place: string, columns: readonly string[]): Planted[] {
  const [head = '', ...rows] = readFileSync(file, 'utf8').replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = head.split(',');
  return rows.slice(0, rowsTaken).flatMap((row, line) =>
    columns.flatMap((column) => {
      const value = row.split(',')[names.indexOf(column)] ?? '';
      return value === '' ? [] : [{ name: `${place} ${String(line + 1)} ${column}`, value }];
    }));
}
