import { createPrivateKey } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { Chain, type BatchLimits } from './chain.js';
import { ChaincodeHost, type ChaincodeSource } from './chaincode-host.js';
import { channelGroupBytes, configEnvelope, readConfigEnvelope, requiredEndorsements, type ChannelConfiguration, type ConfiguredOrganisation, type EndorsementRule } from './config-block.js';
import { DeliverService } from './deliver-service.js';
import { Endorser, type Peer } from './endorser.js';
import { GatewayService } from './gateway-service.js';
import { LedgerStore } from './ledger-store.js';
import { Membership } from './membership.js';
import { blockEnvelopes, parseBlock } from './block-reader.js';
import { startRpcServer, type RpcServer } from './rpc-server.js';
import {
  connectionFile,
  connectionUser,
  DEFAULT_USERS,
  formerPeerPort,
  identityDir,
  openAuthority,
  openIdentity,
  PEER_NAME,
  writeConnectionFile,
  writeDurably,
  writeProfile,
  writeWalletIdentity,
  type LedgerOrganisation,
} from './state-folder.js';
import { TransactionValidator } from './transaction-validator.js';
import { message, WireMessage } from './wire.js';

export type LogLevel = 'info' | 'warn' | 'error';

export interface LedgerOptions {
  /** State folder: level store, authorities' keys, identities, connection files. */
  readonly dir: string;
  /** `huilian` when not given. */
  readonly channel?: string;
  /** Name → module path (a folder with package.json, or a file) that exports `contracts`, or the classes themselves. */
  readonly chaincodes: Readonly<Record<string, ChaincodeSource>>;
  /** Organisations of the channel. Those of an earlier start on the same folder stay, listed or not. */
  readonly organisations: readonly LedgerOrganisation[];
  /** How many organisations must endorse; a majority when not given. */
  readonly endorsement?: EndorsementRule;
  /** 127.0.0.1 and a free port when not given. A host that is no loopback address needs TLS. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** PEM; the last certificate of `cert` is what clients trust. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** 20 ms, 500 messages, 4 MiB when not given. */
  readonly batch?: Partial<BatchLimits>;
  /** Proposals dated further away than this from the clock are refused; 180 when not given. */
  readonly proposalTimeWindowSeconds?: number;
  /** Longest run of a contract; 30 s when not given, as in Fabric. */
  readonly chaincodeTimeoutMs?: number;
  readonly clock?: () => Date;
  readonly log?: (level: LogLevel, message: string, fields?: Record<string, unknown>) => void;
}

export interface Ledger {
  /** host:port of the gateway. */
  readonly address: string;
  readonly channel: string;
  /** Number of blocks. */
  height(): bigint;
  connectionFile(mspId: string): string;
  identityDir(mspId: string, user: string): string;
  /** Adds an organisation by a configuration block, issues its identities and lets it endorse from then on. */
  addOrganisation(organisation: LedgerOrganisation): Promise<void>;
  close(): Promise<void>;
}

const ORDERER_MSP = 'EmbeddedOrdererMSP';
const DEFAULT_BATCH: BatchLimits = { timeoutMs: 20, maxMessages: 500, maxBytes: 4 * 1024 * 1024 };
const CHANNEL_NAME = /^[a-z][a-z0-9.-]{0,248}$/;
const CHAINCODE_NAME = /^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$/;

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** What cannot work is said before anything is opened. */
function checkOptions(options: LedgerOptions): void {
  const host = options.listen?.host ?? '127.0.0.1';
  if (!isLoopback(host) && !options.tls) throw new Error(`the ledger listens on ${host} only with TLS: without it, requests and answers could be read and changed on the way`);
  if (!CHANNEL_NAME.test(options.channel ?? 'huilian')) throw new Error('channel: lower-case letters, digits, dots and dashes, a letter first');
  for (const name of Object.keys(options.chaincodes)) if (!CHAINCODE_NAME.test(name)) throw new Error(`chaincode name ${JSON.stringify(name)}: letters, digits, - and _`);
  if (Object.keys(options.chaincodes).length === 0) throw new Error('at least one chaincode is needed');
  const ids = options.organisations.map(({ mspId }) => mspId);
  if (new Set(ids).size < ids.length) throw new Error('each organisation needs an MSP id of its own');
  if (ids.includes(ORDERER_MSP)) throw new Error(`${ORDERER_MSP} is the ledger's own`);
}

