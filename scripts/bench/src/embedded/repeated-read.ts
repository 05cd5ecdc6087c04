import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { PlainServer, type ServerCertificate } from '../plain-server.js';
import { processorTime, splitOf, timeSince } from '../processor-time.js';
import { BenchReader } from '../reader.js';
import { inPairs, percentile, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

const readsAPair = 400;

/** P5: a read again under a live ticket, decrypted and verified, against an HTTPS fetch of as many bytes; p50. */
export const measureRepeatedRead: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  progress.step('P5: a ticket / 访问凭证');
  const reader = await BenchReader.open(consortium, 10);
  const { ticket } = await reader.read();
  const bytes = await reader.resend(ticket);
  const plain = await PlainServer.start(await selfSigned(consortium.folder), bytes);
  const relay = await plain.relay();
  const opening = await reader.opening(ticket);
  try {
    const warms: readonly (() => Promise<unknown>)[] = [async () => await reader.resend(ticket), async () => await plain.fetch(), async () => await relay.fetch(), opening];
    for (const warm of warms) await latencies(warm);
    const ids = { ...consortium.nodeProcesses(), client: process.pid };
    const before = processorTime(ids);
    const pairs = await inPairs(scale.pairs, async (pair) => {
      progress.step(`P5: reads under a live ticket, pair ${String(pair + 1)} / 凭证内重复读取`);
      return { whole: await latencies(async () => await reader.resend(ticket)), fetched: await latencies(async () => await reader.refetch(ticket)) };
    }, async () => await latencies(async () => await plain.fetch()));
    const processor = timeSince(before, ids);
    // What no code of ours could go below on this machine: two hops with nothing done on them, then the opening itself.
    const floors = { hops: await latencies(async () => await relay.fetch()), opened: await latencies(opening), fetched: await latencies(async () => await plain.fetch()) };
    const limit = (percentile(floors.hops, 0.5) + percentile(floors.opened, 0.5)) / percentile(floors.fetched, 0.5);
    const [ratios, fetched, tails] = [
      spread(pairs.map(([mine, other]) => percentile(mine.whole, 0.5) / percentile(other, 0.5))),
      spread(pairs.map(([mine, other]) => percentile(mine.fetched, 0.5) / percentile(other, 0.5))),
      spread(pairs.map(([mine, other]) => percentile(mine.whole, 0.99) / percentile(other, 0.99))),
    ];
    const all = (share: number, of: (pair: (typeof pairs)[number]) => readonly number[]): number => rounded(percentile(pairs.flatMap(of), share));
    return [{
      id: 'P5', what: 'read again under a live ticket, decrypted and verified, against an HTTPS fetch of as many bytes, p50', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'most', value: 2 },
      baseline: { what: 'HTTPS server and client in two processes, one hop, connection kept', p50Milliseconds: all(0.5, ([, other]) => other), p99Milliseconds: all(0.99, ([, other]) => other) },
      conditions: conditionsOf(world, {
        bytes, readsAPair, hops: 'publisher\'s node to reader\'s node to reader', p50Milliseconds: all(0.5, ([mine]) => mine.whole), p99Milliseconds: all(0.99, ([mine]) => mine.whole),
        p99Ratio: rounded(tails.median), deliveredOnlyRatio: rounded(fetched.median), deliveredOnlyP50Milliseconds: all(0.5, ([mine]) => mine.fetched),
        limitRatio: rounded(limit), bareTwoHopsP50Milliseconds: rounded(percentile(floors.hops, 0.5)), openingP50Milliseconds: rounded(percentile(floors.opened, 0.5)),
      }),
      profile: `processor time of the reads: ${splitOf(processor)}; the same two hops with nothing done on them and the opening would come to ${String(rounded(limit))}`,
    }];
  } finally {
    await relay.stop();
    await plain.stop();
  }
};

async function latencies(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < readsAPair; index++) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return times;
}

const day = 86_400_000;

/** A certificate of this run alone. */
async function selfSigned(folder: string): Promise<ServerCertificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=benchmark', keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day),
    extensions: [new BasicConstraintsExtension(true), new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const files = { certificate: path.join(folder, 'https.pem'), key: path.join(folder, 'https.key'), ca: path.join(folder, 'https.pem') };
  writeFileSync(files.certificate, certificate.toString('pem'));
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  writeFileSync(files.key, `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`, { mode: 0o600 });
  return files;
}
