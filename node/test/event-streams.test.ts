import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { batchRoot, canonicalBytes, encodeBatchArgument, feedStart, ProtocolError, stateKey, type Header } from '@huilian/protocol';
import { EventStreams } from '../src/adapters/http/event-streams.js';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { EventFeed } from '../src/core/events/event-feed.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import { temporaryFolder } from './temporary-folder.js';

const batches = 4;
const headersPerBatch = 4000;

/** A feed that no kernel takes at once: 16,000 invented records, some 9 MB. */
async function longFeed(): Promise<EventFeed> {
  const store = await LevelStore.open(temporaryFolder(), { diskFloorBytes: 0 });
  onTestFinished(async () => { await store.close(); });
  const readModel = new ReadModel(store);
  const index = new LedgerIndex(store, readModel);
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (let number = 0; number < batches; number += 1) {
    const headers = Array.from({ length: headersPerBatch }, (_, at): Header => {
      const name = [number, ...String(at).padStart(4, '0')].map((digit) => letters.charAt(Number(digit))).join('');
      return { digest: '11'.repeat(32), kind: 'qualification', localId: `${name.padEnd(25, 'x')}a`, owner: 'org:91440105MA6NNHC07C', rights: 'owner', schema: 1, status: 'active', subject: 'org:91440105MA6NNHC07C', version: 1 };
    });
    await index.apply({
      number,
      hash: `hash-${String(number)}`,
      previousHash: number === 0 ? '' : `hash-${String(number - 1)}`,
      transactions: [{
        id: String(number).repeat(64), code: 'VALID', time: 1_800_000_000, organisation: 'RiverMSP', function: 'records:publish',
        args: [encodeBatchArgument({ headers, previous: [], publisher: 'river', seq: number + 1 })],
        writes: [{ key: stateKey('batch', 'river', number + 1), value: canonicalBytes({ count: headers.length, root: batchRoot(headers) }) }],
        response: canonicalBytes({}), proposalResponse: new Uint8Array(), endorsements: [],
      }],
    });
  }
  return new EventFeed(readModel);
}

interface Consumer {
  text(): string;
  /** What came last. */
  tail(): string;
  pause(): void;
  resume(): void;
  readonly closed: Promise<void>;
}

test('a consumer that takes nothing is cut off with CONSUMER_TOO_SLOW, holds one page at most, and holds nobody up', async () => {
  const streams = new EventStreams(await longFeed(), { perCaller: 3, inAll: 3, heartbeatMilliseconds: 50, patienceMilliseconds: 500 });
  let cutOff = (): void => undefined;
  const isCutOff = new Promise<void>((resolve) => { cutOff = resolve; });
  let mostHeld = 0;
  const server = createServer((request, response) => {
    const leave = streams.admit('reader');
    response.once('close', leave);
    const write = response.write.bind(response) as (text: string) => boolean;
    response.write = ((text: string) => {
      const room = write(text);
      mostHeld = Math.max(mostHeld, response.writableLength);
      return room;
    }) as typeof response.write;
    response.writeHead(200, { connection: 'close' });
    const served = streams.serve(response, { after: feedStart, filter: request.url === '/few' ? { types: ['huilian.grant.revoked'] } : {}, requireAllowed: () => undefined });
    if (request.url === '/slow') void served.then(cutOff);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const consume = (route: string): Consumer => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    onTestFinished(() => { socket.destroy(); });
    const chunks: string[] = [];
    socket.on('data', (chunk) => chunks.push(chunk.toString('utf8')));
    const closed = new Promise<void>((resolve) => socket.once('end', resolve));
    socket.write(`GET ${route} HTTP/1.1\r\nhost: node\r\n\r\n`);
    return { text: () => chunks.join(''), tail: () => chunks.slice(-8).join(''), pause: () => socket.pause(), resume: () => socket.resume(), closed };
  };
  const slow = consume('/slow');
  slow.pause();
  const quick = consume('/all');
  const quiet = consume('/few');
  const lastId = `id: ${String(batches - 1)}/0/${String(headersPerBatch - 1)}\n`;
  await expect.poll(() => quick.tail().includes(lastId), { timeout: 20_000 }).toBe(true);
  await expect.poll(() => quiet.text().split(': heartbeat').length, { timeout: 20_000 }).toBeGreaterThan(6);
  // What it had been sent before is still there for it to read, and then the reason.
  await isCutOff;
  slow.resume();
  await slow.closed;
  expect(slow.text()).toMatch(/event: end\ndata: \{"code":"CONSUMER_TOO_SLOW"/);
  expect(slow.text()).not.toContain(lastId);
  // A page is a hundred events of some 600 bytes.
  expect(mostHeld).toBeLessThan(200_000);
});

test('places are counted for each caller and for all, and given back', () => {
  const streams = new EventStreams({} as EventFeed, { perCaller: 2, inAll: 3, heartbeatMilliseconds: 1, patienceMilliseconds: 1 });
  const refused = (caller: string): void => { expect(() => streams.admit(caller)).toThrow(new ProtocolError('TOO_MANY_SUBSCRIBERS', { most: 2 })); };
  const first = streams.admit('a');
  streams.admit('a');
  refused('a');
  streams.admit('b');
  refused('c');
  first();
  streams.admit('c');
  refused('a');
});
