import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../node/src/adapters/fabric/open-ledger.js';
import type { Ledger } from '../../node/src/core/ports.js';
import { fabricIsHere, networkFolder } from './fabric-command.js';
import { openClient, startNetwork, type ClientName, type RunningNetwork } from './network-world.js';
import { publishArgument } from './sabotage.js';

async function publish(ledger: Ledger): Promise<string> {
  const submission = await ledger.submit('publish', publishArgument());
  await submission.committed();
  return submission.transactionId;
}

async function firstBlock(ledger: Ledger): Promise<number> {
  for await (const block of ledger.blocks(0, new AbortController().signal)) return block.number;
  return -1;
}

describe.skipIf(!fabricIsHere())('failover among peers on Raft', () => {
  const folder = networkFolder();
  let running: RunningNetwork;

  beforeAll(async () => {
    running = await startNetwork(folder.at('raft'), 'raft');
  }, 120_000);
  afterAll(async () => {
    await folder.remove();
  }, 60_000);

  /** A gateway client whose connection file names another centre's peer as its second. */
  async function gatewayWithSecondPeer(): Promise<Ledger> {
    const [own, other] = running.description.organisations;
    const connection = JSON.parse(readFileSync(own?.connection ?? '', 'utf8')) as object;
    const file = path.join(folder.dir, 'with-second-peer.json');
    writeFileSync(file, JSON.stringify({ ...connection, peers: other?.peers.map(({ address, tlsCa }) => ({ endpoint: address, tlsCaCert: tlsCa })) }));
    return await openLedger({ client: 'gateway', connection: file, chaincode: 'huilian' });
  }

  it.each(['gateway', 'network'] as ClientName[])('the %s client goes on with the next peer, and with its own once that one is alone', async (client) => {
    const ledger = client === 'gateway' ? await gatewayWithSecondPeer() : await openClient(running.description, 'guangzhou', client);
    const { network } = running;
    try {
      await publish(ledger);
      await network.processes.stop('peer0.guangzhou', 'SIGKILL');
      // The stream in use breaks; the caller's next one comes from the next peer.
      await expect.poll(async () => await firstBlock(ledger).catch(() => -1), { timeout: 30_000, interval: 200 }).toBe(0);
      const id = await publish(ledger);
      expect(await ledger.transactionCode(id)).toBe('VALID');
      await network.restart('peer0.guangzhou');
      await network.processes.stop('peer0.zhuhai', 'SIGKILL');
      await expect.poll(async () => await publish(ledger).catch(() => ''), { timeout: 60_000, interval: 500 }).toMatch(/^[0-9a-f]{64}$/);
      await expect.poll(async () => await firstBlock(ledger).catch(() => -1), { timeout: 30_000, interval: 200 }).toBe(0);
    } finally {
      await network.restart('peer0.zhuhai');
      await ledger.close();
    }
  }, 180_000);

  it('a connection profile that names a peer it does not have, and a wallet with the wrong or no identity, are refused with the reason', async () => {
    const [own, other] = running.description.organisations;
    const { chaincode, channel } = running.description;
    const open = async (change: object): Promise<unknown> =>
      await openLedger({ client: 'network', profile: own?.connectionProfile ?? '', wallet: own?.wallet ?? '', identity: own?.identity ?? '', channel, chaincode, ...change });
    const profile = JSON.parse(readFileSync(own?.connectionProfile ?? '', 'utf8')) as { peers: Record<string, unknown>; orderers: object };
    const write = (name: string, content: object): string => {
      const file = path.join(folder.dir, name);
      writeFileSync(file, JSON.stringify(content));
      return file;
    };
    const { 'peer0.zhuhai': _lost, ...peers } = profile.peers;
    await expect(open({ profile: write('no-peer.json', { ...profile, peers }) })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'peer-missing', peer: 'peer0.zhuhai' } });
    await expect(open({ profile: write('no-orderers.json', { ...profile, orderers: {} }) })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'no-orderers' } });
    await expect(open({ identity: 'nobody' })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'identity-missing', identity: 'nobody' } });
    await expect(open({ wallet: other?.wallet })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { reason: 'identity-of-another-organisation', expected: 'GuangzhouMSP', found: 'ZhuhaiMSP' },
    });
  });
});