/** A rule that no transaction could meet is no rule. */
function checkEndorsement({ organisations, endorsement }: ChannelConfiguration): void {
  if (organisations.length === 0) throw new Error('at least one organisation is needed');
  if (typeof endorsement !== 'number') return;
  if (!Number.isInteger(endorsement) || endorsement < 1 || endorsement > organisations.length) {
    throw new Error(`endorsement: ${String(endorsement)} of ${String(organisations.length)} organisations is not possible`);
  }
}

async function openPeer(dir: string, mspId: string, name: string, role: 'peer' | 'orderer'): Promise<Peer> {
  const { certificate, key } = await openIdentity(dir, mspId, { name, role });
  return { mspId, identity: message([1, mspId], [2, certificate]).toBytes(), key: createPrivateKey(key) };
}

/** The last configuration block's number, from the metadata of the newest block. */
function lastConfigOf(block: Uint8Array): number {
  const signatures = new WireMessage(new WireMessage(block).message(3).list(1)[0] ?? new Uint8Array(0));
  return new WireMessage(signatures.bytes(1)).message(1).uint(1);
}

/** The parts of a running ledger, put together. */
class RunningLedger implements Ledger {
  readonly #endorsers = new Map<string, Endorser>();
  readonly #membership = new Membership();
  readonly #chaincodes: ReadonlyMap<string, ChaincodeHost>;
  readonly #options: LedgerOptions;
  readonly #store: LedgerStore;
  readonly #orderer: Peer;
  readonly #batch: BatchLimits;
  readonly #organisations: ConfiguredOrganisation[] = [];
  readonly #ordererOrganisation: ConfiguredOrganisation;
  #sequence = -1;
  #group: Uint8Array = new Uint8Array(0);
  #chain: Chain | undefined;
  #server: RpcServer | undefined;
  /** A port for each organisation's peer: a static profile tells peers apart by address. */
  readonly #peerDoors = new Map<string, RpcServer>();
  #openPeerDoor: (mspId: string) => Promise<void> = () => Promise.resolve();
  #closing: Promise<void> | undefined;
  #changing: Promise<void> = Promise.resolve();
  readonly channel: string;

  constructor(parts: { options: LedgerOptions; store: LedgerStore; chaincodes: ReadonlyMap<string, ChaincodeHost>; orderer: Peer; ordererAuthority: string }) {
    this.#options = parts.options;
    this.#store = parts.store;
    this.#chaincodes = parts.chaincodes;
    this.#orderer = parts.orderer;
    this.#ordererOrganisation = { mspId: ORDERER_MSP, authority: parts.ordererAuthority };
    this.#batch = { ...DEFAULT_BATCH, ...parts.options.batch };
    this.channel = parts.options.channel ?? 'huilian';
  }

  get address(): string {
    return this.#server?.address ?? '';
  }

  height(): bigint {
    return BigInt(this.#store.height);
  }

  connectionFile(mspId: string): string {
    return connectionFile(this.#options.dir, mspId);
  }

  identityDir(mspId: string, user: string): string {
    return identityDir(this.#options.dir, mspId, user);
  }

  #now = (): Date => this.#options.clock?.() ?? new Date();

  #log(level: LogLevel, text: string, fields?: Record<string, unknown>): void {
    this.#options.log?.(level, text, fields);
  }

  #required = (): number => requiredEndorsements(this.#options.endorsement ?? 'majority', this.#organisations.length);

  /** Reads the configuration in force and starts the chain behind the newest block. */
  async start(): Promise<void> {
    const { lastConfig, lastHash } = this.#readConfiguration();
    for (const organisation of this.#organisations) await this.#admit(organisation);
    const validator = new TransactionValidator(this.#membership, this.channel, (name) => this.#chaincodes.has(name), this.#required);
    this.#chain = new Chain({
      store: this.#store,
      orderer: this.#orderer,
      validator,
      batch: this.#batch,
      lastHash,
      lastConfig,
      onFailure: (error) => {
        this.#log('error', 'a block could not be written; the ledger takes nothing more', { error: String(error) });
      },
    });
    await this.#configure(this.#options.organisations);
    await this.#listen(this.#chain);
    await this.#writeConnections();
    this.#log('info', 'embedded ledger: one process orders, endorses and validates; for development, tests, demonstrations and single-site pilots', {
      address: this.address,
      channel: this.channel,
      height: this.#store.height,
      organisations: this.#organisations.map(({ mspId }) => mspId),
    });
  }

