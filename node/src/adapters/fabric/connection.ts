import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Identity, Signer } from '@hyperledger/fabric-gateway';
import type { ConnectionFile } from '@huilian/embedded-ledger';
import { isJsonObject, ProtocolError } from '@huilian/protocol';
import type { PeerEndpoint } from './peer-client.js';
import { signLowS } from './sign-low-s.js';

/** What the gateway client needs of a connection file and of the files it points at. */
export interface Connection {
  readonly channel: string;
  /** Tried in this order: the one named `endpoint` first, then those of `peers`. */
  readonly peers: readonly [PeerEndpoint, ...PeerEndpoint[]];
  readonly identity: Identity;
  readonly signer: Signer;
}

/** A connection file of a Fabric network may name further peers. */
type FailoverConnectionFile = ConnectionFile & { readonly peers?: readonly { readonly endpoint: string; readonly tlsCaCert?: string }[] };

/** Reads a connection file; paths in it are relative to the file. @throws CONFIG_INVALID {file, reason} */
export async function readConnection(file: string): Promise<Connection> {
  const content = await readConnectionFile(file);
  const near = async (name: string): Promise<Buffer> => await readOrRefuse(path.resolve(path.dirname(file), name));
  const endpoint = async ({ endpoint: address, tlsCaCert }: { readonly endpoint: string; readonly tlsCaCert?: string }): Promise<PeerEndpoint> => ({
    address,
    ...(tlsCaCert === undefined ? {} : { tlsCaCert: await near(tlsCaCert) }),
  });
  const certificate = await near(content.certPath);
  const key = createPrivateKey(await near(content.keyPath));
  return {
    channel: content.channel,
    peers: [await endpoint(content), ...(await Promise.all((content.peers ?? []).map(endpoint)))],
    identity: { mspId: content.mspId, credentials: certificate },
    signer: (message) => Promise.resolve(signLowS(key, message)),
  };
}

const fields = ['channel', 'endpoint', 'mspId', 'certPath', 'keyPath'] as const;

async function readConnectionFile(file: string): Promise<FailoverConnectionFile> {
  const value = await readJsonFile(file);
  const missing = isJsonObject(value) ? fields.find((name) => typeof value[name] !== 'string') : 'object';
  if (missing !== undefined) throw new ProtocolError('CONFIG_INVALID', { file, reason: `missing ${missing}` });
  return value as unknown as FailoverConnectionFile;
}

/** @throws CONFIG_INVALID {file, reason: 'file-missing' | 'not-json'} */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = (await readOrRefuse(file)).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ProtocolError('CONFIG_INVALID', { file, reason: 'not-json' });
  }
}

/** @throws CONFIG_INVALID {file, reason: 'file-missing'} */
export async function readOrRefuse(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch {
    throw new ProtocolError('CONFIG_INVALID', { file, reason: 'file-missing' });
  }
}
