import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { vectorItems } from '../../sdk/protocol/test/run-vectors.js';
import * as protocol from '@huilian/protocol';

// Contracts are CommonJS and load the compiled protocol with require(): a process of their own does exactly that.
const folder = new URL('../../tests/vectors/', import.meta.url);

function casesOn(side: 'valid' | 'invalid'): number {
  const items = new Set(Object.keys(vectorItems(protocol)).map((item) => `${item}.json`));
  const files = readdirSync(new URL(side, folder)).filter((name) => items.has(name));
  return files.reduce((sum, name) => sum + (JSON.parse(readFileSync(new URL(`${side}/${name}`, folder), 'utf8')) as { cases: unknown[] }).cases.length, 0);
}

describe('the compiled protocol in a CommonJS process', () => {
  it('answers every vector', () => {
    // Node 22 strips types only when asked; later versions take the flag and do so anyway.
    const argv = ['--experimental-strip-types', '--no-warnings', 'test/answer-vectors.cjs'];
    const cwd = new URL('../', import.meta.url);
    const answer = JSON.parse(execFileSync(process.execPath, argv, { cwd, encoding: 'utf8' })) as { module: string; valid: number; invalid: number; failures: string[] };
    expect(answer.failures).toEqual([]);
    expect(answer.module).toMatch(/protocol[\\/]dist[\\/]index\.js$/);
    expect({ valid: answer.valid, invalid: answer.invalid }).toEqual({ valid: casesOn('valid'), invalid: casesOn('invalid') });
  });
});
