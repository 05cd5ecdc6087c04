import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { common, peer as messages } from '@hyperledger/fabric-protos';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkOrganisation } from '@huilian/fabric-network';
import type { Ledger } from '../../node/src/core/ports.js';
import { readJson } from '../e2e/main-job.js';
import { fabricIsHere, networkFolder } from './fabric-command.js';
import { GatewayProxy } from './gateway-proxy.js';
import { judge, timesPublished } from './judge.js';
import { openClient, startNetwork, type RunningNetwork } from './network-world.js';
import { otherChaincode, withExpiredCertificate } from './sabotage.js';
import { WatchedNode } from './watched-node.js';

/** A transaction that ordering lost is sent again after a minute. */
const patience = { interval: 100, timeout: 100_000 } as const;

/** Changes the block in a delivered message. */
function changing(delivered: Buffer, change: (block: common.Block) => void): Buffer {
  const response = messages.DeliverResponse.deserializeBinary(delivered);
  const block = response.getBlock();
  if (block === undefined) return delivered;
  change(block);
  return Buffer.from(response.serializeBinary());
}

function withOtherPrevious(block: common.Block): void {
  block.getHeader()?.setPreviousHash(Buffer.alloc(32, 7));
}

function withOtherData(block: common.Block): void {
  block.getData()?.setDataList([...(block.getData()?.getDataList_asU8() ?? []), Buffer.from('more')]);
}

