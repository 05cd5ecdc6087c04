import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { NodeApi } from '../src/adapters/cli/node-api.js';
import { kindOfFile, syncFiles } from '../src/adapters/cli/sync-files.js';
import { FilesSource } from '../src/adapters/sources/file-source.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-sync-'));
const kinds = ['entity', 'credit'];

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('kind of an export file', () => {
  it.each([
    ['entity.csv', undefined, 'entity'],
    ['credit-9012-score.csv', undefined, 'credit'],
    ['2026-credit.csv', undefined, 'credit'],
    ['rows.csv', 'entity', 'entity'],
  ])('%s with --kind %s is %s', (file, chosen, kind) => {
    expect(kindOfFile(file, kinds, chosen)).toBe(kind);
  });

  it('is asked for where the name does not say', () => {
    expect(() => kindOfFile('rows.csv', kinds)).toThrow(expect.objectContaining({ code: 'CSV_INVALID' }) as Error);
  });
});

describe('a file that cannot be read', () => {
  it('is named with its reason, and what came before it is counted', async () => {
    const file = path.join(folder, 'entity.csv');
    writeFileSync(file, 'LEGAL_NAME,LEGAL_CODE,REGION_CODE\nfirst,91,440100\nLEGAL_NAME,OTHER_CODE,REGION_CODE\nsecond,91,440100\n');
    // A node that accepts whatever comes.
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      createInterface({ input: request }).on('line', (line) => response.write(`${JSON.stringify({ line: 1, recordId: `a/entity/${String((JSON.parse(line) as { source: { line: number } }).source.line)}`, version: 1, row: 1 })}\n`)).once('close', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { failure, report } = await syncFiles(new NodeApi(`http://127.0.0.1:${String(port)}`, 'a-token'), new FilesSource([{ file, kind: 'entity' }]));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(failure).toMatchObject({ code: 'SOURCE_CHANGED', details: { column: 'LEGAL_CODE', file: 'entity.csv', line: 3 } });
    expect(report).toMatchObject({ accepted: 1, refusedRows: 0, rows: 1 });
  });
});
