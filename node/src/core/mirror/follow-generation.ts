import { documentDigest, ProtocolError, recordId as recordIdOf } from '@huilian/protocol';
import type { EventTransaction } from '../indexing/event-transactions.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Erasure } from '../ports.js';
import type { Vault } from '../vault/vault.js';
import type { MirrorTables } from './mirror-tables.js';
import { mirrorRow, ownData } from './mirror-rows.js';
import type { MirrorChanges, MirrorGeneration, MirrorProgress, MirrorRow, MirrorSession } from './ports.js';

export interface FollowParts {
  readonly memberId: string;
  readonly readModel: ReadModel;
  readonly tables: MirrorTables;
  readonly vault: Vault;
  readonly rowsOfStep?: number;
}

/** Rows of one statement, and transactions with events of one step. */
const rowsAtOnce = 1000;
const transactionsAtOnce = 200;
/** Rows after which a step ends at the next end of a block, unless it is said otherwise. */
const usualStep = 2000;

type Put = (changes: MirrorChanges) => Promise<void>;

/** Changes of some headers, by kind, as they are put: a record once, with its newest version. */
class Gathered {
  private readonly kinds = new Map<string, { rows: Map<string, MirrorRow>; contested: [string, number][] }>();
  private count = 0;
  public total = 0;
  /** The database takes some rows while the next are made. */
  private underWay: Promise<void> = Promise.resolve();

  public constructor(private readonly put: Put) {}

  public async row(kind: string, row: MirrorRow): Promise<void> {
    const { rows } = this.of(kind);
    const before = rows.get(row.recordId);
    // Of two headers of one version the first stands.
    if (before === undefined || before.version < row.version) rows.set(row.recordId, row);
    this.count += 1;
    this.total += 1;
    if (this.count >= rowsAtOnce) await this.flush();
  }

  public contested(kind: string, recordId: string, version: number): void {
    this.of(kind).contested.push([recordId, version]);
  }

  /** Resolves when all is put. */
  public async end(): Promise<void> {
    await this.flush();
    await this.underWay;
  }

  private async flush(): Promise<void> {
    const changes = [...this.kinds].map(([kind, { contested, rows }]) => ({ kind, rows: [...rows.values()], contested, erased: [] }));
    this.kinds.clear();
    this.count = 0;
    await this.underWay;
    this.underWay = this.putAll(changes);
    // What fails is thrown where it is waited for.
    this.underWay.catch(() => undefined);
  }

  private async putAll(changes: readonly MirrorChanges[]): Promise<void> {
    for (const one of changes) await this.put(one);
  }

  private of(kind: string): { rows: Map<string, MirrorRow>; contested: [string, number][] } {
    let found = this.kinds.get(kind);
    if (found === undefined) this.kinds.set(kind, (found = { rows: new Map(), contested: [] }));
    return found;
  }
}

/**
 * Brings a generation some blocks on, in the order of the ledger, at most up to one whose kinds have their tables; undefined where it
 * is that far, and as far as the erasures.
 * Follow or rebuild, it is the same: what a table holds hangs only on the blocks and the erasures before.
 * @throws MIRROR_FAILED, STORAGE_FAILED
 */
export async function advanceGeneration(parts: FollowParts, session: MirrorSession, generation: MirrorGeneration, upTo: number): Promise<MirrorGeneration | undefined> {
  const all = parts.vault.erasures();
  const erasures = newErasures(all, generation);
  if (generation.block >= upTo && erasures.length === 0) return undefined;
  return await session.advance(generation, async (put) => {
    const gathered = new Gathered(put);
    const { block, hash } = await putBlocks(parts, gathered, generation, upTo);
    await gathered.end();
    for (const erasure of erasures) await putErasure(parts, put, erasure);
    return { block, hash, erasures: all.length, lastErasure: digestOf(all.at(-1)) };
  });
}

