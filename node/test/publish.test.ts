import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPlacedHeader, payloadDigest } from '@huilian/protocol';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import { reindex } from '../src/core/indexing/reindex.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { publishLines, qualification, stream } from './sample-lines.js';

let folder: string;
let consortium: Consortium;
let node: PublishingNode;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-publish-'));
  consortium = await startConsortium(folder);
  node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function settle(): Promise<void> {
  await node.drained();
}

describe('publishing on a real embedded ledger', () => {
  test('1,000 records come to the ledger, each header under its batch root, each payload in the vault', async () => {
    const answers = await node.publish(stream(...publishLines(0, 1000)));
    const accepted = answers.flatMap((answer) => ('recordId' in answer ? [answer] : []));
    expect(accepted).toHaveLength(1000);
    await settle();
    for (const { recordId, version } of accepted) {
      const placed = node.readModel.placedHeader(recordId, version);
      const batch = node.readModel.batch('river', placed?.seq ?? 0);
      if (placed === undefined || batch === undefined) throw new Error(`not indexed: ${recordId}`);
      checkPlacedHeader(placed, batch);
      const sealed = node.vault.open(recordId, version);
      expect(payloadDigest(sealed.segment)).toBe(placed.header.digest);
    }
    expect(node.alarms).toEqual([]);
    expect((await node.outbox.status()).pending).toBe(0);
  });

  test('a receipt covers the rows of its group and is signed by the registered key', async () => {
    const answers = await node.publish(stream(...publishLines(2000, 2003)));
    const receipts = answers.flatMap((answer) => ('acknowledged' in answer ? [answer.acknowledged] : []));
    const rows = answers.flatMap((answer) => ('row' in answer ? [answer.row] : []));
    const key = node.readModel.member('river')?.document.signingKey;
    const covered = receipts.flatMap((jws) => {
      const [head = '', payload = '', signature = ''] = jws.split('.');
      const signed = verify('sha256', Buffer.from(`${head}.${payload}`), { key: createPublicKey({ key: { ...key }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
      expect(signed).toBe(true);
      expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: 'ES256', kid: 'river', typ: 'huilian-acknowledgement+jwt' });
      const { from, publisher, to } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { from: number; to: number; publisher: string };
      expect(publisher).toBe('river');
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
    expect(covered).toEqual(rows);
    await settle();
  });

  test('unchanged rows are not published again, changed ones become the next version', async () => {
    await node.publish(stream(...publishLines(3000, 3002)));
    await settle();
    const again = await node.publish(stream(...publishLines(3000, 3002)));
    expect(again).toEqual([
      { line: 1, recordId: expect.any(String) as string, version: 1, unchanged: true },
      { line: 2, recordId: expect.any(String) as string, version: 1, unchanged: true },
    ]);
    const [changed] = await node.publish(stream({ kind: 'qualification', data: qualification(3000, { level: '01' }) }));
    expect(changed).toMatchObject({ version: 2 });
    await settle();
    const recordId = (changed as { recordId: string }).recordId;
    expect(node.readModel.record(recordId)).toMatchObject({ header: { version: 2, status: 'active' }, versions: 2, contested: false });
  });

  test('versions sent faster than the ledger follow each other, and a revocation ends the record', async () => {
    const lines = ['01', '02', '03'].map((level) => ({ kind: 'qualification', supersede: true, data: qualification(4000, { level }) }));
    const [first, ...rest] = lines.map((line, index) => (index === 0 ? { ...line, supersede: false } : line)) as [object, ...object[]];
    const answers = await node.publish(stream(first, ...rest));
    const recordId = (answers[0] as { recordId: string }).recordId;
    await node.publish(stream({ kind: 'qualification', revoke: true, recordId }));
    await settle();
    expect(node.readModel.record(recordId)).toMatchObject({ header: { version: 4, status: 'revoked' }, versions: 4 });
    const refused = await node.publish(stream({ kind: 'qualification', data: qualification(4000) }));
    expect(refused).toMatchObject([{ line: 1, code: 'RECORD_REVOKED' }]);
  });

  test('another centre and a replay from block 0 come to the same read model', async () => {
    const replayed = new MemoryStore();
    const replay = new ReadModel(replayed);
    const index = new LedgerIndex(replayed, replay);
    const stop = new AbortController();
    for await (const block of node.ledger.blocks(0, stop.signal)) {
      await index.apply(block);
      if (block.number === node.readModel.height()) break;
    }
    stop.abort();
    expect(await replay.digest()).toBe(await node.readModel.digest());
  });

  test('reindexing builds the same rows beside the old ones and goes on from there', async () => {
    const before = await node.readModel.digest();
    const { blocks } = await reindex({ store: node.store, ledger: node.ledger, index: node.index, readModel: node.readModel, signal: new AbortController().signal });
    expect(blocks).toBe(node.readModel.height() + 1);
    expect(await node.readModel.digest()).toBe(before);
    await node.publish(stream(...publishLines(5000, 5001)));
    await settle();
    expect(node.alarms).toEqual([]);
  });

  test('queries page through current versions by owner, kind, publisher and status', async () => {
    const owner = 'org:91440105MA6NNHC07C';
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await node.readModel.records({ owner, limit: 300, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ recordId }) => recordId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    for (const filter of [{ subject: owner }, { kind: 'qualification' }, { publisher: 'river' }, {}]) {
      const found = await allRecords(filter);
      expect(found.sort()).toEqual([...seen].sort());
    }
    const revoked = await node.readModel.records({ status: 'revoked' });
    expect(revoked.items).toHaveLength(1);
    expect(await allRecords({ kind: 'supervision' })).toEqual([]);
  });

  test('the trail of an owner tells what was published, superseded and revoked', async () => {
    const trail = await node.readModel.trail('org:91440105MA6NNHC07C');
    const kinds = new Map<string, number>();
    for (const { what } of trail) kinds.set(what, (kinds.get(what) ?? 0) + 1);
    expect(Object.fromEntries(kinds)).toEqual({ published: 1007, superseded: 3, revoked: 1 });
  });
});

async function allRecords(filter: Parameters<ReadModel['records']>[0]): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await node.readModel.records({ ...filter, limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.items.map(({ recordId }) => recordId));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
