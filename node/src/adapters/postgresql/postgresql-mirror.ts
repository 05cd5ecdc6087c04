import pg from 'pg';
import { ProtocolError } from '@huilian/protocol';
import type { MirrorChanges, MirrorDatabase, MirrorGeneration, MirrorProgress, MirrorSession, MirrorTable } from '../../core/mirror/ports.js';
import { databaseError } from './database-errors.js';
import { MirrorSchema } from './mirror-schema.js';

export interface PostgresqlMirrorOptions {
  /** An address as PostgreSQL's own programs take it, with all that signing in needs. */
  readonly connectionString: string;
  /** Schema of its own, made where it is not there. */
  readonly schema: string;
  readonly memberId: string;
}

const connectMilliseconds = 10_000;
/** A statement that takes longer is given up, and the transaction with it: all of it is tried again. */
const statementMilliseconds = 300_000;
const lockMilliseconds = 30_000;

/** The centre's own PostgreSQL. */
export class PostgresqlMirror implements MirrorDatabase {
  public constructor(private readonly options: PostgresqlMirrorOptions) {}

  public async connect(): Promise<MirrorSession> {
    const client = new pg.Client({
      connectionString: this.options.connectionString,
      application_name: 'huilian mirror',
      connectionTimeoutMillis: connectMilliseconds,
      statement_timeout: statementMilliseconds,
      lock_timeout: lockMilliseconds,
      keepAlive: true,
    });
    // A connection that ends while nothing is asked of it: the next question finds out.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await PostgresqlSession.open(client, this.options);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw databaseError(error);
    }
  }
}

interface StateRow {
  readonly generation: number;
  readonly serving: boolean;
  readonly member: string;
  readonly settings: string;
  readonly block: string;
  readonly hash: string;
  readonly erasures: number;
  readonly last_erasure: string;
}

class PostgresqlSession implements MirrorSession {
  private constructor(
    private readonly client: pg.Client,
    private readonly schema: MirrorSchema,
    private readonly memberId: string,
  ) {}

  public static async open(client: pg.Client, { memberId, schema }: PostgresqlMirrorOptions): Promise<PostgresqlSession> {
    // What a crash of the database may lose are its last transactions, checkpoint and all: they are written again.
    await client.query('SET synchronous_commit = off');
    const session = new PostgresqlSession(client, new MirrorSchema(client, schema), memberId);
    await session.changing(async () => { await session.schema.make(); });
    return session;
  }

  public async generations(): Promise<readonly MirrorGeneration[]> {
    return await this.guarded(async () => {
      const { rows } = await this.client.query<StateRow>(`SELECT * FROM ${this.schema.state} ORDER BY generation`);
      if (rows.some(({ member }) => member !== this.memberId)) throw new ProtocolError('MIRROR_FAILED', { reason: 'other-node' });
      return rows.map((row) => ({
        number: row.generation, serving: row.serving, block: Number(row.block), hash: row.hash, erasures: row.erasures, lastErasure: row.last_erasure, settings: row.settings,
      }));
    });
  }

  public async begin(number: number, serving: boolean, settings: string): Promise<MirrorGeneration> {
    return await this.changing(async () => {
      // A generation that is not shown is what a broken-off rebuild left; one that is came from another process meanwhile.
      const left = await this.client.query(`DELETE FROM ${this.schema.state} WHERE generation >= $1 AND NOT serving`, [number]);
      const others = await this.client.query(`SELECT 1 FROM ${this.schema.state} WHERE generation >= $1`, [number]);
      if (others.rowCount !== 0) throw new ProtocolError('MIRROR_FAILED', { reason: 'other-writer' });
      if (left.rowCount !== 0) await this.schema.dropTables(number);
      await this.client.query(`INSERT INTO ${this.schema.state} (generation, serving, member, settings) VALUES ($1, $2, $3, $4)`, [number, serving, this.memberId, settings]);
      return { number, serving, block: -1, hash: '', erasures: 0, lastErasure: '', settings };
    });
  }

  public async prepare({ number, serving }: MirrorGeneration, tables: readonly MirrorTable[]): Promise<void> {
    await this.changing(async () => {
      for (const table of tables) await this.schema.prepareTable(number, table);
      if (serving) await this.schema.showGeneration(number);
    });
  }

  public async advance(generation: MirrorGeneration, write: (put: (changes: MirrorChanges) => Promise<void>) => Promise<MirrorProgress>): Promise<MirrorGeneration> {
    return await this.transaction(async () => {
      const { block, erasures, hash, number } = generation;
      const { state } = this.schema;
      // Whoever else writes waits here, and then finds that it is too late.
      const held = await this.client.query(`SELECT 1 FROM ${state} WHERE generation = $1 AND block = $2 AND hash = $3 AND erasures = $4 FOR UPDATE`, [number, block, hash, erasures]);
      if (held.rowCount !== 1) throw new ProtocolError('MIRROR_FAILED', { reason: 'other-writer' });
      const reached = await write(async (changes) => { await this.put(number, changes); });
      await this.client.query(`UPDATE ${state} SET block = $2, hash = $3, erasures = $4, last_erasure = $5, at = now() WHERE generation = $1`, [number, reached.block, reached.hash, reached.erasures, reached.lastErasure]);
      return { ...generation, ...reached };
    });
  }

  public async serve(generation: MirrorGeneration): Promise<MirrorGeneration> {
    return await this.changing(async () => {
      const { number } = generation;
      await this.schema.showGeneration(number);
      await this.client.query(`UPDATE ${this.schema.state} SET serving = (generation = $1)`, [number]);
      const others = await this.client.query<{ generation: number }>(`DELETE FROM ${this.schema.state} WHERE generation <> $1 RETURNING generation`, [number]);
      for (const other of others.rows) await this.schema.dropTables(other.generation);
      return { ...generation, serving: true };
    });
  }

  public async close(): Promise<void> {
    await this.client.end();
  }

  private async put(generation: number, { contested, erased, kind, rows }: MirrorChanges): Promise<void> {
    const table = this.schema.table(kind, generation);
    if (rows.length > 0) await this.client.query({ ...(await this.schema.upsert(kind, generation)), values: [JSON.stringify(rows.map(({ values }) => values))] });
    if (contested.length > 0) {
      const [ids, versions] = columnsOf(contested);
      await this.client.query(`UPDATE ${table} AS t SET contested = true FROM unnest($1::text[], $2::int[]) AS c (id, version) WHERE t.record_id = c.id AND t.version <= c.version`, [ids, versions]);
    }
    if (erased.length > 0) {
      const [ids, versions] = columnsOf(erased);
      await this.client.query(`DELETE FROM ${table} AS t USING unnest($1::text[], $2::int[]) AS e (id, version) WHERE t.record_id = e.id AND t.version <= e.version`, [ids, versions]);
    }
  }

  /** A transaction that changes tables, and waits for others that do. */
  private async changing<T>(work: () => Promise<T>): Promise<T> {
    return await this.transaction(async () => {
      await this.schema.lock();
      return await work();
    });
  }

  private async transaction<T>(work: () => Promise<T>): Promise<T> {
    return await this.guarded(async () => {
      await this.client.query('BEGIN');
      try {
        const result = await work();
        await this.client.query('COMMIT');
        return result;
      } catch (error) {
        // Where the connection is gone this fails too, and the database has rolled back by itself.
        await this.client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw databaseError(error);
    }
  }
}

function columnsOf(pairs: readonly (readonly [string, number])[]): readonly [ids: string[], versions: number[]] {
  return [pairs.map(([id]) => id), pairs.map(([, version]) => version)];
}
