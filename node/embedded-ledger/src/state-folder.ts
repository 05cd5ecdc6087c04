import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { createAuthority, issueCertificate, type KeyPair, type Role, type Validity } from './certificates.js';

export interface LedgerUser {
  readonly name: string;
  readonly role: 'admin' | 'client' | 'peer';
}

export interface LedgerOrganisation {
  readonly mspId: string;
  /** Name for people; goes into the certificates' O. */
  readonly name: string;
  /** Identities to issue; `admin` (role admin) and `user` (role client) when not given. */
  readonly users?: readonly LedgerUser[];
  /**
   * The organisation's own root authority (P-256, PEM), as it has one elsewhere, such as on a Fabric network: certificates
   * that it issued there then act here too. One is made at the first start when none is given; it never changes after that.
   */
  readonly authority?: KeyPair;
}

export interface IdentityRequest {
  readonly name: string;
  readonly role: Role;
  /** One hour ago when not given. */
  readonly notBefore?: Date;
  /** Ten years from now when not given. */
  readonly notAfter?: Date;
  /** Organisational units in place of the role; none makes an identity without a role. */
  readonly ou?: readonly string[];
}

export interface IssuedIdentity extends KeyPair {
  readonly mspId: string;
  readonly certPath: string;
  readonly keyPath: string;
}

