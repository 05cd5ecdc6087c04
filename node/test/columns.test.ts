import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { batchRoot, canonicalBytes, encodeBatchArgument, stateKey, type Header } from '@huilian/protocol';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { TemporaryRows } from '../src/adapters/rows/temporary-rows.js';
import { aggregate, type AggregateQuery, type Dimension } from '../src/core/columns/aggregate.js';
import { ColumnIndex } from '../src/core/columns/column-index.js';
import { headerRowBytes } from '../src/core/columns/header-rows.js';
import { monthName, monthOf } from '../src/core/columns/record-columns.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel, type IndexedRecord } from '../src/core/indexing/read-model.js';
import type { BlockTransaction, LedgerBlock } from '../src/core/ports.js';

const subjects = ['org:91440105MA6NNHC07C', 'org:91440106MABAY5U732', 'org:91110108MA01Q8F06D', ''] as const;
const centres = ['river', 'hill', 'lake'] as const;
const kinds = ['qualification', 'performance', 'project'] as const;
const start = 1_767_100_000; // The last day of 2025 in Beijing.

interface Change {
  readonly centre: number;
  readonly kind: number;
  readonly record: number;
  readonly subject: number;
  /** Publishes the same version again with another digest, revokes, or publishes the very same header again. */
  readonly what: 'next' | 'contest' | 'revoke' | 'again';
}

/** Blocks of invented batches, as the contracts would let them through: versions follow each other, and two may be contested. */
class InventedLedger {
  private readonly versions = new Map<string, Header>();
  private readonly sequences = new Map<string, number>();
  private blocks = 0;

  public block(batches: readonly (readonly Change[])[], hours: number): LedgerBlock {
    const number = this.blocks++;
    const transactions = batches.flatMap((changes, index) => this.transactions(changes, number, index, start + hours * 3600));
    return { number, hash: `hash-${String(number)}`, previousHash: number === 0 ? '' : `hash-${String(number - 1)}`, transactions };
  }

  private transactions(changes: readonly Change[], block: number, index: number, time: number): BlockTransaction[] {
    const centre = centres[changes[0]?.centre ?? 0] ?? 'river';
    // A batch has each record once.
    const once = [...new Map(changes.map((change) => [localIdOf(change), change])).values()];
    const headers = once.map((change) => this.header(centre, change));
    if (headers.length === 0) return [];
    const seq = (this.sequences.get(centre) ?? 0) + 1;
    this.sequences.set(centre, seq);
    const previous = headers.filter(({ version }) => version > 1).map((header) => ({ header, index: 0, path: [], seq: 1, size: 1 }));
    return [{
      id: `${String(block)}-${String(index)}`, code: 'VALID', time, organisation: 'InventedMSP', function: 'records:publish',
      args: [encodeBatchArgument({ headers, previous, publisher: centre, seq })],
      writes: [{ key: stateKey('batch', centre, seq), value: canonicalBytes({ count: headers.length, root: batchRoot(headers) }) }],
      response: canonicalBytes({}), proposalResponse: new Uint8Array(), endorsements: [],
    }];
  }

  private header(centre: string, change: Change): Header {
    const { kind, subject, what } = change;
    const localId = localIdOf(change);
    const name = `${centre}/${localId}`;
    const before = this.versions.get(name);
    const [named, other] = [subjects[subject] ?? '', subjects[change.record % 3] ?? ''];
    const isOwned = kinds[kind] === 'qualification' && named !== '';
    const rights = kinds[kind] === 'project' ? 'public' : isOwned ? 'owner' : 'publisher';
    const fresh: Header = { ...(isOwned ? { owner: change.record > 5 ? other : named } : {}), digest: '11'.repeat(32), kind: kinds[kind] ?? 'project', localId, rights, schema: 1, status: 'active', subject: named, version: 1 };
    const header = before === undefined ? fresh : next(before, what);
    this.versions.set(name, header);
    return header;
  }
}

function localIdOf({ kind, record }: Change): string {
  return `${'abcdefgh'.charAt(record)}${'abc'.charAt(kind)}${'a'.repeat(24)}`;
}

function next(before: Header, what: Change['what']): Header {
  const digest = (Number.parseInt(before.digest.slice(0, 2), 16) + 1).toString(16).padStart(2, '0').repeat(32);
  if (what === 'again') return before;
  if (what === 'contest') return { ...before, digest };
  return { ...before, digest, status: what === 'revoke' ? 'revoked' : before.status, version: before.version + 1 };
}

const change = fc.record<Change>({
  centre: fc.nat(2), kind: fc.nat(2), record: fc.nat(7), subject: fc.nat(3),
  what: fc.constantFrom('next', 'next', 'contest', 'revoke', 'again'),
});
const blocks = fc.array(fc.tuple(fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), { maxLength: 3 }), fc.nat(24 * 200)), { minLength: 1, maxLength: 12 });
const dimensions: readonly Dimension[] = ['publisher', 'kind', 'month', 'region', 'rights', 'status'];
const query = fc.record({
  by: fc.subarray([...dimensions]),
  filter: fc.record({
    publisher: fc.constantFrom(...centres), kind: fc.constantFrom(...kinds, 'unknown'), from: fc.constantFrom('2025-12', '2026-03'), to: fc.constantFrom('2026-01', '2026-06'),
    region: fc.constantFrom('44', '4401', '440106', '99'), rights: fc.constantFrom('public' as const, 'publisher' as const, 'owner' as const), status: fc.constantFrom('active' as const, 'revoked' as const, 'contested' as const),
  }, { requiredKeys: [] }),
  digits: fc.constantFrom(2 as const, 4 as const, 6 as const),
});

