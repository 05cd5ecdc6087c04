import { describe, expect, it } from 'vitest';
import { fromUtf8, ProtocolError, utf8, type OpenArgument, type OpenResult } from '@huilian/protocol';
import { systemClock } from '../src/adapters/system/system-clock.js';
import { OpenTickets, type Opening } from '../src/core/access/open-tickets.js';
import { readAnswer, refusalsAnswerShape, offerAnswerShape } from '../src/core/exchange/read-answer.js';
import type { Ledger, Submission } from '../src/core/ports.js';

const random = { bytes: (length: number): Uint8Array => new Uint8Array(length) };

/** A ledger's door whose answer to `open` each test states; it remembers the packs that came. */
class OpenDoor implements Ledger {
  public readonly packs: string[][] = [];

  public constructor(private readonly answer: (requests: readonly string[], pack: number) => { readonly results: readonly OpenResult[]; readonly committed?: () => Promise<{ block: number }> }) {}

  public async submit(_name: string, argument: Uint8Array): Promise<Submission> {
    const requests = (JSON.parse(fromUtf8(argument)) as OpenArgument).entries.map(({ request }) => request);
    this.packs.push(requests);
    const { committed = async (): Promise<{ block: number }> => await Promise.resolve({ block: 1 }), results } = this.answer(requests, this.packs.length);
    return await Promise.resolve({ transactionId: 'a'.repeat(64), response: utf8(JSON.stringify(results)), committed });
  }

  public blocks(): never {
    throw new Error('no blocks are read here');
  }

  public height(): never {
    throw new Error('no height is asked here');
  }

  public async transactionCode(): Promise<undefined> {
    return await Promise.resolve(undefined);
  }

  public async close(): Promise<void> {
    await Promise.resolve();
  }
}

const tickets = (requests: readonly string[]): OpenResult[] => requests.map((_request, index) => ({ ticket: `${'a'.repeat(64)}/${String(index)}` }));

function opening(request: string, offer: () => Promise<string> = async () => await Promise.resolve('an-offer')): Opening & { readonly held: Set<number> } {
  const held = new Set<number>();
  return {
    request,
    held,
    offer,
    takeSlot: () => undefined,
    releaseSlot: (slot) => {
      held.delete(slot);
    },
  };
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
}

describe('opening tickets', () => {
  it('packs what comes at the same moment into one transaction', async () => {
    const door = new OpenDoor((requests) => ({ results: tickets(requests) }));
    const open = new OpenTickets(door, systemClock, random);
    await Promise.all(Array.from({ length: 40 }, async (_, index) => await open.open(opening(`request-${String(index)}`))));
    expect(door.packs.map((pack) => pack.length)).toEqual([40]);
  });

  it('keeps nobody waiting for a publisher that does not answer', async () => {
    const door = new OpenDoor((requests) => ({ results: tickets(requests) }));
    const open = new OpenTickets(door, systemClock, random);
    let answer: (offer: string) => void = () => undefined;
    const slow = open.open(opening('slow', async () => await new Promise((resolve) => (answer = resolve))));
    expect(await open.open(opening('quick'))).toMatch(/\/0$/);
    answer('late-offer');
    expect(await slow).toMatch(/\/0$/);
    expect(door.packs).toEqual([['quick'], ['slow']]);
  });

  it('goes on after an offer that cannot be written', async () => {
    const door = new OpenDoor((requests) => ({ results: tickets(requests) }));
    const open = new OpenTickets(door, systemClock, random);
    const bad = codeOf(open.open(opening('bad', async () => await Promise.resolve('\ud800'))));
    const good = open.open(opening('good'));
    expect(await bad).toBe('CANONICAL_INVALID');
    expect(await good).toMatch(/\/0$/);
    expect(await open.open(opening('next'))).toMatch(/\/0$/);
  });

  it('splits a pack that conflicts, and asks for fresh offers', async () => {
    const door = new OpenDoor((requests, pack) => ({
      results: tickets(requests),
      ...(pack === 1 ? { committed: async () => await Promise.reject(new ProtocolError('LEDGER_CONFLICT')) } : {}),
    }));
    const open = new OpenTickets(door, systemClock, random);
    let offers = 0;
    const offer = async (): Promise<string> => {
      offers += 1;
      return await Promise.resolve('an-offer');
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(async (request) => await open.open(opening(request, offer))));
    expect(door.packs).toEqual([['a', 'b', 'c', 'd'], ['a', 'b'], ['c', 'd']]);
    expect(offers).toBe(8);
  });

  it('gives a refusal to whom it belongs, and does not wait for a pack that wrote nothing', async () => {
    const door = new OpenDoor((requests) => ({
      results: requests.map((request, index) => (request === 'good' ? { ticket: `${'a'.repeat(64)}/${String(index)}` } : { code: 'GRANT_EXPIRED' })),
      committed: async () => {
        if (!requests.includes('good')) throw new Error('a pack of refusals is never committed');
        return await Promise.resolve({ block: 1 });
      },
    }));
    const open = new OpenTickets(door, systemClock, random);
    const both = await Promise.all([codeOf(open.open(opening('good'))), codeOf(open.open(opening('bad')))]);
    expect(both).toEqual([undefined, 'GRANT_EXPIRED']);
    expect(await codeOf(open.open(opening('bad')))).toBe('GRANT_EXPIRED');
  });

  it('gives back every use where the ledger is away', async () => {
    const door = new OpenDoor(() => {
      throw new ProtocolError('LEDGER_UNAVAILABLE');
    });
    const open = new OpenTickets(door, systemClock, random);
    const held = new Set<number>();
    const withSlot = (slot: number): Opening => ({
      ...opening(`request-${String(slot)}`),
      grant: {} as never,
      takeSlot: () => {
        held.add(slot);
        return slot;
      },
      releaseSlot: (used) => {
        held.delete(used);
      },
    });
    const codes = await Promise.all([1, 2, 3].map(async (slot) => await codeOf(open.open(withSlot(slot)))));
    expect(codes).toEqual(['LEDGER_UNAVAILABLE', 'LEDGER_UNAVAILABLE', 'LEDGER_UNAVAILABLE']);
    expect(held.size).toBe(0);
  });
});

describe("another centre's answer", () => {
  it.each(['', 'null', '[]', '{}', '{"offer":1}', '{"offer":"\\ud800"}', '{"offer":"a.b.c"}'])('%s is no offer', (text) => {
    expect(() => readAnswer('zhuhai', offerAnswerShape, utf8(text))).toThrow('EXCHANGE_FAILED');
  });

  it.each(['null', '{"centre":"zhuhai"}', '{"centre":"zhuhai","head":{"digest":"","seq":0},"refusals":[{}]}'])('%s is no list of refusals', (text) => {
    expect(() => readAnswer('zhuhai', refusalsAnswerShape, utf8(text))).toThrow('EXCHANGE_FAILED');
  });

  it('is taken where it is whole', () => {
    const answer = { centre: 'zhuhai', head: { digest: 'a'.repeat(64), seq: 1 }, refusals: [{ at: 1_893_456_000, code: 'GRANT_EXPIRED', owner: 'org:91440101MA5CK8T02A', previous: '', reader: 'sample-bank', recordIds: [], request: '', seq: 1 }] };
    expect(readAnswer('zhuhai', refusalsAnswerShape, utf8(JSON.stringify(answer)))).toEqual(answer);
  });
});
