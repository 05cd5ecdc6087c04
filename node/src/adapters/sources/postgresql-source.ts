import { setTimeout as delay } from 'node:timers/promises';
import type { Position, Reading, Source, SourcePart, SourceRow } from '../../core/sync/source.js';
import { Wakeup } from '../../core/wakeup.js';
import { Pace } from './pace.js';
import { PostgresqlSession, type PostgresqlAccess } from './postgresql-session.js';
import { PostgresqlTable, type Standing, type TableRow, type TableSettings, type WatermarkColumn } from './postgresql-table.js';

export interface PostgresqlSettings extends PostgresqlAccess, TableSettings {
  /** Name of the source, by which its rows are told. */
  readonly name: string;
  readonly notify?: string;
  readonly rowsPerSecond: number;
  /** All rows are read again after so many hours, for what no watermark told; 0 for never. */
  readonly fullEveryHours: number;
}

/** How far the table was read. */
interface TablePosition {
  /** In the order of the key all rows, then in the order of the watermark what changed. */
  readonly phase: 'changes' | 'notified' | 'snapshot';
  readonly columns: readonly string[];
  /** Rows given so far since the snapshot began. */
  readonly count: number;
  /** Behind which row; absent at the beginning of a pass. */
  readonly after?: { readonly key: readonly string[]; readonly watermark?: string };
  /** Where the next pass begins, less the overlap. */
  readonly safe?: string;
  /** To where this pass goes. */
  readonly to?: string;
  /** When the pass began by the database's clock and by this machine's, and when the last snapshot did: Unix milliseconds. */
  readonly database: number;
  readonly machine: number;
  readonly full: number;
}

const hour = 3_600_000;
const gatherMilliseconds = 300;
/** Clocks that drift less are left alone. */
const mostDrift = 5000;
/** More rows that changed at once are found faster by reading all. */
const mostNotified = 10_000;

/**
 * Reads a table of a running platform without being felt: a page at a time in a transaction of its own, so that no snapshot
 * is held for long, at a bounded rate. First all rows by key, then what changed by watermark or by notification. Rows that
 * come twice by this are known by their content.
 */
export class PostgresqlSource implements Source {
  /** Keys that were notified and not read yet, each with a number that tells a later notification from an earlier one. */
  private readonly notified = new Map<string, { readonly key: readonly string[]; readonly turn: number }>();
  private turn = 0;
  /** How often notifications may have been missed, and how often all rows were read because of it. */
  private missed = 1;
  private caughtUp = 0;
  /** Where `missed` stood when the snapshot of this process began. */
  private snapshotAt: number | undefined;

  public constructor(
    private readonly settings: PostgresqlSettings,
    private readonly now: () => number = Date.now,
  ) {}

  public async *parts(from: Position | undefined, reading: Reading): AsyncGenerator<SourcePart> {
    const session = await PostgresqlSession.open(this.settings);
    try {
      const position = from as unknown as TablePosition | undefined;
      const table = await PostgresqlTable.open(session, this.settings, position?.columns);
      if (table.mayWrite) reading.warn({ code: 'account-may-write', details: { source: this.settings.name } });
      yield* this.partsOf(table, position, reading);
    } finally {
      await session.close();
    }
  }

  public async *changes(signal: AbortSignal): AsyncGenerator<void> {
    const { notify } = this.settings;
    if (notify === undefined) return;
    const session = await PostgresqlSession.open(this.settings);
    const something = new Wakeup();
    let hasEnded = false;
    const onPayload = (payload: string): void => { this.note(payload); something.wake(); };
    // What was said before this connection listened is lost.
    const onListening = (): void => { this.missed += 1; something.wake(); };
    try {
      const listening = session.listen(notify, signal, onPayload, onListening).finally(() => { hasEnded = true; something.wake(); });
      listening.catch(() => undefined);
      while (!signal.aborted) {
        await something.wait(signal);
        if (hasEnded) break;
        // What comes at once is read at once.
        await delay(gatherMilliseconds, undefined, { signal }).catch(() => undefined);
        yield;
      }
      await listening;
    } finally {
      await session.close();
    }
  }

