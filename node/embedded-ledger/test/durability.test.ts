import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createPrivateKey } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseBlock, type ConnectionFile } from '../src/index.js';
import { connectWith, Place, text, type Client } from './fixture.js';

let place: Place;

beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.leave());

interface LedgerProcess {
  readonly child: ChildProcess;
  readonly client: Client;
  /** Handlers of uncaught errors that the ledger's libraries left in the process. */
  readonly crashHandlers: number;
  /** SIGKILL, as a power cut does it to a process. */
  kill(): Promise<void>;
}

async function startProcess(): Promise<LedgerProcess> {
  const script = fileURLToPath(new URL('ledger-process.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, place.dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  place.atEnd(kill);
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited.then(() => { throw new Error('the ledger process ended'); })])) as [string];
  const { connectionFile, crashHandlers } = JSON.parse(line) as { connectionFile: string; crashHandlers: number };
  const client = await connectWith(connectionFile);
  place.atEnd(() => { client.close(); });
  return { child, client, crashHandlers, kill };
}

async function codesOf(client: Client): Promise<Map<string, string>> {
  const codes = new Map<string, string>();
  const height = await heightOf(client);
  const stream = await client.network.getBlockEvents({ startBlock: 0n });
  let previous = '';
  for await (const bytes of stream) {
    const block = parseBlock(bytes.serializeBinary());
    expect(block.previousHash).toBe(previous);
    previous = block.hash;
    for (const { txId, code } of block.transactions) codes.set(txId, code);
    if (block.number === height - 1) break;
  }
  stream.close();
  return codes;
}

async function heightOf(client: Client): Promise<number> {
  const { common } = await import('@hyperledger/fabric-protos');
  return common.BlockchainInfo.deserializeBinary(await client.network.getContract('qscc').evaluateTransaction('GetChainInfo', 'huilian')).getHeight();
}

describe('kill -9', () => {
  it('right after the acknowledgement loses nothing: state, block, code and identities are there again', async () => {
    const first = await startProcess();
    const endorsed = await first.client.contract.newProposal('increase', { arguments: ['a'] }).endorse();
    const status = await (await endorsed.submit()).getStatus();
    await first.kill();
    expect(status.successful).toBe(true);
    const second = await startProcess();
    expect(text(await second.client.contract.evaluateTransaction('read', 'a'))).toBe('1');
    expect((await codesOf(second.client)).get(endorsed.getTransactionId())).toBe('VALID');
    expect((await second.client.gateway.newTransaction(endorsed.getBytes()).submit().then((commit) => commit.getStatus())).blockNumber).toBe(status.blockNumber);
    expect(text(await second.client.contract.evaluateTransaction('read', 'a'))).toBe('1');
  });

  it('in the middle of work, again and again: all that was acknowledged counts, once', async () => {
    const acknowledged: string[] = [];
    const counts = new Map<string, number>();
    for (let round = 0; round < 4; round += 1) {
      const running = await startProcess();
      let open = true;
      const workers = Array.from({ length: 6 }, async (_, worker) => {
        const name = `worker-${String(worker)}`;
        while (open) {
          const endorsed = await running.client.contract.newProposal('increase', { arguments: [name] }).endorse();
          const status = await (await endorsed.submit()).getStatus();
          if (!status.successful) throw new Error('a conflict where there can be none');
          acknowledged.push(endorsed.getTransactionId());
          counts.set(name, (counts.get(name) ?? 0) + 1);
          if (acknowledged.length === 40 * (round + 1)) await running.kill();
        }
      });
      const ends = await Promise.allSettled(workers.map((worker) => worker.finally(() => { open = false; })));
      expect(ends.every(({ status }) => status === 'rejected' || status === 'fulfilled')).toBe(true);
      running.client.close();
    }
    const last = await startProcess();
    const codes = await codesOf(last.client);
    expect(acknowledged.length).toBeGreaterThanOrEqual(160);
    expect(acknowledged.filter((txId) => codes.get(txId) !== 'VALID')).toEqual([]);
    let stored = 0;
    for (const [name, count] of counts) {
      const value = Number(text(await last.client.contract.evaluateTransaction('read', name)));
      // What was on disk and not yet acknowledged when the process died counts too; there is one such call a round at most.
      expect(value).toBeGreaterThanOrEqual(count);
      expect(value).toBeLessThanOrEqual(count + 4);
      stored += value;
    }
    expect([...codes.values()].filter((code) => code === 'VALID').length - 1).toBe(stored);
  });
});

describe('a process that holds a ledger', () => {
  it('still ends with an error when something in it crashes: fabric-shim leaves no handlers behind', async () => {
    expect((await startProcess()).crashHandlers).toBe(0);
  });
});

