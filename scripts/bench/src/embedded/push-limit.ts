import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { inflateRawSync } from 'node:zlib';
import { buildPayload, bundledKinds, canonicalize, decodeBatch, encodeBatch, localId, recordFacts, recordId, sha256Text, validateRecord, type Header, type JsonObject } from '@huilian/protocol';
import { rounded } from '../statistics.js';

/** What a push cannot do without, measured alone in the same run: microseconds of processor a record, by step. */
export interface PushLimit {
  readonly steps: Readonly<Record<string, number>>;
  readonly sum: number;
  /** Records a second: cores / sum. */
  readonly perSecond: number;
}

const rounds = 3;

/** Least of some rounds, for what else the machine does falls on each. Microseconds of this process' processor time a record. */
function microseconds(records: number, work: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    work();
    const { system, user } = process.cpuUsage(before);
    return (user + system) / records;
  });
  return Math.min(...times);
}

interface Made {
  readonly header: Header;
  readonly sealed: string;
}

/**
 * The steps of one record through the whole consortium, each by the fastest way this software has for it and in one thread:
 * no copies between threads and processes, no HTTP, no garbage of the whole.
 * @param writeMicroseconds processor time of one sealed row in a synced batch of the raw store, in the same run
 * @param organisations how many endorse, and how many nodes follow
 */
export function measurePushLimit(lines: readonly string[], headersABatch: number, writeMicroseconds: number, organisations: number): PushLimit {
  const records = lines.length;
  const key = randomBytes(32);
  const drawn = (length: number): Uint8Array => randomBytes(length);
  const newest = new Map(bundledKinds().map(({ kind, version }) => [kind, version]));
  const read = lines.map((line) => JSON.parse(line) as { kind: string; data: JsonObject });
  const texts = read.map(({ data }) => new Map(Object.keys(data).sort().map((name) => [name, canonicalize(data[name])])));
  const made: Made[] = [];
  const makePayloads = (): void => {
    made.length = 0;
    for (const [index, { data, kind }] of read.entries()) {
      const schema = newest.get(kind) ?? 1;
      const { claimNames, naturalKey, owner, rights, subject } = recordFacts(kind, schema, data);
      const local = localId(key, kind, naturalKey);
      const payload = buildPayload({ claimNames, claimTexts: texts[index] ?? new Map(), data, recordId: recordId('bench', kind, local), schema, subject, version: 1 }, drawn);
      const header: Header = { digest: payload.digest, kind, localId: local, ...(owner === undefined ? {} : { owner }), rights, schema, status: 'active', subject, version: 1 };
      made.push({ header, sealed: JSON.stringify({ ...payload, header }) });
    }
  };
  const payload = microseconds(records, makePayloads);
  const batches = Array.from({ length: Math.ceil(records / headersABatch) }, (_none, at) => made.slice(at * headersABatch, (at + 1) * headersABatch).map(({ header }) => header));
  const frozen = batches.map((headers, at) => encodeBatch({ headers, previous: [], publisher: 'bench', seq: at + 1 }).argument);
  const write = microseconds(records, () => { for (const { header } of made) canonicalize(header); });
  const steps = {
    'parse the line': microseconds(records, () => { for (const line of lines) JSON.parse(line); }),
    'validate': microseconds(records, () => { for (const { data, kind } of read) validateRecord(kind, newest.get(kind) ?? 1, data); }),
    'canonical data, SHA-256': microseconds(records, () => { for (const { data } of read) sha256Text(canonicalize(data), 'hex'); }),
    'SD-JWT payload, disclosures, local id': payload,
    'encrypt, wrap the key (AES-256-GCM)': microseconds(records, () => { for (const { sealed } of made) seal(sealed); }),
    'store the sealed row (synced batches)': writeMicroseconds,
    'batch: canonical, Merkle root, DEFLATE': microseconds(records, () => { for (const [at, headers] of batches.entries()) encodeBatch({ headers, previous: [], publisher: 'bench', seq: at + 1 }); }),
    [`endorse: inflate, check, Merkle root, ${String(organisations)} times`]: organisations * microseconds(records, () => { for (const argument of frozen) decodeBatch(argument); }),
    [`fold: inflate, parse, write a header, ${String(organisations)} nodes`]: organisations * (write + microseconds(records, () => { for (const argument of frozen) JSON.parse(inflateRawSync(argument).toString('utf8')); })),
  };
  const sum = Object.values(steps).reduce((total, step) => total + step, 0);
  return {
    steps: Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, rounded(step)])),
    sum: rounded(sum),
    perSecond: Math.round((cpus().length * 1_000_000) / sum),
  };
}

function seal(content: string): void {
  const [contentKey, holderKey] = [randomBytes(32), randomBytes(32)];
  for (const [key, plain] of [[contentKey, Buffer.from(content)], [holderKey, contentKey]] as const) {
    const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), randomBytes(12));
    cipher.update(plain);
    cipher.final();
    cipher.getAuthTag();
  }
}
