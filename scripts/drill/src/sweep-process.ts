import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256Hex, utf8, type Header } from '@huilian/protocol';

/**
 * A process of the storage sweep: opens a damaged copy of a small store exactly as a node's start does, and says whether the
 * damage was detected, announced, harmless, or silent. Speaks with its parent over IPC.
 */

// The node's own code as it is built; it is no package that others may enter.
const built = (file: string): string => new URL(`../../../node/dist/${file}`, import.meta.url).href;
const { LevelStore } = (await import(built('adapters/level/level-store.js'))) as { LevelStore: { open(folder: string, options: { diskFloorBytes: number }): Promise<StoreLike> } };
const { MarkFile } = (await import(built('adapters/level/mark-file.js'))) as { MarkFile: { open(file: string): Promise<Closing> } };
const { VaultKeyFile } = (await import(built('adapters/keys/vault-key-file.js'))) as { VaultKeyFile: { create(folder: string): Promise<void>; open(folder: string): Promise<Closing> } };
const { bringUpToDate } = (await import(built('core/backup/store-format.js'))) as { bringUpToDate(store: object, backUp: () => Promise<void>): Promise<number> };
const { Outbox } = (await import(built('core/outbox/outbox.js'))) as { Outbox: { open(parts: object): Promise<OutboxLike> } };
const { ReadModel } = (await import(built('core/indexing/read-model.js'))) as { ReadModel: new (store: StoreLike) => object };
const { Vault } = (await import(built('core/vault/vault.js'))) as { Vault: new (store: StoreLike, keys: Closing, random: object, publisher: string) => VaultLike };
const { OwnRecords } = (await import(built('core/vault/own-records.js'))) as { OwnRecords: new (store: StoreLike) => RecordsLike };
const { systemClock } = (await import(built('adapters/system/system-clock.js'))) as { systemClock: object };
const { systemRandom } = (await import(built('adapters/system/system-random.js'))) as { systemRandom: object };

interface Closing {
  close(): Promise<void>;
}
interface StoreLike extends Closing {
  write(writes: readonly object[]): Promise<void>;
}
interface Draft {
  readonly from: number;
  readonly write: object;
}
interface OutboxLike {
  draft(headers: readonly Header[]): Draft;
  written(draft: Draft): void;
  covered(draft: Draft): Promise<void>;
  pendingHeader(row: number): Header | undefined;
}
interface VaultLike {
  prepare(owners: readonly (string | undefined)[]): Promise<void>;
  seal(row: number, recordId: string, record: object): object;
  open(recordId: string, version: number): { readonly segment: string };
}
interface RecordsLike {
  put(recordId: string, record: object): object;
  read(recordId: string): object | undefined;
}

/** One damage: a byte of a file changed, or a file cut to a length. */
interface Damage {
  readonly file: string;
  readonly at: number;
  readonly how: 'flip' | 'cut';
}
/** `ended`: LevelDB ended the process. */
export type Verdict = 'ended' | 'refused' | 'announced' | 'unreadable' | 'harmless' | 'silent';

const publisher = 'river';
const groups = 4;
const rowsPerGroup = 8;
const owner = 'org:91440105MA6NNHC07C';

function headerOf(row: number): Header {
  return { digest: sha256Hex(utf8(`row ${String(row)}`)), kind: 'credit', localId: `${'a'.repeat(22)}${String(row).padStart(4, '2')}`.replace(/[^a-z2-7]/g, 'b'), owner, rights: 'owner', schema: 1, status: 'active', subject: owner, version: 1 };
}
const recordIdOf = (row: number): string => `${publisher}/credit/${String(row)}`;
const recordOf = (row: number): object => ({ data: sha256Hex(utf8(`data ${String(row)}`)), owner, rights: 'owner', schema: 1, status: 'active', subject: owner, versions: [[1, row]] });
const segmentOf = (row: number): string => `segment of row ${String(row)} `.repeat(8);

interface OpenedState {
  readonly outbox: OutboxLike;
  readonly vault: VaultLike;
  readonly records: RecordsLike;
  readonly store: StoreLike;
  readonly alarms: readonly string[];
  close(): Promise<void>;
}

