import { limits, ProtocolError } from '@huilian/protocol';
import { quoted, type Cell, type PostgresqlSession } from './postgresql-session.js';

export interface TableSettings {
  readonly table: string;
  readonly key: readonly string[];
  readonly columns?: readonly string[];
  readonly watermark?: { readonly column: string; readonly overlap: number };
  readonly pageRows: number;
}

/** A row as a page brings it. */
export interface TableRow {
  readonly key: readonly string[];
  /** Text of the watermark; undefined where there is none. */
  readonly watermark: string | undefined;
  /** Undefined for a row that is too long. */
  readonly row: Readonly<Record<string, string>> | undefined;
}

/** How a watermark grows. */
export interface WatermarkColumn {
  readonly column: string;
  readonly sqlType: string;
  readonly isTime: boolean;
}

/** Where the database stands before a pass. */
export interface Standing {
  /** Highest watermark; undefined in an empty table. */
  readonly highest: string | undefined;
  /** The same, but not ahead of the database's clock: where the next pass may begin. */
  readonly safe: string | undefined;
  /** Milliseconds that the highest is ahead of that clock; 0 where it is not. */
  readonly ahead: number;
  /** The database's clock, Unix milliseconds. */
  readonly now: number;
}

/** A table or view as it is now, and the statements that read it. */
export class PostgresqlTable {
  private constructor(
    private readonly session: PostgresqlSession,
    private readonly settings: TableSettings,
    private readonly name: string,
    /** Those that are read. */
    public readonly columns: readonly string[],
    public readonly watermark: WatermarkColumn | undefined,
    /** The account could write to the table. */
    public readonly mayWrite: boolean,
  ) {}

  /** @param before columns that were there when reading began @throws SOURCE_CHANGED {reason, column} where one is gone */
  public static async open(session: PostgresqlSession, settings: TableSettings, before: readonly string[] | undefined): Promise<PostgresqlTable> {
    const name = settings.table.split('.').map(quoted).join('.');
    const found = await session.rows('SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typcategory::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum', [name]);
    if (found.length === 0) throw new ProtocolError('SOURCE_CHANGED', { reason: 'table-missing' });
    const types = new Map(found.map(([column, type, category]) => [column ?? '', { category: category ?? '', type: type ?? '' }]));
    const columns = settings.columns ?? before ?? [...types.keys()];
    const wanted = [...settings.key, ...columns, ...(settings.watermark === undefined ? [] : [settings.watermark.column])];
    const missing = wanted.find((column) => !types.has(column));
    if (missing !== undefined) throw new ProtocolError('SOURCE_CHANGED', { reason: 'column-missing', column: missing });
    const [[insert] = []] = await session.rows("SELECT (has_table_privilege(to_regclass($1), 'INSERT') OR has_table_privilege(to_regclass($1), 'UPDATE') OR has_table_privilege(to_regclass($1), 'DELETE'))::text", [name]);
    return new PostgresqlTable(session, settings, name, columns, watermarkOf(settings, types), insert === 'true');
  }

  /** A page in the order of the key, from behind a row on. */
  public async byKey(after: readonly string[] | undefined): Promise<readonly TableRow[]> {
    const { key } = this.settings;
    return await this.page(after === undefined ? 'true' : `(${list(key)}) > (${parameters(key.length)})`, list(key), after ?? []);
  }

  /** Rows with these keys. */
  public async withKeys(keys: readonly (readonly string[])[]): Promise<readonly TableRow[]> {
    const { key } = this.settings;
    if (keys.length === 0) return [];
    const tuples = keys.map((_, index) => `(${parameters(key.length, index * key.length)})`).join(', ');
    return await this.page(`(${list(key)}) IN (${tuples})`, list(key), keys.flat());
  }

  /** A page in the order of watermark and key, up to a watermark: from one on, or from behind a row on. */
  public async byWatermark({ column }: WatermarkColumn, to: string, from: { readonly watermark: string; readonly key?: readonly string[] }): Promise<readonly TableRow[]> {
    const { key } = this.settings;
    const order = `${quoted(column)}, ${list(key)}`;
    const behind = from.key === undefined ? `${quoted(column)} >= $2` : `(${order}) > (${parameters(key.length + 1, 1)})`;
    return await this.page(`${quoted(column)} <= $1 AND ${behind}`, order, [to, from.watermark, ...(from.key ?? [])]);
  }

