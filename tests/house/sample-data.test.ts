import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { bundledKinds, checkUscc, importRow, recordFacts, validateRecord } from '@huilian/protocol';

const root = fileURLToPath(new URL('../../', import.meta.url));
const data = path.join(root, 'network-config', 'local', 'data');
const centres = ['beijing', 'guangzhou', 'zhuhai'];

interface Refusal {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

function csvFiles(folder: string): string[] {
  return centres.flatMap((centre) => readdirSync(path.join(folder, centre)).sort().map((name) => `${centre}/${name}`));
}

function refusalsOf(file: string): { rows: number; refusals: Refusal[] } {
  const kind = bundledKinds().find((candidate) => path.basename(file).startsWith(candidate.kind));
  if (kind === undefined) throw new Error(`no kind for ${file}`);
  const seen = new Set<string>();
  const rows = parse(readFileSync(path.join(data, file)), { bom: true, columns: true, info: true }) as unknown as { record: Record<string, string>; info: { lines: number } }[];
  const refusals = rows.flatMap(({ record, info }): Refusal[] => {
    const imported = importRow(kind, record);
    const problems = imported.data === undefined ? imported.problems : validateRecord(kind.kind, kind.version, imported.data).problems;
    const key = problems.length === 0 && imported.data !== undefined ? recordFacts(kind.kind, kind.version, imported.data).naturalKey : undefined;
    if (key !== undefined && seen.has(key)) return [{ file, line: info.lines, code: 'duplicate-in-file' }];
    if (key !== undefined) seen.add(key);
    return problems.slice(0, 1).map(({ code }) => ({ file, line: info.lines, code }));
  });
  return { rows: rows.length, refusals };
}

describe('sample export files', () => {
  it('are what their script writes', () => {
    const fresh = mkdtempSync(path.join(tmpdir(), 'huilian-sample-'));
    try {
      execFileSync(process.execPath, [path.join(root, 'scripts', 'make-sample-data.mjs'), fresh]);
      for (const file of [...csvFiles(fresh), 'bidders.json', 'expected-refusals.json']) {
        expect(readFileSync(path.join(data, file)).equals(readFileSync(path.join(fresh, file))), file).toBe(true);
      }
      expect(csvFiles(data)).toEqual(csvFiles(fresh));
    } finally {
      rmSync(fresh, { recursive: true });
    }
  });

  it('hold at least 300 rows over all seven kinds, and exactly the expected ones are refused', () => {
    const results = csvFiles(data).map((file) => ({ file, ...refusalsOf(file) }));
    expect(results.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(300);
    for (const { kind } of bundledKinds()) expect(results.some(({ file }) => path.basename(file).startsWith(kind)), kind).toBe(true);
    const expected = JSON.parse(readFileSync(path.join(data, 'expected-refusals.json'), 'utf8')) as Refusal[];
    const order = (left: Refusal, right: Refusal): number => left.file.localeCompare(right.file) || left.line - right.line;
    expect(results.flatMap(({ refusals }) => refusals).sort(order)).toEqual(expected.map(({ file, line, code }) => ({ file, line, code })).sort(order));
  });

  it('name bidders with valid synthetic codes', () => {
    const { main, others } = JSON.parse(readFileSync(path.join(data, 'bidders.json'), 'utf8')) as { main: { uscc: string }; others: { uscc: string }[] };
    for (const { uscc } of [main, ...others]) expect(checkUscc(uscc)).toEqual({ ok: true, warnings: [] });
  });
});