/** What a client needs to connect; paths are relative to the file. */
export interface ConnectionFile {
  readonly channel: string;
  readonly chaincodes: readonly string[];
  readonly mspId: string;
  /** host:port */
  readonly endpoint: string;
  readonly tlsCaCert?: string;
  readonly certPath: string;
  readonly keyPath: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const HOUR = 3_600_000;
const TEN_YEARS = 10 * 365 * 24 * HOUR;
export const DEFAULT_USERS: readonly LedgerUser[] = [
  { name: 'admin', role: 'admin' },
  { name: 'user', role: 'client' },
];
/** The endorsing identity of each organisation. */
export const PEER_NAME = 'peer0';

function checkName(what: string, name: string): string {
  if (!NAME.test(name)) throw new Error(`${what} ${JSON.stringify(name)} is not a plain name: letters, digits, dot, dash, underscore`);
  return name;
}

function authorityDir(dir: string, mspId: string): string {
  return resolve(dir, 'ca', checkName('MSP id', mspId));
}

export function identityDir(dir: string, mspId: string, user: string): string {
  return resolve(dir, 'identities', checkName('MSP id', mspId), checkName('user name', user));
}

export function connectionFile(dir: string, mspId: string): string {
  return resolve(dir, 'connections', `${checkName('MSP id', mspId)}.json`);
}

/** Whole file or none, on disk before it returns. */
export async function writeDurably(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(dirname(path));
}

/** A rename is on disk when its folder is; Windows offers no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function validityFrom(now: Date, request: Partial<Validity> = {}): Validity {
  return {
    notBefore: request.notBefore ?? new Date(now.getTime() - HOUR),
    notAfter: request.notAfter ?? new Date(now.getTime() + TEN_YEARS),
  };
}

function sameCertificate(left: string, right: string): boolean {
  return new X509Certificate(left).raw.equals(new X509Certificate(right).raw);
}

/**
 * The organisation's authority, made or taken over at the first start. The certificate is written last: without it there
 * is none. @throws when another authority is given than the folder holds
 */
export async function openAuthority(dir: string, organisation: LedgerOrganisation, now: Date): Promise<KeyPair> {
  const folder = authorityDir(dir, organisation.mspId);
  const certificate = await readIfPresent(join(folder, 'ca.pem'));
  if (certificate !== undefined) {
    const given = organisation.authority?.certificate;
    if (given !== undefined && !sameCertificate(given, certificate)) throw new Error(`the folder holds another authority of ${organisation.mspId} than the one given`);
    return { certificate, key: await readFile(join(folder, 'ca-key.pem'), 'utf8') };
  }
  const authority = organisation.authority ?? (await createAuthority(organisation.name, organisation.mspId, validityFrom(now)));
  await writeDurably(join(folder, 'ca-key.pem'), authority.key, 0o600);
  await writeDurably(join(folder, 'ca.pem'), authority.certificate);
  return authority;
}

function issuedAt(dir: string, mspId: string, user: string, pair: KeyPair): IssuedIdentity {
  const folder = identityDir(dir, mspId, user);
  return { ...pair, mspId, certPath: join(folder, 'cert.pem'), keyPath: join(folder, 'key.pem') };
}

/** An identity that was issued before; undefined when there is none of that name. */
async function readIdentity(dir: string, mspId: string, user: string): Promise<IssuedIdentity | undefined> {
  const folder = identityDir(dir, mspId, user);
  const certificate = await readIfPresent(join(folder, 'cert.pem'));
  if (certificate === undefined) return undefined;
  return issuedAt(dir, mspId, user, { certificate, key: await readFile(join(folder, 'key.pem'), 'utf8') });
}

/**
 * Issues an identity of an organisation of the ledger in `dir` and writes it to `identities/<mspId>/<name>` (cert.pem,
 * key.pem, msp-id, and an `msp` folder as Fabric lays it out), in place of one of that name. Works while the ledger runs, which needs no notice of it. @throws when the organisation has no authority
 */
export async function issueIdentity(dir: string, mspId: string, request: IdentityRequest): Promise<IssuedIdentity> {
  const folder = authorityDir(dir, mspId);
  const authority = {
    certificate: await readFile(join(folder, 'ca.pem'), 'utf8'),
    key: await readFile(join(folder, 'ca-key.pem'), 'utf8'),
  };
  const subject = { name: checkName('user name', request.name), organisation: mspId, units: request.ou ?? [request.role] };
  const pair = await issueCertificate(authority, subject, validityFrom(new Date(), request));
  const issued = issuedAt(dir, mspId, request.name, pair);
  await writeDurably(issued.keyPath, pair.key, 0o600);
  await writeMspFolder(join(identityDir(dir, mspId, request.name), 'msp'), pair, authority.certificate);
  await writeDurably(join(identityDir(dir, mspId, request.name), 'msp-id'), `${mspId}\n`);
  await writeDurably(issued.certPath, pair.certificate);
  return issued;
}

/** The same identity in Fabric's own folders, which its tools and tutorials read by folder and not by file. */
async function writeMspFolder(folder: string, pair: KeyPair, authority: string): Promise<void> {
  await writeDurably(join(folder, 'keystore', 'key.pem'), pair.key, 0o600);
  await writeDurably(join(folder, 'signcerts', 'cert.pem'), pair.certificate);
  await writeDurably(join(folder, 'cacerts', 'ca.pem'), authority);
}

/** The identity of that name, issued when it does not exist. */
export async function openIdentity(dir: string, mspId: string, request: IdentityRequest): Promise<IssuedIdentity> {
  return (await readIdentity(dir, mspId, request.name)) ?? issueIdentity(dir, mspId, request);
}

/** The user whose identity an existing connection file names. */
export async function connectionUser(dir: string, mspId: string): Promise<string | undefined> {
  const content = await readIfPresent(connectionFile(dir, mspId));
  return content === undefined ? undefined : basename(dirname((JSON.parse(content) as ConnectionFile).certPath));
}

export async function writeConnectionFile(
  dir: string,
  user: string,
  content: Omit<ConnectionFile, 'certPath' | 'keyPath' | 'tlsCaCert'> & { readonly tlsCaCert?: string },
): Promise<void> {
  const path = connectionFile(dir, content.mspId);
  const near = (target: string): string => relative(dirname(path), target).replaceAll('\\', '/');
  const identity = identityDir(dir, content.mspId, user);
  const { tlsCaCert, ...rest } = content;
  const file: ConnectionFile = {
    ...rest,
    ...(tlsCaCert === undefined ? {} : { tlsCaCert: near(tlsCaCert) }),
    certPath: near(join(identity, 'cert.pem')),
    keyPath: near(join(identity, 'key.pem')),
  };
  await writeDurably(path, `${JSON.stringify(file, undefined, 2)}\n`);
}

/** What a client of a static connection profile needs to know: the older Fabric clients, which discover nothing. */
export interface StaticNetwork {
  readonly channel: string;
  /** host:port of the one orderer. */
  readonly orderer: string;
  readonly tlsCaCert: string | undefined;
  /** Every organisation and where its peer listens. */
  readonly peers: readonly { readonly mspId: string; readonly address: string }[];
}

function profileFile(dir: string, mspId: string): string {
  return resolve(dir, 'connections', `${checkName('MSP id', mspId)}-profile.json`);
}

function walletDir(dir: string, mspId: string): string {
  return resolve(dir, 'wallets', checkName('MSP id', mspId));
}

const peerOf = (mspId: string): string => `${PEER_NAME}.${mspId}`;
const ORDERER_NAME = 'orderer0';

/** A connection profile (fabric-network 2.2, JSON) as one organisation's clients take it. */
export async function writeProfile(dir: string, own: string, { channel, orderer, peers, tlsCaCert }: StaticNetwork): Promise<void> {
  const node = (address: string): object => ({
    url: `${tlsCaCert === undefined ? 'grpc' : 'grpcs'}://${address}`,
    ...(tlsCaCert === undefined ? {} : { tlsCACerts: { pem: tlsCaCert } }),
  });
  const names = peers.map(({ mspId }) => peerOf(mspId));
  const profile = {
    name: `${channel}-${own}`,
    version: '1.0.0',
    client: { organization: own },
    organizations: Object.fromEntries(peers.map(({ mspId }) => [mspId, { mspid: mspId, peers: [peerOf(mspId)] }])),
    peers: Object.fromEntries(peers.map(({ address, mspId }) => [peerOf(mspId), node(address)])),
    orderers: { [ORDERER_NAME]: node(orderer) },
    channels: { [channel]: { orderers: [ORDERER_NAME], peers: Object.fromEntries(names.map((name) => [name, {}])) } },
  };
  await writeDurably(profileFile(dir, own), `${JSON.stringify(profile, null, 2)}\n`);
}

/** An identity as a file-system wallet of fabric-network holds it, under the user's own name. */
export async function writeWalletIdentity(dir: string, mspId: string, user: string): Promise<void> {
  const identity = await readIdentity(dir, mspId, user);
  if (identity === undefined) return;
  const content = { credentials: { certificate: identity.certificate, privateKey: identity.key }, mspId, type: 'X.509', version: 1 };
  await writeDurably(join(walletDir(dir, mspId), `${user}.id`), `${JSON.stringify(content)}\n`, 0o600);
}

/** Where an organisation's peer listened before: clients keep their profile over a restart. */
export async function formerPeerPort(dir: string, mspId: string): Promise<number> {
  const content = await readIfPresent(profileFile(dir, mspId));
  if (content === undefined) return 0;
  const { peers } = JSON.parse(content) as { peers: Record<string, { url: string }> };
  return Number(/:(\d+)$/.exec(peers[peerOf(mspId)]?.url ?? '')?.[1] ?? 0);
}