  private async *partsOf(table: PostgresqlTable, position: TablePosition | undefined, reading: Reading): AsyncGenerator<SourcePart> {
    const { watermark } = table;
    const standing = await table.standing(watermark);
    const begun = this.begunSnapshot(position, watermark);
    if (begun !== undefined || position === undefined || this.isWholeDue(position, watermark)) yield this.snapshot(table, begun, standing, reading);
    else if (watermark !== undefined) yield await this.changed(table, watermark, position, standing, reading);
    else if (this.notified.size > 0) yield this.named(table, position, reading);
  }

  /** A snapshot that goes on where it stopped. By notifications alone nobody knows what changed before that place since: it begins anew. */
  private begunSnapshot(position: TablePosition | undefined, watermark: WatermarkColumn | undefined): TablePosition | undefined {
    const isSound = watermark !== undefined || this.settings.notify === undefined || this.snapshotAt !== undefined;
    return position?.phase === 'snapshot' && isSound ? position : undefined;
  }

  /** Whether all rows are to be read. */
  private isWholeDue({ full, phase, safe }: TablePosition, watermark: WatermarkColumn | undefined): boolean {
    const { fullEveryHours, notify } = this.settings;
    if (phase === 'snapshot' || (fullEveryHours > 0 && this.now() - full >= fullEveryHours * hour)) return true;
    // Of an empty table there is no watermark to begin from.
    return watermark === undefined ? notify === undefined || this.missed > this.caughtUp : safe === undefined;
  }

  private snapshot(table: PostgresqlTable, begun: TablePosition | undefined, standing: Standing, reading: Reading): SourcePart {
    const start: TablePosition = begun ?? { ...this.began(table, standing), count: 0, full: this.now(), phase: 'snapshot' };
    const next = async (after: TablePosition['after']): Promise<readonly TableRow[]> => await table.byKey(after?.key);
    const phase = table.watermark === undefined ? 'notified' : 'changes';
    if (begun === undefined) this.snapshotAt = this.missed;
    return this.part(start, next, reading, (end) => {
      this.caughtUp = Math.max(this.caughtUp, this.snapshotAt ?? 0);
      this.snapshotAt = undefined;
      return { ...end, phase };
    });
  }

  /** One pass over what changed since the one before. */
  private async changed(table: PostgresqlTable, watermark: WatermarkColumn, position: TablePosition, standing: Standing, reading: Reading): Promise<SourcePart> {
    const begun = position.after !== undefined && position.to !== undefined;
    if (standing.ahead > mostDrift) reading.warn({ code: 'watermark-ahead-of-clock', details: { source: this.settings.name, seconds: Math.round(standing.ahead / 1000) } });
    const overlap = (this.settings.watermark?.overlap ?? 0) + (watermark.isTime ? this.jumped(position, standing, reading) : 0);
    const safe = position.safe ?? standing.safe;
    const from = safe === undefined ? undefined : await table.overlapped(watermark, safe, overlap);
    const to = begun ? position.to : standing.highest;
    // Of a pass that was cut off the beginning holds on.
    const { after: _ended, ...rest } = position;
    const start: TablePosition = begun ? position : { ...rest, ...this.began(table, standing), ...(to === undefined ? {} : { to }), phase: 'changes', ...(position.safe === undefined ? {} : { safe: position.safe }) };
    const next = async (after: TablePosition['after']): Promise<readonly TableRow[]> => {
      const mark = after?.watermark ?? from;
      return to === undefined || mark === undefined ? [] : await table.byWatermark(watermark, to, { watermark: mark, ...(after === undefined ? {} : { key: after.key }) });
    };
    // Read up to here, as of the beginning of this pass: later ones begin from there.
    const reached = begun ? position.safe : (standing.safe ?? position.safe);
    return this.part(start, next, reading, (end) => ({ ...end, ...(reached === undefined ? {} : { safe: reached }) }));
  }

