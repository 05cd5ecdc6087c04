import { createPrivateKey } from 'node:crypto';
import path from 'node:path';
import { isJsonObject, ProtocolError, type JsonObject, type JsonValue } from '@huilian/protocol';
import type { PeerEndpoint } from './peer-client.js';
import type { PeerIdentity } from './peer-gateway.js';
import { readJsonFile, readOrRefuse } from './connection.js';
import { signLowS } from './sign-low-s.js';

/** What a member keeps for the older client: a connection profile, a wallet, the label of its identity in it. */
export interface NetworkClientFiles {
  /** JSON connection profile, static: it names every peer and orderer. */
  readonly profile: string;
  /** Folder of a file-system wallet. */
  readonly wallet: string;
  /** Label of the identity in the wallet. */
  readonly identity: string;
  readonly channel: string;
}

export interface NetworkConnection {
  readonly profile: JsonObject;
  /** Organisations whose peers endorse. */
  readonly organisations: readonly string[];
  /** The own organisation's peers first. */
  readonly peers: readonly [PeerEndpoint, ...PeerEndpoint[]];
  readonly who: PeerIdentity;
  /** The identity as the wallet holds it. */
  readonly walletIdentity: { readonly credentials: { readonly certificate: string; readonly privateKey: string }; readonly mspId: string; readonly type: 'X.509' };
}

/**
 * Reads profile and wallet and checks that they fit together.
 * @throws CONFIG_INVALID {file, reason}: file-missing, not-json, section-missing, peer-missing {peer}, no-orderers,
 * identity-missing {identity}, identity-of-another-organisation {expected, found}
 */
export async function readNetworkConnection(files: NetworkClientFiles): Promise<NetworkConnection> {
  const profile = object(await readJsonFile(files.profile), files.profile, 'profile');
  const organisations = entries(profile, 'organizations', files.profile);
  const peers = new Map(entries(profile, 'peers', files.profile));
  if (entries(profile, 'orderers', files.profile).length === 0) throw invalid(files.profile, 'no-orderers');
  const named = organisations.flatMap(([, organisation]) => list(organisation['peers']).map((name) => ({ mspId: String(organisation['mspid']), name })));
  const lost = named.find(({ name }) => !peers.has(name));
  if (lost !== undefined) throw invalid(files.profile, 'peer-missing', { peer: lost.name });
  const walletIdentity = await readIdentity(files);
  const own = ownOrganisation(profile, new Map(organisations), files.profile);
  if (walletIdentity.mspId !== own) throw invalid(files.wallet, 'identity-of-another-organisation', { expected: own, found: walletIdentity.mspId });
  const ordered = [...named.filter(({ mspId }) => mspId === own), ...named.filter(({ mspId }) => mspId !== own)];
  const [first, ...others] = await Promise.all(ordered.map(async ({ name }) => await endpointOf(peers.get(name) ?? {}, files.profile)));
  if (first === undefined) throw invalid(files.profile, 'peer-missing');
  const key = createPrivateKey(walletIdentity.credentials.privateKey);
  return {
    profile,
    organisations: [...new Set(named.map(({ mspId }) => mspId))],
    peers: [first, ...others],
    who: {
      channel: files.channel,
      identity: { mspId: own, credentials: Buffer.from(walletIdentity.credentials.certificate) },
      signer: (message) => Promise.resolve(signLowS(key, message)),
    },
    walletIdentity,
  };
}

async function readIdentity({ identity, wallet }: NetworkClientFiles): Promise<NetworkConnection['walletIdentity']> {
  const file = path.join(wallet, `${identity}.id`);
  const value = await readJsonFile(file).catch(() => {
    throw invalid(wallet, 'identity-missing', { identity });
  });
  const { credentials, mspId, type } = object(value, file, 'identity');
  const { certificate, privateKey } = object(credentials, file, 'credentials');
  if (type !== 'X.509' || typeof mspId !== 'string' || typeof certificate !== 'string' || typeof privateKey !== 'string') throw invalid(file, 'not-an-x509-identity');
  return { credentials: { certificate, privateKey }, mspId, type };
}

function ownOrganisation(profile: JsonObject, organisations: ReadonlyMap<string, JsonObject>, file: string): string {
  const name = object(profile['client'], file, 'client')['organization'];
  const mspId = organisations.get(String(name))?.['mspid'];
  return typeof mspId === 'string' ? mspId : invalidNow(file, 'client-organization-unknown');
}

async function endpointOf({ tlsCACerts, url }: JsonObject, file: string): Promise<PeerEndpoint> {
  const address = /^grpcs?:\/\/(.+)$/.exec(String(url))?.[1] ?? invalidNow(file, 'peer-url');
  if (!isJsonObject(tlsCACerts)) return { address };
  const { path: near, pem } = tlsCACerts;
  const tlsCaCert = typeof pem === 'string' ? Buffer.from(pem) : await readOrRefuse(path.resolve(path.dirname(file), String(near)));
  return { address, tlsCaCert };
}

function entries(profile: JsonObject, section: string, file: string): [string, JsonObject][] {
  return Object.entries(object(profile[section], file, section)).map(([name, value]) => [name, object(value, file, section)]);
}

function list(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(String) : [];
}

function object(value: unknown, file: string, section: string): JsonObject {
  return isJsonObject(value as JsonValue) ? (value as JsonObject) : invalidNow(file, 'section-missing', { section });
}

function invalidNow(file: string, reason: string, details: Readonly<Record<string, string>> = {}): never {
  throw invalid(file, reason, details);
}

function invalid(file: string, reason: string, details: Readonly<Record<string, string>> = {}): ProtocolError {
  return new ProtocolError('CONFIG_INVALID', { file, reason, ...details });
}
