import { createHash, createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { FlattenedEncrypt, flattenedDecrypt, type FlattenedJWE } from 'jose';
import { fromBase64url, fromUtf8, isJsonObject, memberIdShape, ProtocolError, toBase64url, utf8, type JsonObject } from '@huilian/protocol';
import { makeSecretFolder, readSecretJson, writeSecret } from './key-files.js';

/**
 * The node's identity keys and its localId key in one file under a passphrase: a JWE (RFC 7516, flattened JSON) with
 * PBES2-HS512+A256KW (RFC 7518, 4.8) and A256GCM. The vault's keys are not in it: their copy has a life of its own, for
 * erasing takes keys out of it. Owners' keys never were on a node.
 */
const format = 1;
const type = 'huilian-keys+jwe';
/** OWASP's advice for PBKDF2-HMAC-SHA512 is 210,000; an export is read once in years. */
const rounds = 600_000;
const mostRounds = 10_000_000;
const leastPassphrase = 12;
const identityFile = 'identity.json';
const exportMark = 'exported.json';

/** A file of the node's keys, without what it holds. */
interface KeyEntry {
  readonly file: string;
  readonly bytes: number;
  /** First 16 hex digits of the file's SHA-256: to compare with another machine's by telephone. */
  readonly fingerprint: string;
}

export interface KeyList {
  readonly memberId: string;
  readonly keys: readonly KeyEntry[];
  /** ISO time of the newest export of exactly these keys; absent where there is none. */
  readonly exportedAt?: string;
}

/** @throws KEYS_MISSING */
export async function listKeys(stateDir: string): Promise<KeyList> {
  const folder = path.join(stateDir, 'keys');
  const memberId = await memberOf(folder);
  const files = keyFiles(folder);
  const mark = readMark(folder);
  return {
    memberId,
    keys: files.map(([file, content]) => ({ file, bytes: content.length, fingerprint: createHash('sha256').update(content).digest('hex').slice(0, 16) })),
    ...(mark?.digest === digestOf(files) ? { exportedAt: mark.at } : {}),
  };
}

/** True while the keys as they are now were never exported. */
export async function areKeysUnexported(stateDir: string): Promise<boolean> {
  return (await listKeys(stateDir)).exportedAt === undefined;
}

/** Writes the export, whole or not at all; never over an existing file. @throws KEYS_MISSING, BAD_FIELD {path: 'passphrase'} or {path: file} */
export async function exportKeys(stateDir: string, file: string, passphrase: string, at: Date): Promise<KeyList> {
  if (passphrase.length < leastPassphrase) throw new ProtocolError('BAD_FIELD', { path: 'passphrase', reason: `at least ${String(leastPassphrase)} characters` });
  if (existsSync(file)) throw new ProtocolError('BAD_FIELD', { path: file, reason: 'exists already; an export is never overwritten' });
  const folder = path.join(stateDir, 'keys');
  const memberId = await memberOf(folder);
  const files = keyFiles(folder);
  const content = { files: Object.fromEntries(files.map(([name, bytes]) => [name, toBase64url(bytes)])), memberId };
  const sealed = await new FlattenedEncrypt(utf8(JSON.stringify(content)))
    .setProtectedHeader({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', format, typ: type })
    .setKeyManagementParameters({ p2c: rounds, p2s: crypto.getRandomValues(new Uint8Array(16)) })
    .encrypt(utf8(passphrase));
  await writeSecret(file, `${JSON.stringify(sealed)}\n`);
  // Written, synced and read again: only then is it an export.
  await openExport(file, passphrase);
  await writeSecret(path.join(folder, exportMark), `${JSON.stringify({ at: at.toISOString(), digest: digestOf(files) })}\n`);
  return await listKeys(stateDir);
}

/**
 * Puts exported keys into a state folder that has none. A folder that states another member is refused.
 * @throws KEY_FILE_UNREADABLE, KEY_FILE_NEWER, KEY_FILE_OTHER_MEMBER, CONFIG_INVALID {reason: 'keys-exist'}
 */
export async function importKeys(stateDir: string, file: string, passphrase: string): Promise<KeyList> {
  const folder = path.join(stateDir, 'keys');
  if (existsSync(path.join(folder, identityFile))) throw new ProtocolError('CONFIG_INVALID', { path: folder, reason: 'keys-exist' });
  const { files, memberId } = await openExport(file, passphrase);
  const stated = statedMember(stateDir);
  if (stated !== undefined && stated !== memberId) throw new ProtocolError('KEY_FILE_OTHER_MEMBER', { file: memberId, folder: stated });
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  rmSync(folder, { recursive: true, force: true });
  await makeSecretFolder(folder);
  // The identity last: without it the folder holds no keys, and the import may be made again.
  for (const [name, bytes] of [...files].sort(([left], [right]) => Number(left === identityFile) - Number(right === identityFile))) await writeSecret(path.join(folder, name), bytes);
  const imported = await listKeys(stateDir);
  await writeSecret(path.join(folder, exportMark), `${JSON.stringify({ at: new Date().toISOString(), digest: digestOf(keyFiles(folder)) })}\n`);
  return imported;
}

interface OpenedExport {
  readonly memberId: string;
  readonly files: readonly (readonly [name: string, bytes: Uint8Array])[];
}

/** @throws KEY_FILE_UNREADABLE, KEY_FILE_NEWER */
async function openExport(file: string, passphrase: string): Promise<OpenedExport> {
  const sealed = readExport(file);
  const found = formatOf(sealed);
  if (found !== undefined && found > format) throw new ProtocolError('KEY_FILE_NEWER', { file, format: found, known: format });
  try {
    const options = { keyManagementAlgorithms: ['PBES2-HS512+A256KW'], contentEncryptionAlgorithms: ['A256GCM'], maxPBES2Count: mostRounds };
    const { plaintext, protectedHeader } = await flattenedDecrypt(sealed, utf8(passphrase), options);
    if (protectedHeader?.typ !== type) throw new Error('another kind of file');
    return contentOf(JSON.parse(fromUtf8(plaintext)));
  } catch {
    // A wrong passphrase and a changed byte look alike, and nothing of either is told.
    throw new ProtocolError('KEY_FILE_UNREADABLE', { file });
  }
}

/** Only the names a node itself writes become files. @throws where the keys do not belong together */
function contentOf(value: unknown): OpenedExport {
  const { files, memberId } = value as { files: Record<string, string>; memberId: string };
  const entries = Object.entries(files).map(([name, text]) => {
    if (!/^[a-z][a-z0-9-]*(\.[a-z]+)?$/.test(name)) throw new Error('a name');
    return [name, fromBase64url(text)] as const;
  });
  const jsonOf = (name: string): JsonObject => JSON.parse(fromUtf8(fromBase64url(files[name] ?? ''))) as JsonObject;
  const [identity, signing] = [jsonOf(identityFile), jsonOf('signing-key.json')];
  const { x, y } = createPublicKey(createPrivateKey({ key: signing as JsonWebKey, format: 'jwk' })).export({ format: 'jwk' });
  const stated = identity['signingKey'] as JsonObject;
  if (identity['memberId'] !== memberId || stated['x'] !== x || stated['y'] !== y) throw new Error('keys of two members');
  return { files: entries, memberId: memberIdShape.read(memberId) };
}

function readExport(file: string): FlattenedJWE {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isJsonObject(value)) return value as unknown as FlattenedJWE;
  } catch {
    // Said below, without a word of the content.
  }
  throw new ProtocolError('KEY_FILE_UNREADABLE', { file });
}

/** The number a newer software would raise; its header is open to read, so that older software can say so. */
function formatOf({ protected: header }: FlattenedJWE): number | undefined {
  try {
    const found = (JSON.parse(fromUtf8(fromBase64url(header ?? ''))) as { format?: unknown }).format;
    return typeof found === 'number' ? found : undefined;
  } catch {
    return undefined;
  }
}

async function memberOf(folder: string): Promise<string> {
  return memberIdShape.read((await readSecretJson(path.join(folder, identityFile)))['memberId']);
}

/** What the folder says of itself before it has keys. */
function statedMember(stateDir: string): string | undefined {
  for (const [name, field] of [['huilian.json', 'memberId'], ['member.json', 'id']] as const) {
    const file = path.join(stateDir, name);
    if (existsSync(file)) return String((JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)[field]);
  }
  return undefined;
}

function keyFiles(folder: string): readonly (readonly [name: string, bytes: Buffer])[] {
  // Keys that are not in force yet lie in a folder of their own; drafts of files that were being written have longer names.
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== exportMark && !/\.[0-9a-f]{12}$/.test(entry.name));
  return entries.map(({ name }) => name).sort().map((name) => [name, readFileSync(path.join(folder, name))] as const);
}

function digestOf(files: readonly (readonly [name: string, bytes: Uint8Array])[]): string {
  const hash = createHash('sha256');
  for (const [name, bytes] of files) hash.update(`${name}\u0000${String(bytes.length)}\u0000`).update(bytes);
  return hash.digest('hex');
}

function readMark(folder: string): { readonly at: string; readonly digest: string } | undefined {
  try {
    return JSON.parse(readFileSync(path.join(folder, exportMark), 'utf8')) as { at: string; digest: string };
  } catch {
    return undefined;
  }
}
