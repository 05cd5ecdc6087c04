import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { bundledKinds, canonicalize, checkUscc, importRow, type JsonObject, recordFacts, validateRecord } from '@huilian/protocol';

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

interface Manifest {
  readonly records: number;
  readonly perKind: Readonly<Record<string, number>>;
  readonly averageBytes: number;
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly records: number; readonly sha256: string }[];
  readonly sha256: string;
}

describe('sample records', () => {
  const script = path.join(root, 'scripts', 'sample-data.mjs');
  const fresh = mkdtempSync(path.join(tmpdir(), 'huilian-sample-'));
  afterAll(() => { rmSync(fresh, { recursive: true }); });
  const write = (name: string, records: number, seed: number): Manifest =>
    JSON.parse(execFileSync(process.execPath, [script, '--records', String(records), '--seed', String(seed), '--out', path.join(fresh, name), '--json'], { encoding: 'utf8' })) as Manifest;

  it('are the same bytes for the same seed, others for another', () => {
    const first = write('seven', 2000, 7);
    expect(write('seven-again', 2000, 7)).toEqual(first);
    expect(write('eight', 2000, 8).sha256).not.toBe(first.sha256);
    for (const { path: file } of first.files) {
      expect(readFileSync(path.join(fresh, 'seven', file)).equals(readFileSync(path.join(fresh, 'seven-again', file))), file).toBe(true);
    }
  });

  it('are valid, canonical, of every kind in its share, and no two have one natural key', () => {
    const manifest = write('checked', 2000, 7);
    const seen = new Set<string>();
    const counts = new Map<string, number>();
    let bytes = 0;
    for (const { path: file, records } of manifest.files.filter((one) => one.path.endsWith('.ndjson'))) {
      const text = readFileSync(path.join(fresh, 'checked', file), 'utf8');
      bytes += Buffer.byteLength(text);
      const lines = text.trimEnd().split('\n');
      expect(lines.length, file).toBe(records);
      for (const line of lines) {
        const { kind, data, ...more } = JSON.parse(line) as { kind: string; data: JsonObject };
        expect(more).toEqual({});
        expect(canonicalize({ kind, data })).toBe(line);
        expect(validateRecord(kind, 1, data).problems, line).toEqual([]);
        seen.add(`${kind} ${recordFacts(kind, 1, data).naturalKey}`);
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
    }
    expect(seen.size).toBe(2000);
    expect(Object.fromEntries(counts)).toEqual(manifest.perKind);
    expect(manifest.perKind).toEqual({ entity: 200, qualification: 400, performance: 500, personnel: 400, credit: 300, project: 140, supervision: 60 });
    expect(manifest.bytes).toBe(bytes);
    expect(manifest.averageBytes).toBe(Math.round(bytes / 2000));
  });

  it('are about a few large owners and many small ones, all named', () => {
    write('owners', 2000, 7);
    const { owners } = JSON.parse(readFileSync(path.join(fresh, 'owners', 'owners.json'), 'utf8')) as { owners: { uscc: string; name: string; records: number }[] };
    for (const { uscc, name } of owners) {
      expect(checkUscc(uscc)).toEqual({ ok: true, warnings: [] });
      expect(name).toContain('示例');
    }
    const bySize = owners.map(({ records }) => records).sort((left, right) => right - left);
    const all = bySize.reduce((sum, records) => sum + records, 0);
    expect(bySize.slice(0, owners.length / 10).reduce((sum, records) => sum + records, 0)).toBeGreaterThan(0.3 * all);
    expect(bySize[0]).toBeLessThan(0.4 * all);
  });

  it.each([[['--records', '12']], [['--records', 'many']], [['--seed', '-1']], [['--colour', 'red']], [[]], [['--out', root]]])('refuse %j in two languages and write nothing', (flags) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...(flags.includes('--out') || flags.length === 0 ? flags : [...flags, '--out', path.join(fresh, 'refused')])], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/[a-z].*[\u4e00-\u9fff].*\n.*--help/);
    expect(readdirSync(fresh)).not.toContain('refused');
  });
});
