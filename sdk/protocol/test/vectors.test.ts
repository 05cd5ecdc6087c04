import { readdirSync, readFileSync } from 'node:fs';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import { runVectors, vectorItems } from './run-vectors.js';

const folder = new URL('../../../tests/vectors/', import.meta.url);

runVectors(protocol, { describe, it, expect }, folder);

describe('the signatures of members in the vectors', () => {
  const compactOf = { 'access-request': 'jws', jws: 'compact', offer: 'jws', receipt: 'jws' } as const;

  it.each(Object.entries(compactOf))('hold for jose too: %s', async (item, field) => {
    const { cases } = JSON.parse(readFileSync(new URL(`valid/${item}.json`, folder), 'utf8')) as { cases: { input: Record<string, unknown> }[] };
    for (const { input } of cases) {
      const { payload } = await compactVerify(String(input[field]), await importJWK(input['key'] as protocol.Es256Key, 'ES256'));
      expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(protocol.parseJws(String(input[field]), 'REQUEST_MALFORMED').payload);
    }
  });
});

describe('catalogue of errors', () => {
  const codesOf = (stage: protocol.ErrorStage): string[] =>
    Object.entries(protocol.errorCatalogue).flatMap(([code, entry]) => (entry.stage === stage ? [code] : []));
  const files = readdirSync(new URL('invalid/', folder));
  const refused = new Set(
    files.flatMap((name) => {
      const { cases } = JSON.parse(readFileSync(new URL(`invalid/${name}`, folder), 'utf8')) as { cases: readonly { code: string }[] };
      return cases.map(({ code }) => code);
    }),
  );

  it.each(['protocol', 'ledger'] as const)('has a vector for every code of stage %s', (stage) => {
    expect(codesOf(stage).filter((code) => !refused.has(code))).toEqual([]);
  });

  it('knows every code that a vector names', () => {
    expect([...refused].filter((code) => !protocol.isErrorCode(code))).toEqual([]);
  });

  it('has a test that names every code of the stages node and client', () => {
    const named = testSources().join('\n');
    const silent = [...codesOf('node'), ...codesOf('client')].filter((code) => !new RegExp(`\\b${code}\\b`).test(named));
    expect(silent).toEqual([]);
  });

  it('has a pair of files for every item', () => {
    for (const item of Object.keys(vectorItems(protocol))) expect(files).toContain(`${item}.json`);
    expect(readdirSync(new URL('valid/', folder)).sort()).toEqual(files.sort());
  });
});

function testSources(): string[] {
  const root = new URL('../../../', import.meta.url);
  return ['chaincode/', 'examples/', 'node/', 'sdk/', 'tests/'].flatMap((room) =>
    readdirSync(new URL(room, root), { recursive: true, encoding: 'utf8' })
      // The suites of tests/e2e are split into files that a .test.ts runs.
      .filter((name) => (/\.test\.tsx?$/.test(name) || (room === 'tests/' && name.endsWith('.ts'))) && !name.includes('node_modules'))
      .map((name) => readFileSync(new URL(name, new URL(room, root)), 'utf8')),
  );
}
