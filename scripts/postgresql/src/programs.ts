import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';

type ProgramName = 'initdb' | 'pgbench' | 'postgres' | 'psql';

const neededToStart: readonly ProgramName[] = ['initdb', 'postgres'];
/** Where Debian puts each version's; they are not on PATH there. */
const versions = '/usr/lib/postgresql';

/** Folders the programs may lie in, first first: those of PG_BIN alone where it is set (as in PATH, several). */
function folders(environment: NodeJS.ProcessEnv): readonly string[] {
  const given = split(environment['PG_BIN']);
  return given.length > 0 ? given : [...split(environment['PATH']), ...configured(environment), ...installed()];
}

function split(list: string | undefined): string[] {
  return (list ?? '').split(path.delimiter).filter((folder) => folder !== '');
}

function configured(environment: NodeJS.ProcessEnv): string[] {
  try {
    return [execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', env: environment, stdio: ['ignore', 'pipe', 'ignore'] }).trim()];
  } catch {
    return [];
  }
}

/** Newest first. */
function installed(): string[] {
  try {
    return readdirSync(versions).sort((one, other) => Number(other) - Number(one)).map((version) => path.join(versions, version, 'bin'));
  } catch {
    return [];
  }
}

function locate(name: ProgramName, places: readonly string[]): string | undefined {
  return places.map((folder) => path.resolve(folder, name)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Names of what a server needs and is not to be found. */
export function missingPrograms(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  const places = folders(environment);
  return neededToStart.filter((name) => locate(name, places) === undefined);
}

/** Path of one of PostgreSQL's programs: on PG_BIN, else PATH, else where `pg_config` says, else where Debian puts it. */
export function programOf(name: ProgramName, environment: NodeJS.ProcessEnv = process.env): string {
  const found = locate(name, folders(environment));
  if (found === undefined) throw new Error(`${name} of PostgreSQL is not on PG_BIN or PATH / 未找到 PostgreSQL 的 ${name}`);
  return found;
}
