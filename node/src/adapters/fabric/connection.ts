import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Identity, Signer } from '@hyperledger/fabric-gateway';
import type { ConnectionFile } from '@huilian/embedded-ledger';
import { isJsonObject, ProtocolError } from '@huilian/protocol';

/** What the client needs of a connection file and of the files it points at. */
export interface Connection {
  readonly channel: string;
  /** host:port */
  readonly endpoint: string;
  /** PEM; absent on a loopback connection without TLS. */
  readonly tlsCaCert?: Buffer;
  readonly identity: Identity;
  readonly signer: Signer;
}

/** Reads a connection file; paths in it are relative to the file. @throws CONFIG_INVALID {file, reason} */
export async function readConnection(file: string): Promise<Connection> {
  const content = await readConnectionFile(file);
  const near = async (name: string): Promise<Buffer> => await readOrRefuse(path.resolve(path.dirname(file), name));
  const certificate = await near(content.certPath);
  const key = createPrivateKey(await near(content.keyPath));
  return {
    channel: content.channel,
    endpoint: content.endpoint,
    ...(content.tlsCaCert === undefined ? {} : { tlsCaCert: await near(content.tlsCaCert) }),
    identity: { mspId: content.mspId, credentials: certificate },
    signer: (message) => Promise.resolve(signLowS(key, message)),
  };
}

const fields = ['channel', 'endpoint', 'mspId', 'certPath', 'keyPath'] as const;

async function readConnectionFile(file: string): Promise<ConnectionFile> {
  const text = (await readOrRefuse(file)).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError('CONFIG_INVALID', { file, reason: 'not-json' });
  }
  const missing = isJsonObject(value) ? fields.find((name) => typeof value[name] !== 'string') : 'object';
  if (missing !== undefined) throw new ProtocolError('CONFIG_INVALID', { file, reason: `missing ${missing}` });
  return value as ConnectionFile;
}

async function readOrRefuse(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch {
    throw new ProtocolError('CONFIG_INVALID', { file, reason: 'file-missing' });
  }
}

/** Order of the P-256 group (SEC 2, secp256r1). */
const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** ECDSA over SHA-256 of the message, in DER with the lower of the two values of s, the only one Fabric accepts. */
function signLowS(key: KeyObject, message: Uint8Array): Uint8Array {
  const flat = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }).toString('hex');
  const s = BigInt(`0x${flat.slice(64)}`);
  const low = s > order / 2n ? order - s : s;
  const body = Buffer.concat([derInteger(flat.slice(0, 64)), derInteger(low.toString(16).padStart(64, '0'))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function derInteger(hex: string): Buffer {
  const bytes = Buffer.from(hex.replace(/^(?:00)+(?=..)/, ''), 'hex');
  const padded = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([2, padded.length]), padded]);
}
