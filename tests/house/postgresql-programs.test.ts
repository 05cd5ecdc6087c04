import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { missingPrograms, programOf } from '@huilian/local-postgresql';

function folderWith(...programs: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'huilian-programs-'));
  onTestFinished(() => { rmSync(folder, { force: true, recursive: true }); });
  for (const name of programs) {
    writeFileSync(path.join(folder, name), '#!/bin/sh\n');
    chmodSync(path.join(folder, name), 0o755);
  }
  return folder;
}

it('PostgreSQL is looked for on PG_BIN alone where it is set, and what is missing is named', () => {
  const [one, other] = [folderWith('initdb'), folderWith('postgres', 'pgbench')];
  expect(missingPrograms({ ...process.env, PG_BIN: one })).toEqual(['postgres']);
  expect(missingPrograms({ ...process.env, PG_BIN: `${one}${path.delimiter}${other}` })).toEqual([]);
  expect(programOf('pgbench', { PG_BIN: other })).toBe(path.join(other, 'pgbench'));
  expect(() => programOf('psql', { PG_BIN: other })).toThrow(/psql.*PG_BIN.*未找到/);
});

it('else on PATH, or where pg_config says', () => {
  const [onPath, programs] = [folderWith('pg_config', 'initdb'), folderWith('postgres')];
  writeFileSync(path.join(onPath, 'pg_config'), `#!/bin/sh\necho ${programs}\n`);
  expect(programOf('initdb', { PATH: onPath })).toBe(path.join(onPath, 'initdb'));
  expect(programOf('postgres', { PATH: onPath })).toBe(path.join(programs, 'postgres'));
});
