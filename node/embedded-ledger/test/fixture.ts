import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers, type ConnectOptions, type Contract, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import { issueIdentity, startLedger, type ConnectionFile, type Ledger, type LedgerOptions } from '../src/index.js';
import { Notes } from './contracts.js';

export const ORGANISATIONS = [
  { mspId: 'RiverMSP', name: '河口市公共资源交易中心（虚构）' },
  { mspId: 'HillMSP', name: 'Hill county trading centre (invented)' },
];

export interface Client {
  readonly gateway: Gateway;
  readonly network: Network;
  readonly contract: Contract;
  close(): void;
}

export interface Person {
  readonly mspId: string;
  readonly certificate: string;
  readonly key: string;
}

/** A stock client from an address and an identity. */
function connectAs(address: string, person: Person, options: Partial<ConnectOptions> = {}): Client {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': 110 * 1024 * 1024 });
  const gateway = connect({
    client,
    identity: { mspId: person.mspId, credentials: Buffer.from(person.certificate) },
    signer: signers.newPrivateKeySigner(createPrivateKey(person.key)),
    hash: hash.sha256,
    ...options,
  });
  const network = gateway.getNetwork('huilian');
  const close = (): void => {
    gateway.close();
    client.close();
  };
  return { gateway, network, contract: network.getContract('notes'), close };
}

/** A stock client from nothing but the connection file. */
export async function connectWith(file: string, options: Partial<ConnectOptions> = {}): Promise<Client> {
  const content = JSON.parse(await readFile(file, 'utf8')) as ConnectionFile;
  const near = (path: string): Promise<string> => readFile(resolve(dirname(file), path), 'utf8');
  const person = { mspId: content.mspId, certificate: await near(content.certPath), key: await near(content.keyPath) };
  return connectAs(content.endpoint, person, options);
}

export class Place {
  readonly #closing: (() => void | Promise<void>)[] = [];

  private constructor(readonly dir: string) {}

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'embedded-ledger-')));
  }

  async start(options: Partial<LedgerOptions> = {}): Promise<Ledger> {
    const ledger = await startLedger({ dir: this.dir, chaincodes: { notes: { contracts: [Notes] } }, organisations: ORGANISATIONS, ...options });
    this.#closing.push(() => ledger.close());
    return ledger;
  }

  async client(ledger: Ledger, mspId = 'RiverMSP', options: Partial<ConnectOptions> = {}): Promise<Client> {
    const client = await connectWith(ledger.connectionFile(mspId), options);
    this.#closing.push(() => { client.close(); });
    return client;
  }

  as(ledger: Ledger, person: Person): Client {
    const client = connectAs(ledger.address, person);
    this.#closing.push(() => { client.close(); });
    return client;
  }

  issue: (mspId: string, request: Parameters<typeof issueIdentity>[2]) => ReturnType<typeof issueIdentity> = (mspId, request) => issueIdentity(this.dir, mspId, request);

  atEnd(action: () => void | Promise<void>): void {
    this.#closing.push(action);
  }

  async leave(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
