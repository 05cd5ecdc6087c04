import { createCipheriv, createHash, createSecretKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SDJwtInstance } from '@sd-jwt/core';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ClassicLevel } from 'classic-level';
import { bundledKinds } from '@huilian/protocol';
import { PlainGateway } from '../plain-gateway.js';
import type { ObviousOrder, ObviousResult } from './obvious-pipeline.js';

// A stand-in for the obvious pipeline (no product's code): each record validated with ajv, made an SD-JWT by a library and
// signed, encrypted, put into LevelDB with a sync, put on the ledger in a transaction of its own whose commit is awaited.
// In a process of its own, so that its processor time is its own: started by obvious-pipeline.ts, ordered over IPC.

const [connection = '', folder = ''] = process.argv.slice(2);
const validators = compileKinds();
const credentials = library();
const sealingKey = createSecretKey(randomBytes(32));
const store = new ClassicLevel<string, Uint8Array>(folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
await store.open();
const gateway = new PlainGateway(connection);
const contract = gateway.network.getContract('baseline');

function compileKinds(): ReadonlyMap<string, ValidateFunction> {
  // The kinds' documents carry words of their own.
  const ajv = new Ajv2020({ strict: false });
  return new Map(bundledKinds().map(({ document, kind }) => [kind, ajv.compile(document)]));
}

function library(): SDJwtInstance<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new SDJwtInstance({
    signAlg: 'ES256',
    signer: (text) => sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
    hashAlg: 'sha-256',
    hasher: (data) => createHash('sha256').update(typeof data === 'string' ? data : new Uint8Array(data)).digest(),
    saltGenerator: (length) => randomBytes(length).toString('base64url'),
  });
}

function encrypt(text: string): Uint8Array {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealingKey, iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** One record, up to the commit of its transaction. */
async function publish(id: string, line: string): Promise<void> {
  const { data, kind } = JSON.parse(line) as { data: Record<string, unknown>; kind: string };
  const validate = validators.get(kind);
  if (validate?.(data) !== true) throw new Error(`${kind}: ${JSON.stringify(validate?.errors)}`);
  const claims: Record<string, unknown> = { iss: 'urn:bench:obvious', vct: `urn:bench:record:${kind}`, ...data };
  // The library's type of a frame wants the claims' names, which depend on the kind.
  const everyClaim = { _sd: Object.keys(data) } as Parameters<typeof credentials.issue>[1];
  const credential = await credentials.issue(claims, everyClaim, { header: { typ: 'dc+sd-jwt' } });
  await store.put(id, encrypt(credential), { sync: true });
  const digest = createHash('sha256').update(credential).digest('hex');
  await contract.submitTransaction('put', id, JSON.stringify({ digest, kind, version: 1 }));
}

/** Closed loop: so many callers, each with one record under way; what commits after the warming counts. */
async function run({ concurrency, file, milliseconds, tag, warmMilliseconds }: ObviousOrder): Promise<ObviousResult> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const from = performance.now() + warmMilliseconds;
  const until = from + milliseconds;
  let [next, counted, all] = [0, 0, 0];
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const number = next++;
      await publish(`${tag}-${String(number).padStart(8, '0')}`, lines[number % lines.length] ?? '');
      all += 1;
      const now = performance.now();
      if (now >= from && now <= until) counted += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return { all, perSecond: counted / (milliseconds / 1000) };
}

process.on('message', (order: ObviousOrder) => {
  void run(order).then((result) => process.send?.(result), (error: unknown) => process.send?.({ failed: String(error) }));
});
process.on('disconnect', () => {
  gateway.close();
  void store.close();
});
process.send?.('ready');