/** What a record is counted under. */
function valuesOf({ contested, header, publishedAt, recordId }: IndexedRecord): Readonly<Record<Dimension, string>> {
  const [publisher = ''] = recordId.split('/');
  return { publisher, kind: header.kind, month: monthName(monthOf(publishedAt)), region: header.subject.slice(6, 12), rights: header.rights, status: contested ? 'contested' : header.status, place: '', project: '' };
}

function fits({ contested, header, ...record }: IndexedRecord, { from = '', region = '', status, to = '9999', ...equal }: AggregateQuery['filter']): boolean {
  const values = valuesOf({ contested, header, ...record });
  const isOf = { active: header.status === 'active', revoked: header.status === 'revoked', contested };
  const isEqual = Object.entries(equal).every(([dimension, value]) => values[dimension as Dimension] === value);
  return isEqual && from <= values.month && values.month <= to && values.region.startsWith(region) && (status === undefined || isOf[status]);
}

/** The same by a plain walk over the records. */
function counted(records: readonly IndexedRecord[], { by, digits, filter }: Pick<AggregateQuery, 'by' | 'digits' | 'filter'>): Readonly<Record<string, number>> {
  const groups: Record<string, number> = {};
  for (const record of records.filter((one) => fits(one, filter))) {
    const values = valuesOf(record);
    const key = JSON.stringify(by.map((dimension) => (dimension === 'region' ? values.region.slice(0, digits) : values[dimension])));
    groups[key] = (groups[key] ?? 0) + 1;
  }
  return groups;
}

function groupsOf(index: ColumnIndex, asked: Pick<AggregateQuery, 'by' | 'digits' | 'filter'>): Readonly<Record<string, number>> {
  const { groups } = aggregate(index.columns, { ...asked, limit: 10_000, order: 'key' }, () => undefined);
  return Object.fromEntries(groups.map(({ key, records }) => [JSON.stringify(asked.by.map((dimension) => key[dimension])), records]));
}

async function allRecords(readModel: ReadModel): Promise<IndexedRecord[]> {
  const found: IndexedRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await readModel.records({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found;
}

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-columns-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

function indexOf(store: MemoryStore): ColumnIndex {
  return new ColumnIndex(store, TemporaryRows.open(path.join(folder, 'rows'), headerRowBytes));
}

/** All of a list, in pages of two. */
async function paged(readModel: ReadModel, filter: object): Promise<unknown[]> {
  const items: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await readModel.records({ ...filter, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(2);
    items.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return items;
}

describe('columns count what a walk over the records counts', () => {
  test('block by block, built at the end, and built while blocks come', async () => {
    await fc.assert(fc.asyncProperty(blocks, fc.nat(11), fc.array(query, { minLength: 4, maxLength: 8 }), async (contents, from, queries) => {
      const ledger = new InventedLedger();
      const store = new MemoryStore();
      const readModel = new ReadModel(store);
      const [signal, height] = [new AbortController().signal, (): number => readModel.height()];
      const [live, midway, late] = [indexOf(store), indexOf(store), indexOf(store)];
      await live.build(height, signal);
      const both = { begin: () => { live.begin(); midway.begin(); }, commit: () => { live.commit(); midway.commit(); } };
      const index = new LedgerIndex(store, readModel, undefined, {
        ...both,
        batch: (...args) => { live.batch(...args); midway.batch(...args); },
        header: (...args) => { live.header(...args); midway.header(...args); },
        contested: (place) => { live.contested(place); midway.contested(place); },
      });
      let building: Promise<void> | undefined;
      for (const [at, [batches, hours]] of contents.entries()) {
        if (at === Math.min(from, contents.length - 1)) building = midway.build(height, signal);
        await index.apply(ledger.block(batches, hours));
      }
      await building;
      await late.build(height, signal);
      const records = await allRecords(readModel);
      expect([live.state, midway.state, late.state]).toEqual(['complete', 'complete', 'complete']);
      // What is remembered of a record is what the store says of it.
      for (const { headers } of [live, midway, late]) {
        const remembering = new ReadModel(store);
        if (headers !== undefined) remembering.remember(headers);
        expect(await allRecords(remembering)).toEqual(records);
        for (const { recordId } of records) expect(headers?.current(recordId)?.header).toEqual(readModel.record(recordId)?.header);
        for (const { recordId } of records) expect(remembering.record(recordId)).toEqual(readModel.record(recordId));
        for (const party of subjects.filter((one) => one !== '')) {
          for (const filter of [{ owner: party }, { subject: party }, { owner: party, kind: 'qualification' }, { subject: party, status: 'contested' as const }]) expect(await paged(remembering, filter)).toEqual(await paged(readModel, filter));
        }
        headers?.close();
      }
      for (const asked of queries) {
        const expected = counted(records, asked);
        for (const [name, one] of Object.entries({ live, midway, late })) expect(groupsOf(one, asked), `${name} ${JSON.stringify(asked)}`).toEqual(expected);
      }
    }), { numRuns: 60, seed: 20_261_130 });
  }, 90_000);
});
