import pg from 'pg';
import { columnName, mirrorColumns } from '../../core/mirror/mirror-rows.js';
import type { ColumnType } from '../../core/export/kind-columns.js';
import type { MirrorTable } from '../../core/mirror/ports.js';

const types: Readonly<Record<ColumnType, string>> = { amount: 'numeric', boolean: 'boolean', date: 'date', json: 'jsonb', text: 'text', time: 'timestamptz' };
const indexes = { owner: 'owner', subject: 'subject', publisher: 'publisher, published_at' } as const;

/**
 * The tables in their schema. What people build on is a view of each kind, whose name and columns stay when a generation takes the
 * place of another; the tables behind carry the generation's number.
 */
export class MirrorSchema {
  public readonly state: string;
  private readonly schema: string;
  /** Texts of the statements that put rows, by table: they name its columns. */
  private readonly upserts = new Map<string, { readonly name: string; readonly text: string }>();

  public constructor(
    private readonly client: pg.Client,
    private readonly name: string,
  ) {
    this.schema = pg.escapeIdentifier(name);
    this.state = `${this.schema}._mirror`;
  }

  /** Within a transaction: nobody else changes what is there until its end. */
  public async lock(): Promise<void> {
    await this.client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`huilian mirror ${this.name}`]);
  }

  public async make(): Promise<void> {
    // Asking whether it is there needs no right to make one.
    const found = await this.client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [this.name]);
    if (found.rowCount === 0) await this.client.query(`CREATE SCHEMA ${this.schema}`);
    const state = await this.client.query("SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = '_mirror'", [this.name]);
    if (state.rowCount !== 0) return;
    await this.client.query(`CREATE TABLE ${this.state} (
      generation integer PRIMARY KEY, serving boolean NOT NULL, member text NOT NULL, settings text NOT NULL,
      block bigint NOT NULL DEFAULT -1, hash text NOT NULL DEFAULT '', erasures integer NOT NULL DEFAULT 0, last_erasure text NOT NULL DEFAULT '', at timestamptz NOT NULL DEFAULT now())`);
  }

  public table(kind: string, generation: number): string {
    return `${this.schema}.${pg.escapeIdentifier(tableName(kind, generation))}`;
  }

  /** Makes the table, or adds the columns that it lacks. */
  public async prepareTable(generation: number, { columns, kind }: MirrorTable): Promise<void> {
    const table = this.table(kind, generation);
    const wanted: readonly (readonly [name: string, type: string])[] = [...Object.entries(mirrorColumns), ...columns.map(({ path, type }) => [columnName(path), types[type]] as const)];
    const there = await this.columnsOf(tableName(kind, generation));
    this.upserts.delete(table);
    if (there.length === 0) {
      await this.client.query(`CREATE TABLE ${table} (${wanted.map(([name, type]) => `${pg.escapeIdentifier(name)} ${type}`).join(', ')}, PRIMARY KEY (record_id))`);
      return;
    }
    for (const [name, type] of wanted) if (!there.includes(name)) await this.client.query(`ALTER TABLE ${table} ADD COLUMN ${pg.escapeIdentifier(name)} ${type}`);
  }

  /** Puts rows, given as one JSON text; a newer version that is there stays. */
  public async upsert(kind: string, generation: number): Promise<{ readonly name: string; readonly text: string }> {
    const table = this.table(kind, generation);
    const known = this.upserts.get(table);
    if (known !== undefined) return known;
    const columns = await this.columnsOf(tableName(kind, generation));
    const set = columns.filter((name) => name !== 'record_id').map((name) => `${pg.escapeIdentifier(name)} = excluded.${pg.escapeIdentifier(name)}`).join(', ');
    const text = `INSERT INTO ${table} AS before SELECT r.* FROM json_populate_recordset(NULL::${table}, $1::json) AS r ON CONFLICT (record_id) DO UPDATE SET ${set} WHERE before.version < excluded.version`;
    const statement = { name: `${kind} ${String(generation)} ${String(columns.length)}`, text };
    this.upserts.set(table, statement);
    return statement;
  }

  /** Lets the view of each kind show the tables of a generation. They get their indexes with it: a rebuild fills them faster without. */
  public async showGeneration(generation: number): Promise<void> {
    for (const table of await this.tablesOf(generation)) {
      for (const [name, columns] of Object.entries(indexes)) await this.client.query(`CREATE INDEX IF NOT EXISTS ${pg.escapeIdentifier(`${table}_${name}`)} ON ${this.schema}.${pg.escapeIdentifier(table)} (${columns})`);
      await this.showTable(table, table.slice(0, table.lastIndexOf('__g')));
    }
  }

  public async dropTables(generation: number): Promise<void> {
    for (const table of await this.tablesOf(generation)) {
      await this.client.query(`DROP TABLE ${this.schema}.${pg.escapeIdentifier(table)}`);
    }
    this.upserts.clear();
  }

  /** Columns of a view stay in their order, and new ones follow; where one has to go, the view is made again with the rights it had. */
  private async showTable(table: string, view: string): Promise<void> {
    const [there, shown] = [await this.columnsOf(table), await this.columnsOf(view)];
    const name = `${this.schema}.${pg.escapeIdentifier(view)}`;
    const kept = shown.filter((column) => there.includes(column));
    const columns = [...kept, ...there.filter((column) => !kept.includes(column))].map((column) => pg.escapeIdentifier(column)).join(', ');
    const select = `SELECT ${columns} FROM ${this.schema}.${pg.escapeIdentifier(table)}`;
    if (kept.length === shown.length && (await this.hasSameTypes(table, view))) {
      await this.client.query(`CREATE OR REPLACE VIEW ${name} AS ${select}`);
      return;
    }
    const rights = await this.rightsOn(view);
    await this.client.query(`DROP VIEW ${name}`);
    await this.client.query(`CREATE VIEW ${name} AS ${select}`);
    for (const { grantee, privilege } of rights) await this.client.query(`GRANT ${privilege} ON ${name} TO ${grantee}`);
  }

  private async hasSameTypes(table: string, view: string): Promise<boolean> {
    const { rowCount } = await this.client.query(
      `SELECT 1 FROM pg_attribute v JOIN pg_attribute t ON t.attname = v.attname AND t.attrelid = to_regclass($2) AND NOT t.attisdropped
       WHERE v.attrelid = to_regclass($1) AND v.attnum > 0 AND NOT v.attisdropped AND v.atttypid <> t.atttypid`,
      [view, table].map((name) => `${this.schema}.${pg.escapeIdentifier(name)}`),
    );
    return rowCount === 0;
  }

  private async rightsOn(view: string): Promise<readonly { readonly grantee: string; readonly privilege: string }[]> {
    const { rows } = await this.client.query<{ grantee: string; privilege: string }>(
      `SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee, a.privilege_type AS privilege
       FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = to_regclass($1) AND a.grantee <> c.relowner`,
      [`${this.schema}.${pg.escapeIdentifier(view)}`],
    );
    return rows;
  }

  private async columnsOf(relation: string): Promise<readonly string[]> {
    const { rows } = await this.client.query<{ attname: string }>('SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum', [`${this.schema}.${pg.escapeIdentifier(relation)}`]);
    return rows.map(({ attname }) => attname);
  }

  private async tablesOf(generation: number): Promise<readonly string[]> {
    const { rows } = await this.client.query<{ relname: string }>(
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname LIKE $2 ORDER BY c.relname",
      [this.name, `%\\_\\_g${String(generation)}`],
    );
    return rows.map(({ relname }) => relname);
  }
}

function tableName(kind: string, generation: number): string {
  return `${viewName(kind)}__g${String(generation)}`;
}

function viewName(kind: string): string {
  return kind.replaceAll('-', '_');
}
