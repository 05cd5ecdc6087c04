import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as protocol from '@huilian/protocol';
import { expect, it } from 'vitest';
import { vectorItems } from '../../sdk/protocol/test/run-vectors.js';

const folder = new URL('../../tests/vectors/', import.meta.url);

function casesIn(side: 'valid' | 'invalid'): number {
  const counts = Object.keys(vectorItems(protocol)).map((item) => (JSON.parse(readFileSync(new URL(`${side}/${item}.json`, folder), 'utf8')) as { cases: unknown[] }).cases.length);
  return counts.reduce((total, count) => total + count, 0);
}

// Needs the build (npm test builds first); a process of its own, since this one resolves packages to their sources.
it('the compiled protocol, required from CommonJS, comes to what every one of its vectors says', async () => {
  const program = fileURLToPath(new URL('required-protocol.cjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--experimental-strip-types', '--disable-warning=ExperimentalWarning', program], {
    env: { PATH: process.env['PATH'] },
  });
  expect(JSON.parse(stdout)).toEqual({ valid: casesIn('valid'), invalid: casesIn('invalid'), failed: [] });
  expect(casesIn('invalid')).toBeGreaterThan(100);
});
