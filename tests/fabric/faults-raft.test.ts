import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { peer as messages } from '@hyperledger/fabric-protos';
import type { ProtocolError } from '@huilian/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../node/src/adapters/fabric/open-ledger.js';
import { fabricIsHere } from './fabric-command.js';
import { FaultWorld } from './fault-world.js';
import { openClient } from './network-world.js';
import { otherChaincode, publishArgument, withExpiredCertificate } from './sabotage.js';

const rows = 400;

/** A copy of a delivered block that claims to follow another one. */
function forked(delivered: Buffer): Buffer {
  const response = messages.DeliverResponse.deserializeBinary(delivered);
  response.getBlock()?.getHeader()?.setPreviousHash(Buffer.alloc(32, 7));
  return Buffer.from(response.serializeBinary());
}

describe.skipIf(!fabricIsHere())('faults on Raft', () => {
  const world = new FaultWorld('raft');

  beforeAll(async () => {
    await world.start();
  }, 240_000);
  afterAll(async () => {
    await world.stop();
  }, 120_000);

  it('one orderer killed: work goes on', async () => {
    await world.kill('orderer.zhuhai');
    const ids = await world.sync(rows);
    expect(ids).toHaveLength(rows);
    await world.settled();
    await world.restart('orderer.zhuhai');
    await world.judge(ids);
  }, 120_000);

  it('a majority of orderers killed: acknowledged and queued, nothing claimed, all published once after healing', async () => {
    await world.kill('orderer.zhuhai', 'orderer.beijing');
    const before = (await world.status('zhuhai')).height;
    const ids = await world.sync(rows);
    expect(ids).toHaveLength(rows);
    const { outbox } = await world.status('guangzhou');
    expect(outbox.pending).toBe(rows);
    await expect.poll(async () => (await world.status('guangzhou')).outbox.inFlight, { timeout: 30_000, interval: 100 }).toBeGreaterThan(0);
    expect((await world.timesPublished(ids)).every((times) => times === 0)).toBe(true);
    expect((await world.status('zhuhai')).height).toBe(before);
    await world.restart('orderer.zhuhai', 'orderer.beijing');
    await world.judge(ids);
  }, 180_000);

  it('the leader killed during a sync', async () => {
    const leader = world.leader();
    let killed: Promise<void> | undefined;
    const ids = await world.sync(5 * rows, (count) => {
      if (count > rows) killed ??= world.kill(leader);
    });
    await killed;
    expect(killed).toBeDefined();
    await world.settled();
    expect(world.leader()).not.toBe(leader);
    await world.restart(leader);
    await world.judge(ids);
  }, 180_000);

  it.each(['Endorse', 'Submit'] as const)('the peer killed at %s', async (method) => {
    const proxy = await world.proxied('guangzhou');
    const struck = proxy.next(method, 'asked', async () => await world.kill('peer0.guangzhou').then(() => 'go on'));
    const ids = await world.sync(rows);
    await struck;
    expect(ids).toHaveLength(rows);
    expect((await world.status('guangzhou')).outbox.pending).toBeGreaterThan(0);
    await world.restart('peer0.guangzhou');
    await world.judge(ids);
  }, 120_000);

  it('the peer killed after Submit, before the node sees the commit', async () => {
    const proxy = await world.proxied('guangzhou');
    const struck = proxy.next('Submit', 'answered', async () => await world.kill('peer0.guangzhou').then(() => 'go on'));
    const ids = await world.sync(rows);
    await struck;
    await world.restart('peer0.guangzhou');
    await world.judge(ids);
  }, 120_000);

  it('the answer of Submit lost: the transaction is committed and nothing is published twice', async () => {
    const proxy = await world.proxied('guangzhou');
    const lost = proxy.next('Submit', 'answered', () => 'cut');
    const ids = await world.sync(rows);
    await lost;
    await world.judge(ids);
  }, 120_000);

  it('the answer of CommitStatus lost after the commit: the outcome is asked for, not guessed', async () => {
    const proxy = await world.proxied('guangzhou');
    const lost = proxy.next('CommitStatus', 'answered', () => 'cut');
    const answer = await world.consortium.call('guangzhou', 'POST', '/v1/governance/propose', { action: 'code-set', content: { document: {}, name: 'fault-words', version: 1 }, round: 1 }, 'operator');
    await lost;
    // Either the node found the commit by itself, or it says that it does not know and names the transaction.
    expect([200, 201, 202].includes(answer.status), JSON.stringify(answer.body)).toBe(true);
    await expect.poll(async () => JSON.stringify(await world.consortium.api('beijing').get('/v1/governance/proposals')), { timeout: 30_000, interval: 100 }).toContain('fault-words');
    await world.judge([]);
  }, 120_000);

  it('the chaincode service killed and restarted', async () => {
    const service = world.network.processes.names().find((name) => name.startsWith('chaincode.huilian.guangzhou')) ?? '';
    await world.kill(service);
    const ids = await world.sync(rows);
    expect(ids).toHaveLength(rows);
    await world.restart(service);
    await world.judge(ids);
  }, 120_000);

  it.each([['frozen but unsent', 'Endorse', 'asked'], ['sent but unsettled', 'Submit', 'answered']] as const)('the node killed with a batch %s', async (_state, method, moment) => {
    const proxy = await world.proxied('guangzhou');
    const struck = proxy.next(method, moment, async () => await world.consortium.end('guangzhou', 'SIGKILL').then(() => 'cut'));
    const ids = await world.sync(10 * rows);
    await struck;
    expect(ids.length).toBeGreaterThan(0);
    await world.revive('guangzhou');
    await world.judge(ids);
  }, 120_000);

  it('a block stream with gaps and repeats: fetched again, counted once', async () => {
    const proxy = await world.proxied('guangzhou');
    let [delivered, dropped] = [0, 0];
    proxy.rewriteBlocks((message) => {
      delivered += 1;
      if (delivered % 3 !== 2) return [message, message];
      dropped += 1;
      return [];
    });
    const ids: string[] = [];
    // A block that is missing shows when the next one comes.
    while (dropped < 2) {
      ids.push(...(await world.sync(20)));
      const before = delivered;
      await expect.poll(() => delivered, { timeout: 30_000, interval: 50 }).toBeGreaterThan(before);
    }
    proxy.rewriteBlocks(undefined);
    await world.judge(ids);
  }, 120_000);

  it('another hash at a known height: the node halts with an alarm and takes nothing; on the true ledger it goes on', async () => {
    const proxy = await world.proxied('guangzhou');
    const seen: Buffer[] = [];
    proxy.rewriteBlocks((message) => {
      seen.push(message);
      return [message];
    });
    await world.sync(20);
    await world.settled();
    const { height } = await world.status('guangzhou');
    const node = world.consortium.processOf('guangzhou');
    const ended = new Promise<number | null>((resolve) => node.once('exit', resolve));
    const last = seen.at(-1);
    proxy.rewriteBlocks((message) => [forked(last ?? message), message]);
    const ids = await world.sync(20);
    expect(await ended).not.toBe(0);
    proxy.rewriteBlocks(undefined);
    await world.revive('guangzhou');
    expect((await world.status('guangzhou')).height).toBeGreaterThanOrEqual(height);
    await world.judge(ids);
  }, 120_000);

  it('a held envelope, submitted after the end of the grant: committed, and nothing is released', async () => {
    const { consortium } = world;
    const proxy = await world.proxied('beijing');
    const records = (await consortium.records('credit', 'guangzhou')).slice(0, 1);
    const now = Math.floor(Date.now() / 1000);
    const ends = now + 6;
    const grant = await consortium.grant({ claims: ['credit/entry'], expires: ends, grantee: 'sample-bank', notBefore: now - 60, purpose: 'credit-check' });
    const held = proxy.next('Submit', 'asked', async () => await delay(Math.max(0, (ends + 1) * 1000 - Date.now()), 'go on'));
    const bank = await consortium.client('sample-bank');
    const asked = bank.open({ claims: ['entry'], grant, purpose: 'credit-check', recordIds: records }).then(() => 'released', (error: unknown) => (error as { code?: string }).code);
    await held;
    expect(await asked).toBe('TICKET_ENDED');
    await world.judge([], ['guangzhou', 'beijing']);
  }, 120_000);

  it('one endorser with other chaincode: the mismatch is told with the digest of each side, by both clients, and nothing is ordered', async () => {
    const { network } = world;
    const service = network.processes.names().find((name) => name.startsWith('chaincode.huilian.guangzhou')) ?? '';
    const restore = await otherChaincode(network, service, path.join(world.consortium.dir, 'other-chaincode'));
    const ids = await world.sync(20);
    try {
      for (const client of ['gateway', 'network'] as const) {
        const ledger = await openClient(world.description, 'guangzhou', client);
        const told = async (): Promise<Readonly<Record<string, unknown>>> => ((await ledger.submit('publish', publishArgument()).catch((error: unknown) => error)) as ProtocolError).details;
        // The peer takes a moment to find the service that took the other's place.
        await expect.poll(async () => (await told())['reason'], { interval: 500, timeout: 60_000 }).toBe('endorsements-differ');
        const digests = String((await told())['digests']).split(' ').map((each) => each.split('='));
        expect(digests.map(([organisation]) => organisation)).toContain('GuangzhouMSP');
        expect(new Set(digests.map(([, digest]) => digest)).size, JSON.stringify(digests)).toBe(2);
        await ledger.close();
      }
      expect((await world.status('guangzhou')).outbox.pending).toBe(20);
    } finally {
      await restore();
    }
    await world.judge(ids);
  }, 180_000);

  it('an expired identity is refused, and said as such', async () => {
    const own = world.description.organisations.find(({ id }) => id === 'guangzhou');
    const ledger = await openLedger({ chaincode: 'huilian', client: 'gateway', connection: await withExpiredCertificate(own?.connection ?? '', world.consortium.dir) });
    await expect(ledger.submit('publish', publishArgument())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', details: { reason: 'identity-refused' } });
    await ledger.close();
  }, 60_000);

  it('an organisation that tries an upgrade alone is refused', async () => {
    const { network } = world;
    const before = await network.committed();
    const [centre] = network.members();
    if (before === undefined || centre === undefined) throw new Error('nothing deployed');
    const alone = { ...before, sequence: before.sequence + 1, version: 'alone' };
    await network.approveBy(centre, alone, 'alone:0000');
    await expect(network.commit(alone)).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    expect(await network.committed()).toEqual(before);
    const ids = await world.sync(20);
    await world.judge(ids);
  }, 120_000);

  it('at the end the audit of every centre finds nothing', async () => {
    await world.judgeAll();
  }, 120_000);
});