  public async standing(watermark: WatermarkColumn | undefined): Promise<Standing> {
    const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text";
    if (watermark === undefined) {
      const [[at] = []] = await this.session.rows(`SELECT ${now}`);
      return { ahead: 0, highest: undefined, now: Number(at), safe: undefined };
    }
    const highest = `max(${quoted(watermark.column)})`;
    const clock = `clock_timestamp()::${watermark.sqlType}`;
    const safe = watermark.isTime ? `least(${highest}, ${clock})` : highest;
    const ahead = watermark.isTime ? `greatest(0, extract(epoch FROM (${highest})::timestamp - (${clock})::timestamp) * 1000)::bigint` : '0';
    const [[top, reached, early, at] = []] = await this.session.rows(`SELECT ${highest}::text, (${safe})::text, coalesce(${ahead}, 0)::text, ${now} FROM ${this.name}`);
    return { ahead: Number(early ?? 0), highest: top ?? undefined, now: Number(at), safe: (top ?? undefined) === undefined ? undefined : (reached ?? undefined) };
  }

  /** Where a pass begins that overlaps with the one before: never ahead of the database's clock. */
  public async overlapped({ isTime, sqlType }: WatermarkColumn, safe: string, overlap: number): Promise<string> {
    const sql = isTime ? `SELECT (least($1::${sqlType}, clock_timestamp()::${sqlType}) - make_interval(secs => $2::double precision))::${sqlType}::text` : `SELECT ($1::numeric - $2::numeric)::text`;
    const [[from] = []] = await this.session.rows(sql, [safe, overlap]);
    return from ?? safe;
  }

  /** Every cell as text; a row that is too long comes without its cells, so that none is ever too much for this process. */
  private async page(condition: string, order: string, values: readonly unknown[]): Promise<readonly TableRow[]> {
    const { key, pageRows } = this.settings;
    const mark = this.watermark === undefined ? [] : [`${quoted(this.watermark.column)}::text AS w`];
    const inner = [...key.map((column, index) => `${quoted(column)}::text AS k${String(index)}`), ...mark, ...this.columns.map((column, index) => `${quoted(column)}::text AS c${String(index)}`)];
    const bytes = this.columns.map((_, index) => `coalesce(octet_length(c${String(index)}), 0)`).join(' + ');
    const outer = [...key.map((_, index) => `k${String(index)}`), ...(mark.length === 0 ? [] : ['w']), `(${bytes})::text`, ...this.columns.map((_, index) => `CASE WHEN ${bytes} <= ${String(limits.recordBytes)} THEN c${String(index)} END`)];
    const rows = await this.session.rows(`SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${this.name} WHERE ${condition} ORDER BY ${order} LIMIT ${String(pageRows)}) page`, values);
    return rows.map((cells) => this.rowOf(cells));
  }

  private rowOf(cells: readonly Cell[]): TableRow {
    const keys = this.settings.key.length;
    const marks = this.watermark === undefined ? 0 : 1;
    const key = cells.slice(0, keys).map((cell) => cell ?? '');
    const isTooLong = Number(cells[keys + marks]) > limits.recordBytes;
    const from = keys + marks + 1;
    const row = isTooLong ? undefined : Object.fromEntries(this.columns.map((column, index) => [column, cells[from + index] ?? '']));
    return { key, row, watermark: marks === 0 ? undefined : (cells[keys] ?? undefined) };
  }
}

function watermarkOf({ watermark }: TableSettings, types: ReadonlyMap<string, { readonly category: string; readonly type: string }>): WatermarkColumn | undefined {
  const found = watermark && types.get(watermark.column);
  if (watermark === undefined || found === undefined) return undefined;
  if (found.category !== 'D' && found.category !== 'N') throw new ProtocolError('CONFIG_INVALID', { path: '/sources/…/watermark/column', reason: 'a column of times or numbers' });
  if (/^(?:time|interval)/.test(found.type) && !found.type.startsWith('timestamp')) throw new ProtocolError('CONFIG_INVALID', { path: '/sources/…/watermark/column', reason: 'a time of day does not grow' });
  return { column: watermark.column, isTime: found.category === 'D', sqlType: found.type };
}

function list(columns: readonly string[]): string {
  return columns.map(quoted).join(', ');
}

function parameters(count: number, before = 0): string {
  return Array.from({ length: count }, (_, index) => `$${String(before + index + 1)}`).join(', ');
}
