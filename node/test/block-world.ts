import { expect } from 'vitest';
import { batchRoot, canonicalBytes, encodeBatchArgument, stateKey, type Header, type Ticket } from '@huilian/protocol';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import type { BlockTransaction, LedgerBlock } from '../src/core/ports.js';

export const owners = ['org:91440105MA6NNHC07C', 'org:91440106MABAY5U732'] as const;
/** 2027-01-15 16:00 in Beijing. */
export const now = 1_800_000_000;

/** Blocks as a test writes them by hand, folded by a real index into a real read model. */
export class World {
  public readonly readModel: ReadModel;
  private readonly index: LedgerIndex;
  private readonly blocks: LedgerBlock[] = [];
  private transactions = 0;

  public constructor() {
    const store = new MemoryStore();
    this.readModel = new ReadModel(store);
    this.index = new LedgerIndex(store, this.readModel);
  }

  public async block(...contents: readonly (Pick<BlockTransaction, 'time' | 'writes'> & Partial<BlockTransaction>)[]): Promise<void> {
    const number = this.blocks.length;
    const transactions = contents.map((content) => {
      this.transactions += 1;
      return { id: String(this.transactions).padStart(64, '0'), code: 'VALID', organisation: 'RiverMSP', function: '', args: [], response: canonicalBytes({}), proposalResponse: new Uint8Array(), endorsements: [], ...content };
    });
    const block: LedgerBlock = { number, hash: `hash-${String(number)}`, previousHash: number === 0 ? '' : `hash-${String(number - 1)}`, transactions };
    this.blocks.push(block);
    expect(await this.index.apply(block)).toBe('applied');
  }

  /** The transaction that opens these tickets. */
  public opening(time: number, ...tickets: readonly Partial<Ticket>[]): Pick<BlockTransaction, 'time' | 'writes'> {
    const id = String(this.transactions + 1).padStart(64, '0');
    return { time, writes: tickets.map((change, index) => ({ key: stateKey('ticket', `${id}/${String(index)}`), value: canonicalBytes({ ...ticket(time), ...change }) })) };
  }
}

function ticket(time: number): Ticket {
  return {
    basis: { kind: 'grant', digest: `0x${'ab'.repeat(32)}` }, claims: ['finding'], encryptionKey: 'a'.repeat(43), expires: time + 900, openedAt: time, owner: owners[0], publisher: 'river', purpose: 'registration', reader: 'bank',
    readerKey: 'b'.repeat(43), records: [{ digest: '11'.repeat(32), recordId: `river/credit/${'a'.repeat(26)}`, version: 1 }], request: '22'.repeat(32), requestId: 'c'.repeat(26),
  };
}

/** An admission. */
export function member(id: string, kind: string, fields: { readonly admittedAt?: number; readonly status?: string } = {}): { readonly key: string; readonly value: Uint8Array } {
  return { key: stateKey('member', id), value: canonicalBytes({ admittedAt: now, document: { id, kind }, sequence: 1, status: 'active', ...fields }) };
}

/** A publication of up to eight headers. */
export function batch(publisher: string, seq: number, count: number, time: number, kind = 'qualification'): Pick<BlockTransaction, 'args' | 'function' | 'time' | 'writes'> {
  const headers = Array.from({ length: count }, (_, index): Header => ({ digest: '11'.repeat(32), kind, localId: `${'abcdefgh'.charAt(index).repeat(25)}a`, owner: owners[0], rights: 'owner', schema: 1, status: 'active', subject: owners[0], version: 1 }));
  return { function: 'records:publish', args: [encodeBatchArgument({ headers, previous: [], publisher, seq })], time, writes: [{ key: stateKey('batch', publisher, seq), value: canonicalBytes({ count, root: batchRoot(headers) }) }] };
}
