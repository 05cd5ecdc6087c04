import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { programOf } from './programs.js';

const startSeconds = 30;

/** A real PostgreSQL with its usual durability, on a socket of a temporary folder. It refuses to run as root, so another user does. */
export class Postgresql {
  private child: ChildProcess | undefined;

  private constructor(
    /** Of its data and its socket: a client's host. */
    public readonly folder: string,
    private readonly user: { readonly uid?: number; readonly gid?: number },
  ) {}

  public static async start(): Promise<Postgresql> {
    const folder = mkdtempSync(path.join(tmpdir(), 'huilian-pg-'));
    const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
    execFileSync(programOf('initdb'), ['-D', path.join(folder, 'data'), '-U', 'owner', '-A', 'trust', '--no-locale', '-E', 'UTF8'], { ...user, cwd: folder, stdio: 'ignore' });
    const server = new Postgresql(folder, user);
    await server.up();
    return server;
  }

  /** Of the process that all others come of; undefined while it is down. */
  public get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Where it is and as whom, as its own commands take it. */
  public get arguments(): readonly string[] {
    return ['-h', this.folder, '-U', 'owner', '-d', 'postgres'];
  }

  /** For a role of that name; `owner` may do everything. */
  public connectionString(role = 'owner'): string {
    return `postgresql://${role}@/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  public async up(): Promise<void> {
    this.child = spawn(programOf('postgres'), ['-D', path.join(this.folder, 'data'), '-k', this.folder, '-h', ''], { ...this.user, cwd: this.folder, stdio: 'ignore' });
    const until = Date.now() + startSeconds * 1000;
    for (;;) {
      try {
        await this.query('SELECT 1');
        return;
      } catch (error) {
        if (Date.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Ends it at once, whatever it does: its other processes end themselves, and the next start recovers. */
  public async kill(): Promise<void> {
    await this.end('SIGKILL');
    // The killed one leaves its socket and its lock behind.
    for (const file of ['.s.PGSQL.5432', '.s.PGSQL.5432.lock', 'data/postmaster.pid']) rmSync(path.join(this.folder, file), { force: true });
    // Its other processes notice it within a second, and hold the shared memory until then.
    const until = Date.now() + startSeconds * 1000;
    while (hasProcesses(this.folder) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  public async down(): Promise<void> {
    await this.end('SIGINT');
  }

  public async stop(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  public async query<T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.connectionString() });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<T>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  private async end(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}

/** Whether a process still works in the folder, where all of a server's do. */
function hasProcesses(folder: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
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
