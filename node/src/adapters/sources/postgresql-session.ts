import { readFileSync } from 'node:fs';
import { Client, DatabaseError, type ClientConfig } from 'pg';
import { ProtocolError } from '@huilian/protocol';

export interface PostgresqlAccess {
  /** Name or address of the server, or the folder of its socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly passwordFile?: string;
  readonly tls?: { readonly caFile?: string; readonly verify: boolean };
  readonly statementMilliseconds: number;
  readonly lockMilliseconds: number;
}

export type Cell = string | null;

const connectMilliseconds = 10_000;
/** What the platform's own operators see in pg_stat_activity. */
const applicationName = 'huilian';

/** A connection that can only read: every statement is a short read-only transaction of its own, with its own time limits. */
export class PostgresqlSession {
  private constructor(
    private readonly client: Client,
    private readonly access: PostgresqlAccess,
  ) {}

  /** @throws SOURCE_UNAVAILABLE, CONFIG_INVALID */
  public static async open(access: PostgresqlAccess): Promise<PostgresqlSession> {
    const client = new Client(clientConfig(access));
    // A connection that ends while nothing is asked of it would end the process otherwise; the next statement tells.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return new PostgresqlSession(client, access);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw postgresqlFailure(error);
    }
  }

  /** Rows of text cells. It holds nothing of the platform's tables but ACCESS SHARE, and that only while it runs. @throws SOURCE_UNAVAILABLE, SOURCE_CHANGED, SOURCE_UNREADABLE */
  public async rows(sql: string, values: readonly unknown[] = []): Promise<readonly (readonly Cell[])[]> {
    const { lockMilliseconds, statementMilliseconds } = this.access;
    try {
      await this.client.query(`BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${String(statementMilliseconds)}; SET LOCAL lock_timeout = ${String(lockMilliseconds)}; SET LOCAL idle_in_transaction_session_timeout = ${String(statementMilliseconds)}; SET LOCAL datestyle = 'ISO, YMD'`);
      const { rows } = await this.client.query<Cell[]>({ rowMode: 'array', text: sql, values: [...values] });
      await this.client.query('COMMIT');
      return rows;
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => undefined);
      throw postgresqlFailure(error);
    }
  }

  /** Payloads of notifications on a channel, until the signal or the connection's end. @throws SOURCE_UNAVAILABLE */
  public async listen(channel: string, signal: AbortSignal, onPayload: (payload: string) => void, onListening: () => void): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.client.once('error', reject);
      this.client.once('end', () => { reject(new Error('connection ended')); });
      signal.addEventListener('abort', () => { resolve(); }, { once: true });
    });
    ended.catch(() => undefined);
    this.client.on('notification', ({ payload }) => { onPayload(payload ?? ''); });
    try {
      await this.client.query(`LISTEN ${quoted(channel)}`);
      onListening();
      await ended;
    } catch (error) {
      throw postgresqlFailure(error);
    }
  }

  public async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** An identifier as SQL takes it, whatever it holds. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function clientConfig({ database, host, passwordFile, port, tls, user }: PostgresqlAccess): ClientConfig {
  return {
    application_name: applicationName, connectionTimeoutMillis: connectMilliseconds, database, host, keepAlive: true, port, user,
    ...(passwordFile === undefined ? {} : { password: readSecret(passwordFile, 'passwordFile') }),
    ssl: tls === undefined ? false : { rejectUnauthorized: tls.verify, ...(tls.caFile === undefined ? {} : { ca: readSecret(tls.caFile, 'tls/caFile') }) },
  };
}

/** Read each time: a changed password needs no restart. @throws CONFIG_INVALID */
export function readSecret(file: string, field: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new ProtocolError('CONFIG_INVALID', { path: `/sources/…/${field}`, reason: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}

/** What each SQLSTATE means for who looks after the source. */
const states: readonly (readonly [pattern: RegExp, code: 'SOURCE_CHANGED' | 'SOURCE_UNAVAILABLE' | 'SOURCE_UNREADABLE', reason: string])[] = [
  [/^42703$/, 'SOURCE_CHANGED', 'column-missing'],
  [/^42P01$/, 'SOURCE_CHANGED', 'table-missing'],
  [/^(?:22|42804|42883|42846)/, 'SOURCE_CHANGED', 'column-of-another-type'],
  [/^42501$/, 'SOURCE_UNREADABLE', 'no-right-to-read'],
  [/^28/, 'SOURCE_UNAVAILABLE', 'sign-in-refused'],
  [/^3D000$/, 'SOURCE_UNAVAILABLE', 'no-such-database'],
  [/^53300$/, 'SOURCE_UNAVAILABLE', 'too-many-connections'],
  [/^55P03$/, 'SOURCE_UNAVAILABLE', 'lock-timeout'],
  [/^57014$/, 'SOURCE_UNAVAILABLE', 'statement-timeout'],
  [/^(?:08|57P|25P03|58)/, 'SOURCE_UNAVAILABLE', 'connection-ended'],
  [/^(?:40|53|54)/, 'SOURCE_UNAVAILABLE', 'database-busy'],
];

/** An error of the database by its SQLSTATE; its own words may hold values of rows and are left out. */
function postgresqlFailure(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof DatabaseError) {
    const state = error.code ?? '';
    const [, code, reason] = states.find(([pattern]) => pattern.test(state)) ?? [/^/, 'SOURCE_UNREADABLE' as const, 'refused-by-the-database'];
    return new ProtocolError(code, { reason, sqlState: state });
  }
  return new ProtocolError('SOURCE_UNAVAILABLE', { reason: (error as NodeJS.ErrnoException | null)?.code ?? 'connection-ended' });
}