  /** Rows whose keys were notified. */
  private named(table: PostgresqlTable, position: TablePosition, reading: Reading): SourcePart {
    const wanted = [...this.notified];
    const { after: _none, ...start } = position;
    let given = 0;
    const next = async (): Promise<readonly TableRow[]> => {
      const keys = wanted.slice(given, given + this.settings.pageRows).map(([, { key }]) => key);
      given += keys.length;
      return keys.length === 0 ? [] : await table.withKeys(keys);
    };
    const isLast = (): boolean => given >= wanted.length;
    return this.part({ ...start, phase: 'notified' }, next, reading, (end) => {
      for (const [name, { turn }] of wanted) if (this.notified.get(name)?.turn === turn) this.notified.delete(name);
      return end;
    }, isLast);
  }

  private part(start: TablePosition, next: (after: TablePosition['after']) => Promise<readonly TableRow[]>, reading: Reading, finish: (end: TablePosition) => TablePosition, isLast?: () => boolean): SourcePart {
    const { name, pageRows, rowsPerSecond } = this.settings;
    const pace = new Pace(rowsPerSecond);
    let at = start;
    return {
      name,
      end: () => {
        const { after: _done, to: _reached, ...rest } = at;
        return finish(rest) as unknown as Position;
      },
      rows: async function* rows(): AsyncGenerator<readonly SourceRow[]> {
        while (!reading.signal.aborted) {
          const page = await next(at.after);
          const given = page.map(({ key, row, watermark }): SourceRow => {
            at = { ...at, after: { key, ...(watermark === undefined ? {} : { watermark }) }, count: at.count + 1 };
            return { place: { file: name, line: at.count, run: String(at.full) }, position: at as unknown as Position, ...(row === undefined ? { fault: 'ROW_TOO_LONG' as const } : { row }) };
          });
          if (given.length > 0) yield given;
          if (isLast?.() ?? page.length < pageRows) return;
          await pace.took(page.length, reading.signal);
        }
      },
    };
  }

  private began(table: PostgresqlTable, { now, safe }: Standing): Pick<TablePosition, 'columns' | 'database' | 'machine' | 'safe'> {
    return { columns: table.columns, database: now, machine: this.now(), ...(safe === undefined ? {} : { safe }) };
  }

  /** Seconds by which the database's clock was set since the last pass: so much further back changes may lie. */
  private jumped({ database, machine }: TablePosition, { now }: Standing, reading: Reading): number {
    const jump = Math.abs(now - database - (this.now() - machine));
    if (jump <= mostDrift) return 0;
    reading.warn({ code: 'clock-jumped', details: { source: this.settings.name, seconds: Math.round(jump / 1000) } });
    return Math.ceil(jump / 1000);
  }

  /** A payload is the key: plain, or of several columns a JSON list. What is neither, or too much, has all rows read. */
  private note(payload: string): void {
    const key = keyOf(payload, this.settings.key.length);
    this.turn += 1;
    if (this.settings.watermark !== undefined) return;
    if (key === undefined || this.notified.size >= mostNotified) {
      this.missed += 1;
      this.notified.clear();
    } else this.notified.set(JSON.stringify(key), { key, turn: this.turn });
  }
}

function keyOf(payload: string, columns: number): readonly string[] | undefined {
  if (columns === 1 && payload !== '' && !payload.startsWith('[')) return [payload];
  try {
    const key = JSON.parse(payload) as unknown;
    return Array.isArray(key) && key.length === columns && key.every((part) => typeof part === 'string' || typeof part === 'number') ? key.map(String) : undefined;
  } catch {
    return undefined;
  }
}
