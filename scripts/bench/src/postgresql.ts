import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './consortium.js';

const programs = '/usr/lib/postgresql/15/bin';
const commands = ['initdb', 'postgres'].map((name) => path.join(programs, name));

export const hasPostgresql = (): boolean => commands.every((command) => existsSync(command));

/** A real PostgreSQL with its usual durability, on a socket of a temporary folder. It refuses to run as root, so another user does. */
export class Postgresql {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  public static async start(): Promise<Postgresql> {
    const folder = mkdtempSync(path.join(tmpdir(), 'huilian-bench-pg-'));
    const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
    const [initdb = '', postgres = ''] = commands;
    const data = path.join(folder, 'data');
    execFileSync(initdb, ['-D', data, '-U', 'bench', '-A', 'trust', '--no-locale', '-E', 'UTF8'], { ...user, cwd: folder, stdio: 'ignore' });
    const child = spawn(postgres, ['-D', data, '-k', folder, '-h', ''], { ...user, cwd: folder, stdio: 'ignore' });
    const server = new Postgresql(child, folder);
    await until(() => Promise.resolve(existsSync(path.join(folder, '.s.PGSQL.5432'))));
    await until(async () => (await server.session('SELECT 1;')).trim() === '1');
    return server;
  }

  public get pid(): number {
    return this.child.pid ?? 0;
  }

  public get connectionString(): string {
    return `postgresql://bench@/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  /** Arguments of a psql session on it. */
  public get arguments(): readonly string[] {
    return ['-X', '-q', '-A', '-t', '-h', this.folder, '-U', 'bench', '-d', 'postgres', '-v', 'ON_ERROR_STOP=1'];
  }

  public async session(sql: string): Promise<string> {
    return await Promise.resolve(execFileSync('psql', [...this.arguments, '-c', sql], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  }

  public async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGINT');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, existsUser('postgres') ? 'postgres' : 'nobody'], { encoding: 'utf8' }));
}

function existsUser(name: string): boolean {
  try {
    execFileSync('id', [name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