/** What the start of a node does with its files, in its order. */
async function openState(folder: string): Promise<OpenedState> {
  const open: Closing[] = [];
  const close = async (): Promise<void> => {
    for (const one of open.reverse()) await one.close();
  };
  try {
    const keys = await VaultKeyFile.open(path.join(folder, 'vault-keys'));
    open.push(keys);
    const store = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    open.push(store);
    // Nothing older is in it that would want a backup before it is converted.
    await bringUpToDate(store, () => Promise.resolve());
    const mark = await MarkFile.open(path.join(folder, 'outbox.hwm'));
    open.push(mark);
    const vault = new Vault(store, keys, systemRandom, publisher);
    const alarms: string[] = [];
    const outbox = await Outbox.open({ clock: systemClock, mark, maxHeaders: 1000, onAlarm: ({ code }: { code: string }) => { alarms.push(code); }, publisher, readModel: new ReadModel(store), store, vault });
    return { alarms, close, outbox, records: new OwnRecords(store), store, vault };
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await VaultKeyFile.create(path.join(folder, 'vault-keys'));
  for (let group = 0; group < groups; group += 1) {
    const { close, outbox, records, store, vault } = await openState(folder);
    const rows = Array.from({ length: rowsPerGroup }, (_, index) => group * rowsPerGroup + index + 1);
    await vault.prepare([owner]);
    const draft = outbox.draft(rows.map(headerOf));
    const sealed = rows.map((row) => vault.seal(row, recordIdOf(row), { segment: segmentOf(row), disclosures: {}, header: headerOf(row) }));
    await store.write([...rows.map((row) => records.put(recordIdOf(row), recordOf(row))), ...sealed, draft.write]);
    outbox.written(draft);
    await outbox.covered(draft);
    await close();
  }
}

async function check(folder: string): Promise<Verdict> {
  let state: OpenedState;
  try {
    state = await openState(folder);
  } catch {
    return 'refused';
  }
  try {
    return state.alarms.length > 0 ? 'announced' : compare(state);
  } catch (error) {
    // A coded error at the first use: nothing wrong is handed out.
    return (error as { code?: string }).code === undefined ? 'silent' : 'unreadable';
  } finally {
    await state.close();
  }
}

function compare({ outbox, records, vault }: OpenedState): Verdict {
  for (let row = 1; row <= groups * rowsPerGroup; row += 1) {
    if (JSON.stringify(outbox.pendingHeader(row)) !== JSON.stringify(headerOf(row))) return 'silent';
    // A record row that is gone answers NOT_FOUND here, and the audit names it.
    if (vault.open(recordIdOf(row), 1).segment !== segmentOf(row)) return 'silent';
    if (JSON.stringify(records.read(recordIdOf(row))) !== JSON.stringify(recordOf(row))) return 'silent';
  }
  return 'harmless';
}

async function judgeDamage(base: string, work: string, { at, file, how }: Damage): Promise<Verdict> {
  rmSync(work, { recursive: true, force: true });
  cpSync(base, work, { recursive: true });
  const target = path.join(work, file);
  if (how === 'cut') truncateSync(target, at);
  else {
    const bytes = Uint8Array.from(readFileSync(target));
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(target, bytes);
  }
  return await check(work);
}

function filesOf(folder: string): { readonly file: string; readonly bytes: number }[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.map((file) => ({ file, stat: statSync(path.join(folder, file)) })).filter(({ stat }) => stat.isFile()).map(({ file, stat }) => ({ file, bytes: stat.size }));
}

process.on('message', (order: { readonly build?: string; readonly base?: string; readonly work?: string; readonly damage?: Damage }) => {
  void (async () => {
    if (order.build !== undefined) {
      await build(order.build);
      const untouched = await check(order.build);
      process.send?.({ files: filesOf(order.build), untouched });
      return;
    }
    if (order.damage !== undefined) process.send?.({ verdict: await judgeDamage(order.base ?? '', order.work ?? '', order.damage) });
  })();
});
process.on('disconnect', () => { process.exit(0); });