/** Erasures that a generation did not follow; all of them where it followed others. */
function newErasures(erasures: readonly Erasure[], { erasures: count, lastErasure }: MirrorGeneration): readonly Erasure[] {
  return digestOf(erasures[count - 1]) === lastErasure ? erasures.slice(count) : erasures;
}

function digestOf(erasure: Erasure | undefined): string {
  return erasure === undefined ? '' : documentDigest({ ...erasure });
}

/** Answers the block that is reached. */
async function putBlocks(parts: FollowParts, gathered: Gathered, { block: from, hash }: MirrorGeneration, upTo: number): Promise<Pick<MirrorProgress, 'block' | 'hash'>> {
  if (from >= upTo) return { block: from, hash };
  const { transactions } = await parts.readModel.eventTransactions(from + 1, 0, transactionsAtOnce);
  // Where there may be more, the last block may not be whole.
  const whole = transactions.length < transactionsAtOnce ? upTo : Math.min(upTo, (transactions.at(-1)?.block ?? 0) - 1);
  if (whole === from) return await putLargeBlock(parts, gathered, from + 1);
  let current = from;
  for (const transaction of transactions) {
    if (transaction.block > whole) break;
    // A block begins: all before it are in, and it may be enough.
    if (transaction.block > current && gathered.total >= (parts.rowsOfStep ?? usualStep)) return checkpoint(parts.readModel, transaction.block - 1);
    current = transaction.block;
    await putTransaction(parts, gathered, transaction);
  }
  return checkpoint(parts.readModel, whole);
}

/** A block with more transactions than are read at once. */
async function putLargeBlock(parts: FollowParts, gathered: Gathered, block: number): Promise<Pick<MirrorProgress, 'block' | 'hash'>> {
  let next = 0;
  for (;;) {
    const { transactions } = await parts.readModel.eventTransactions(block, next, transactionsAtOnce);
    const own = transactions.filter((transaction) => transaction.block === block);
    for (const transaction of own) await putTransaction(parts, gathered, transaction);
    if (own.length < transactionsAtOnce) return checkpoint(parts.readModel, block);
    next = (own.at(-1)?.transaction ?? 0) + 1;
  }
}

function checkpoint(readModel: ReadModel, block: number): Pick<MirrorProgress, 'block' | 'hash'> {
  return { block, hash: readModel.blockHash(block) ?? '' };
}

async function putTransaction({ memberId, readModel, tables, vault }: FollowParts, gathered: Gathered, { batch, block, notes, time, transaction }: EventTransaction): Promise<void> {
  if (batch !== undefined) {
    const { count, publisher, seq } = batch;
    let index = 0;
    for await (const header of readModel.headers(block, transaction, 0, count)) {
      const recordId = recordIdOf(publisher, header.kind, header.localId);
      const columns = tables.columns(header.kind);
      if (columns === undefined) throw new ProtocolError('MIRROR_FAILED', { reason: 'kind-without-table', kind: header.kind });
      if (publisher !== memberId || !vault.isErased(recordId, header.version)) {
        const data = publisher === memberId ? ownData(vault, recordId, header) : undefined;
        await gathered.row(header.kind, mirrorRow(header, { block, index, recordId, seq, time }, columns, data));
      }
      index += 1;
    }
  }
  for (const note of notes) {
    if (note.type !== 'huilian.record.contested') continue;
    const { kind = '', recordId = '', version = 0 } = note as { kind?: string; recordId?: string; version?: number };
    gathered.contested(kind, recordId, version);
  }
}

/** Records that are erased leave the tables of their kinds. */
async function putErasure({ tables }: FollowParts, put: Put, { records }: Erasure): Promise<void> {
  const kinds = new Map<string, (readonly [string, number])[]>();
  for (const record of records) {
    const kind = record[0].split('/')[1] ?? '';
    kinds.set(kind, [...(kinds.get(kind) ?? []), record]);
  }
  for (const [kind, erased] of kinds) if (tables.columns(kind) !== undefined) await put({ kind, rows: [], contested: [], erased });
}
