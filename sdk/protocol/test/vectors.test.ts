import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import { runVectors, vectorItems } from './run-vectors.js';

const folder = new URL('../../../tests/vectors/', import.meta.url);

runVectors(protocol, { describe, it, expect }, folder);

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
      .filter((name) => /\.test\.tsx?$/.test(name) && !name.includes('node_modules'))
      .map((name) => readFileSync(new URL(name, new URL(room, root)), 'utf8')),
  );
}