describe('an orderly restart on the same folder', () => {
  it('keeps the identity that a connection file names, and writes where the ledger listens now', async () => {
    const users = [{ name: 'clerk', role: 'client' as const }];
    const first = await place.start({ organisations: [{ mspId: 'RiverMSP', name: 'River (invented)', users }] });
    const [path, before] = [first.connectionFile('RiverMSP'), JSON.parse(await readFile(first.connectionFile('RiverMSP'), 'utf8')) as ConnectionFile];
    await first.close();
    const second = await place.start({ organisations: [] });
    const after = JSON.parse(await readFile(path, 'utf8')) as ConnectionFile;
    expect(after).toEqual({ ...before, endpoint: second.address });
    expect(after.certPath).toBe('../identities/RiverMSP/clerk/cert.pem');
    await (await place.client(second)).contract.submitTransaction('put', 'a', 'b');
  });

  it('keeps identities, chain and events, and adds organisations by a configuration block', async () => {
    const first = await place.start();
    const client = await place.client(first);
    await client.contract.submitTransaction('announce', 'before', '1');
    const connection = JSON.parse(await readFile(first.connectionFile('RiverMSP'), 'utf8')) as ConnectionFile;
    const certificate = await readFile(join(place.dir, 'connections', connection.certPath), 'utf8');
    const height = first.height();
    await first.close();
    const second = await place.start({ organisations: [{ mspId: 'SeaMSP', name: 'Sea (invented)' }] });
    expect(second.height()).toBe(height + 1n);
    expect(await readFile(join(place.dir, 'connections', connection.certPath), 'utf8')).toBe(certificate);
    const sea = await place.client(second, 'SeaMSP');
    await sea.contract.submitTransaction('announce', 'after', '2');
    const names: string[] = [];
    const events = await (await place.client(second)).network.getChaincodeEvents('notes', { startBlock: 0n });
    for await (const event of events) if (names.push(event.eventName) === 2) break;
    events.close();
    expect(names).toEqual(['before', 'after']);
    await second.addOrganisation({ mspId: 'WindMSP', name: 'Wind (invented)' });
    const stream = await sea.network.getBlockEvents({ startBlock: second.height() - 1n });
    for await (const block of stream) {
      expect(parseBlock(block.serializeBinary()).transactions[0]).toMatchObject({ type: 'CONFIG', code: 'VALID' });
      break;
    }
    stream.close();
    await (await place.client(second, 'WindMSP')).contract.submitTransaction('put', 'wind', 'blows');
    const again = second.height();
    await second.close();
    expect((await place.start({ organisations: [] })).height()).toBe(again);
  });

  it('a folder in use, another channel, an open host without TLS are refused with a reason', async () => {
    const running = await place.start();
    await expect(place.start()).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN', cause: { code: 'LEVEL_LOCKED' } });
    await running.close();
    await expect(place.start({ channel: 'other' })).rejects.toThrow('holds channel huilian');
    await expect(place.start({ listen: { host: '0.0.0.0' } })).rejects.toThrow('only with TLS');
    await expect(place.start({ chaincodes: {} })).rejects.toThrow('at least one chaincode');
    await expect(place.start({ endorsement: 3 })).rejects.toThrow('3 of 2 organisations');
  });

  it('what was submitted is committed before an orderly end', async () => {
    const ledger = await place.start({ batch: { timeoutMs: 10_000 } });
    const client = await place.client(ledger);
    await (await client.contract.newProposal('put', { arguments: ['a', 'waited'] }).endorse()).submit();
    await ledger.close();
    const again = await place.client(await place.start());
    expect(text(await again.contract.evaluateTransaction('get', 'a'))).toBe('waited');
  });
});

describe('what is written for clients', () => {
  it('is enough for one that reads identities by folder, as Fabric lays them out, and speaks TLS', async () => {
    const { certificate, key } = await selfSigned();
    const ledger = await place.start({ tls: { cert: certificate, key } });
    const path = ledger.connectionFile('HillMSP');
    const connection = JSON.parse(await readFile(path, 'utf8')) as ConnectionFile;
    const roots = await readFile(join(path, '..', connection.tlsCaCert ?? ''));
    const only = async (folder: string): Promise<Buffer> => {
      const [file] = await readdir(join(ledger.identityDir('HillMSP', 'user'), 'msp', folder));
      return readFile(join(ledger.identityDir('HillMSP', 'user'), 'msp', folder, file ?? ''));
    };
    const client = new grpc.Client(connection.endpoint, grpc.credentials.createSsl(roots), { 'grpc.ssl_target_name_override': 'ledger.test' });
    place.atEnd(() => { client.close(); });
    const gateway = connect({ client, identity: { mspId: connection.mspId, credentials: await only('signcerts') }, signer: signers.newPrivateKeySigner(createPrivateKey(await only('keystore'))), hash: hash.sha256 });
    await gateway.getNetwork(connection.channel).getContract('notes').submitTransaction('put', 'over', 'tls');
    expect(text(await gateway.getNetwork(connection.channel).getContract('notes').evaluateTransaction('get', 'over'))).toBe('tls');
  });

  it('private keys are for their owner alone', async () => {
    const ledger = await place.start();
    for (const path of [join(place.dir, 'ca', 'HillMSP', 'ca-key.pem'), join(ledger.identityDir('HillMSP', 'user'), 'key.pem'), join(ledger.identityDir('HillMSP', 'peer0'), 'msp', 'keystore', 'key.pem')]) {
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
  });
});

/** A TLS certificate for `ledger.test`, made with the test's own means. */
async function selfSigned(): Promise<{ certificate: string; key: string }> {
  await import('reflect-metadata');
  const { SubjectAlternativeNameExtension, X509CertificateGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Parameters<typeof X509CertificateGenerator.createSelfSigned>[0]['keys'];
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=ledger.test',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'ledger.test' }])],
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { certificate: made.toString('pem'), key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }).toString() };
}
