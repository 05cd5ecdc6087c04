import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NodeApi } from '../src/adapters/cli/node-api.js';
import { kindOfFile, syncFiles } from '../src/adapters/cli/sync-files.js';

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

describe('a file that is no CSV', () => {
  it('is named with its reason, though the stream to the node breaks with it', async () => {
    const file = path.join(folder, 'entity.csv');
    writeFileSync(file, 'LEGAL_NAME,LEGAL_CODE\nfirst,91\n"never closed,91\n');
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.flushHeaders();
      request.on('error', () => undefined).resume().once('close', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const failure: unknown = await syncFiles(new NodeApi(`http://127.0.0.1:${String(port)}`, 'a-token'), [{ file, kind: 'entity' }]).catch((error: unknown) => error);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(failure).toMatchObject({ code: 'CSV_INVALID', details: { file: 'entity.csv' } });
  });
});