// What a node tells its operator, and what it holds back, while the Raft network around it misbehaves.
describe.skipIf(!fabricIsHere())('faults on Raft, as the operator is told of them', () => {
  const folder = networkFolder();
  let running: RunningNetwork;
  let own: NetworkOrganisation;
  let node: WatchedNode;
  let proxy: GatewayProxy;
  /** Connection of the node by way of the proxy. */
  let proxied: string;
  /** Another organisation's view of the ledger. */
  let witness: Ledger;

  beforeAll(async () => {
    running = await startNetwork(folder.at('raft'), 'raft');
    const [first] = running.description.organisations;
    const [peer] = first?.peers ?? [];
    if (first === undefined || peer === undefined) throw new Error('no organisation');
    own = first;
    const tls = path.join(path.dirname(peer.tlsCa), '..', 'peers', peer.name, 'tls');
    proxy = await GatewayProxy.start({ address: peer.address, ca: peer.tlsCa, certificate: path.join(tls, 'server.crt'), key: path.join(tls, 'server.key') });
    proxied = path.join(path.dirname(own.connection), 'proxied.json');
    writeFileSync(proxied, JSON.stringify({ ...readJson<object>(own.connection), endpoint: proxy.address }));
    node = await WatchedNode.prepare(path.join(folder.dir, 'raft', 'invented', own.id), own.id);
    witness = await openClient(running.description, 'zhuhai', 'gateway');
  }, 120_000);
  afterEach(async () => {
    proxy.rewriteBlocks(undefined);
    await node.stop();
  });
  afterAll(async () => {
    await folder.remove();
    await witness.close();
    await proxy.close();
  }, 60_000);

  /** Starts the node; resolves once it has what another organisation's peer has. */
  async function started(connection: string): Promise<void> {
    const [, other] = running.network.members();
    const [peer] = other?.peers ?? [];
    if (other === undefined || peer === undefined) throw new Error('no other organisation');
    const height = (await running.network.command(other, peer).height()) ?? 0;
    expect(await node.start(connection)).toBe('serves');
    await expect.poll(async () => (await node.status()).height, patience).toBeGreaterThanOrEqual(height - 1);
    await whenDrained();
  }

  async function whenDrained(): Promise<void> {
    await expect.poll(async () => {
      const { ledger, outbox } = await node.status();
      return { inFlight: outbox.inFlight, pending: outbox.pending, state: ledger.state };
    }, patience).toEqual({ inFlight: 0, pending: 0, state: 'following' });
  }

  async function judged(): Promise<void> {
    await whenDrained();
    await node.stop();
    await judge(witness, node);
  }

  async function timesOnLedger(ids: readonly string[]): Promise<number[]> {
    const times = await timesPublished(witness, (await node.status()).height);
    return ids.map((id) => times.get(id) ?? 0);
  }

  /** A new alarm with this reason; its details. */
  async function told(reason: string, after: number): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined => node.alarms(after).map(({ details }) => details).find((details) => details['reason'] === reason);
    await expect.poll(find, patience).toBeDefined();
    return find() ?? {};
  }

  it('an endorser with other chaincode, found right after an outage: an alarm of its own, with the digest of each side; nothing is ordered', async () => {
    const { network } = running;
    await started(own.connection);
    const before = node.log.length;
    await network.processes.stop(`peer0.${own.id}`, 'SIGKILL');
    const ids = await node.sync(20);
    expect(ids).toHaveLength(20);
    await expect.poll(async () => (await node.status()).ledger.problem, patience).toBe('LEDGER_UNAVAILABLE');
    const service = network.processes.names().find((name) => name.startsWith(`chaincode.huilian.${own.id}`)) ?? '';
    const restore = await otherChaincode(network, service, path.join(folder.dir, 'other-chaincode'));
    try {
      await network.restart(`peer0.${own.id}`);
      const { digests } = await told('endorsements-differ', before);
      const sides = String(digests).split(' ').map((each) => each.split('='));
      expect(sides.map(([organisation]) => organisation)).toContain('GuangzhouMSP');
      expect(new Set(sides.map(([, digest]) => digest)).size).toBe(2);
      expect((await node.status()).outbox.pending).toBe(20);
      expect((await timesOnLedger(ids)).every((times) => times === 0)).toBe(true);
    } finally {
      await restore();
    }
    await judged();
  }, 200_000);

  it('an identity that has expired: an alarm that says so, rows acknowledged and queued; published once it is renewed', async () => {
    const before = node.log.length;
    expect(await node.start(await withExpiredCertificate(own.connection, folder.dir))).toBe('serves');
    const ids = await node.sync(20);
    expect(ids).toHaveLength(20);
    // Both who sends and who follows the blocks are refused.
    await expect.poll(() => node.alarms(before).map(({ details }) => details), patience).toEqual(expect.arrayContaining([{ grpc: expect.any(Number) as number, reason: 'identity-refused' }, { reason: 'identity-refused', status: 403 }]));
    expect((await node.status()).outbox.pending).toBe(20);
    expect((await timesOnLedger(ids)).every((times) => times === 0)).toBe(true);
    await node.stop();
    expect(await node.start(own.connection)).toBe('serves');
    await judged();
  }, 120_000);

  it.each([
    ['known-height', (block: common.Block, known: number) => { block.getHeader()?.setNumber(known); withOtherPrevious(block); }],
    ['previous-hash', withOtherPrevious],
    ['data-hash', withOtherData],
  ] as const)('a block that contradicts the ledger (%s): alarm BLOCK_FORK, the node ends, and again as long as it is told so; on the true ledger it goes on', async (reason, change) => {
    await started(proxied);
    const { height } = await node.status();
    const before = node.log.length;
    proxy.rewriteBlocks((message) => [changing(message, (block) => { change(block, height); })]);
    await node.sync(20);
    expect(await node.ended()).toBe(1);
    const forks = (): unknown[] => node.alarms(before).filter(({ code }) => code === 'BLOCK_FORK').map(({ details }) => details['reason']);
    expect(forks()).toEqual([reason]);
    // Started again against the same stream it ends again: nobody goes on by trying often enough.
    await node.start(proxied);
    expect(await node.ended()).toBe(1);
    expect(forks()).toEqual([reason, reason]);
    await expect(node.status()).rejects.toMatchObject({ code: 'EXCHANGE_FAILED' });
    proxy.rewriteBlocks(undefined);
    expect(await node.start(proxied)).toBe('serves');
    await judged();
  }, 120_000);

  /** Sends a proposal as an operator's page does. */
  async function propose(name: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const { token, url } = node.api() as unknown as { token: string; url: string };
    const body = JSON.stringify({ action: 'code-set', content: { document: {}, name, version: 1 }, round: 1 });
    const response = await fetch(`${url}/v1/governance/propose`, { body, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, method: 'POST' });
    return { body: (await response.json()) as Record<string, unknown>, status: response.status };
  }

  it('a node whose clock is ten minutes ahead: an alarm that says so, rows acknowledged and queued; published once it is right', async () => {
    await started(own.connection);
    await node.stop();
    const before = node.log.length;
    expect(await node.start(own.connection, 600)).toBe('serves');
    const ids = await node.sync(5);
    expect(ids).toHaveLength(5);
    await told('clock-apart', before);
    expect((await node.status()).outbox.pending).toBe(5);
    expect((await timesOnLedger(ids)).every((times) => times === 0)).toBe(true);
    await node.stop();
    await started(own.connection);
    expect((await timesOnLedger(ids)).every((times) => times === 1)).toBe(true);
    await judged();
  }, 200_000);

  it('a majority of orderers killed: a vote is not called done; its transaction is named and tells later what became of it', async () => {
    const { network } = running;
    await started(own.connection);
    const orderers = network.plan.orderers.slice(1).map(({ name }) => name);
    await Promise.all(orderers.map(async (name) => { await network.processes.stop(name, 'SIGKILL'); }));
    const answer = await propose('orderers-away');
    expect(answer).toMatchObject({ body: { code: 'OUTCOME_UNKNOWN', details: { transactionId: expect.stringMatching(/^[0-9a-f]{64}$/) as string } }, status: 202 });
    await Promise.all(orderers.map(async (name) => { await network.restart(name); }));
    const { transactionId } = (answer.body['details'] ?? {}) as { transactionId: string };
    await node.sync(1);
    await whenDrained();
    // Whether the orderers kept the vote is theirs to say; what the node shows follows the ledger, a moment behind it.
    await expect.poll(async () => {
      const onLedger = (await witness.transactionCode(transactionId)) === 'VALID';
      return JSON.stringify(await node.api().get('/v1/governance/proposals')).includes('orderers-away') === onLedger;
    }, patience).toBe(true);
    await judged();
  }, 200_000);

  it('the peer killed while the commit is waited for: the outcome is unknown, the transaction is named, and it is there', async () => {
    const { network } = running;
    await started(proxied);
    const struck = proxy.next('CommitStatus', 'asked', async () => await network.processes.stop(`peer0.${own.id}`, 'SIGKILL').then(() => 'go on'));
    const answer = await propose('peer-away');
    await struck;
    expect(answer).toMatchObject({ body: { code: 'OUTCOME_UNKNOWN' }, status: 202 });
    const { transactionId } = (answer.body['details'] ?? {}) as { transactionId: string };
    await expect.poll(async () => await witness.transactionCode(transactionId), patience).toBe('VALID');
    await network.restart(`peer0.${own.id}`);
    await expect.poll(async () => JSON.stringify(await node.api().get('/v1/governance/proposals')), patience).toContain('peer-away');
    await judged();
  }, 200_000);
});