  #readConfiguration(): { readonly lastConfig: number; readonly lastHash: Uint8Array } {
    const newest = this.#store.block(this.#store.height - 1);
    if (newest === undefined) return { lastConfig: 0, lastHash: new Uint8Array(0) };
    const lastConfig = lastConfigOf(newest);
    const [envelope] = blockEnvelopes(this.#store.block(lastConfig) ?? new Uint8Array(0));
    const configuration = readConfigEnvelope(envelope ?? new Uint8Array(0));
    if (configuration.channel !== this.channel) throw new Error(`the folder holds channel ${configuration.channel}, not ${this.channel}`);
    this.#organisations.push(...configuration.organisations);
    this.#sequence = configuration.sequence;
    this.#group = configuration.group;
    return { lastConfig, lastHash: Buffer.from(parseBlock(newest).hash, 'hex') };
  }

  /** Lets an organisation act and endorse. */
  async #admit({ mspId, authority }: ConfiguredOrganisation): Promise<void> {
    this.#membership.addAuthority(mspId, authority);
    const peer = await openPeer(this.#options.dir, mspId, PEER_NAME, 'peer');
    this.#endorsers.set(mspId, new Endorser(peer, this.#store, this.#options.chaincodeTimeoutMs ?? 30_000));
  }

  async #issue(organisation: LedgerOrganisation): Promise<ConfiguredOrganisation> {
    const { certificate } = await openAuthority(this.#options.dir, organisation, this.#now());
    for (const user of organisation.users ?? DEFAULT_USERS) await openIdentity(this.#options.dir, organisation.mspId, user);
    return { mspId: organisation.mspId, authority: certificate };
  }

  /** Brings the channel's configuration to what was asked for, by one configuration block where it differs. */
  async #configure(organisations: readonly LedgerOrganisation[]): Promise<void> {
    const issued = await Promise.all(organisations.map((organisation) => this.#issue(organisation)));
    const added = issued.filter(({ mspId }) => !this.#organisations.some((known) => known.mspId === mspId));
    const configuration: ChannelConfiguration = {
      channel: this.channel,
      organisations: [...this.#organisations, ...added],
      ordererOrganisation: this.#ordererOrganisation,
      endorsement: this.#options.endorsement ?? 'majority',
      batch: this.#batch,
    };
    checkEndorsement(configuration);
    const group = channelGroupBytes(configuration);
    if (Buffer.compare(group, this.#group) !== 0) {
      this.#sequence += 1;
      await this.#chain?.appendConfiguration(configEnvelope(configuration, this.#sequence, this.#orderer, this.#now()));
      this.#group = group;
    }
    for (const organisation of added) {
      await this.#admit(organisation);
      this.#organisations.push(organisation);
    }
  }

  async #listen(chain: Chain): Promise<void> {
    const { listen, tls, proposalTimeWindowSeconds } = this.#options;
    const common = { channel: this.channel, store: this.#store, chain, membership: this.#membership, now: this.#now };
    const gateway = new GatewayService({
      ...common,
      chaincodes: this.#chaincodes,
      endorsers: this.#endorsers,
      proposalTimeWindowMs: (proposalTimeWindowSeconds ?? 180) * 1000,
      maxMessageBytes: this.#batch.maxBytes,
      address: () => this.address,
    });
    const deliver = new DeliverService({ ...common, log: (text, fields) => { this.#log('warn', text, fields); } });
    const onError = (error: unknown): void => {
      this.#log('error', 'a call failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    };
    const host = listen?.host ?? '127.0.0.1';
    this.#server = await startRpcServer({ gateway, deliver, host, port: listen?.port ?? 0, tls, onError });
    this.#openPeerDoor = async (mspId) => {
      const options = { peerOf: mspId, gateway, deliver, host, tls, onError };
      const port = await formerPeerPort(this.#options.dir, mspId);
      // Another program may have taken the port meanwhile; the profile then names a new one.
      this.#peerDoors.set(mspId, await startRpcServer({ ...options, port }).catch(() => startRpcServer({ ...options, port: 0 })));
    };
    for (const { mspId } of this.#organisations) await this.#openPeerDoor(mspId);
  }

  async #writeConnections(): Promise<void> {
    for (const { mspId } of this.#organisations) await this.#writeConnection(mspId);
    await this.#writeProfiles();
  }

  /** Each organisation's static profile names all peers, so that all are written when one is added. */
  async #writeProfiles(): Promise<void> {
    const { dir, tls } = this.#options;
    const network = {
      channel: this.channel,
      orderer: this.address,
      peers: [...this.#peerDoors].map(([mspId, { address }]) => ({ address, mspId })),
      tlsCaCert: tls === undefined ? undefined : lastCertificate(tls.cert),
    };
    for (const { mspId } of this.#organisations) await writeProfile(dir, mspId, network);
  }

  /** Says where to connect and with which identity: the first client, else the first user; unlisted organisations keep theirs. */
  async #writeConnection(mspId: string, organisation = this.#options.organisations.find((known) => known.mspId === mspId)): Promise<void> {
    const { dir, tls, chaincodes } = this.#options;
    const users = organisation?.users ?? DEFAULT_USERS;
    const chosen = (users.find(({ role }) => role === 'client') ?? users[0])?.name;
    const user = organisation ? chosen : ((await connectionUser(dir, mspId)) ?? chosen);
    if (user === undefined) return;
    const content = { channel: this.channel, chaincodes: Object.keys(chaincodes), mspId, endpoint: this.address };
    await writeWalletIdentity(dir, mspId, user);
    await writeConnectionFile(dir, user, tls ? { ...content, tlsCaCert: await this.#writeTlsCertificate(tls.cert) } : content);
  }

  async #writeTlsCertificate(chain: string): Promise<string> {
    const path = join(resolve(this.#options.dir), 'connections', 'tls-ca.pem');
    await writeDurably(path, `${lastCertificate(chain)}\n`);
    return path;
  }

  addOrganisation(organisation: LedgerOrganisation): Promise<void> {
    const change = this.#changing.then(async () => {
      if (organisation.mspId === ORDERER_MSP) throw new Error(`${ORDERER_MSP} is the ledger's own`);
      await this.#configure([organisation]);
      await this.#writeConnection(organisation.mspId, organisation);
      await this.#openPeerDoor(organisation.mspId);
      await this.#writeProfiles();
    });
    this.#changing = change.catch(() => undefined);
    return change;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#chain?.close();
    await Promise.all([this.#server, ...this.#peerDoors.values()].map(async (server) => { await server?.close(); }));
    await this.#store.close();
  }
}

function lastCertificate(chain: string): string {
  return (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).at(-1) ?? '';
}

async function loadChaincodes(sources: LedgerOptions['chaincodes']): Promise<Map<string, ChaincodeHost>> {
  const hosts = new Map<string, ChaincodeHost>();
  for (const [name, source] of Object.entries(sources)) hosts.set(name, await ChaincodeHost.load(name, source));
  return hosts;
}

/**
 * Starts a ledger on a state folder, new or used before. Resolves when clients can connect.
 * @throws when an option cannot work, the folder is in use (code LEVEL_LOCKED) or holds another channel
 */
export async function startLedger(options: LedgerOptions): Promise<Ledger> {
  checkOptions(options);
  const chaincodes = await loadChaincodes(options.chaincodes);
  await mkdir(options.dir, { recursive: true });
  const store = await LedgerStore.open(join(resolve(options.dir), 'store'));
  try {
    const { certificate } = await openAuthority(options.dir, { mspId: ORDERER_MSP, name: 'Embedded ledger' }, options.clock?.() ?? new Date());
    const orderer = await openPeer(options.dir, ORDERER_MSP, 'orderer0', 'orderer');
    const ledger = new RunningLedger({ options, store, chaincodes, orderer, ordererAuthority: certificate });
    await ledger.start();
    return ledger;
  } catch (error) {
    await store.close();
    throw error;
  }
}
