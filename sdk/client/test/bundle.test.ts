// What a page pays for offline verification: the bundle a page would ship, made by esbuild, measured and run.
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as verifier from '../src/verify.js';
import { makeAccess, makeConsortium } from './mini-consortium.js';

const mostGzipBytes = 120_000;

interface Built {
  readonly code: string;
  readonly gzip: number;
  readonly metafile: Metafile;
}

async function bundle(source: string): Promise<Built> {
  const { metafile, outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    conditions: ['@huilian/source'],
    format: 'esm',
    metafile: true,
    minify: true,
    platform: 'browser',
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined || outputFiles.length !== 1) throw new Error('one file');
  return { code: file.text, gzip: gzipSync(file.contents).length, metafile };
}

describe.each([
  ['@huilian/sdk/verify', `export * from '@huilian/sdk/verify';`],
  ['verifyEvidence alone, from @huilian/sdk', `export { verifyEvidence } from '@huilian/sdk';`],
])('a bundle of %s', (name, source) => {
  let built: Built;

  beforeAll(async () => {
    built = await bundle(source);
  });

  it('is under 120 kB gzip', () => {
    console.info(`${name}: ${String(built.code.length)} characters, ${String(built.gzip)} bytes gzip`);
    expect(built.gzip).toBeLessThan(mostGzipBytes);
  });

  it('holds no gRPC, no network client, no wallet, and nothing of Node.js', () => {
    const inputs = Object.keys(built.metafile.inputs);
    const shipped = Object.values(built.metafile.outputs).flatMap(({ inputs: used }) => Object.entries(used).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file));
    expect(inputs.length).toBeGreaterThan(20);
    expect(shipped.filter((file) => /grpc|hyperledger|google-protobuf|\/ethers\/|\/jose\/|http-door|member-client|owner-wallet|validators/.test(file))).toEqual([]);
    expect(Object.values(built.metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
    expect(built.code).not.toMatch(/\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|["']node:(?!crypto|zlib)|new Function\(/);
  });

  it('verifies evidence, and refuses it with one digit changed, with no network at all', async () => {
    vi.stubGlobal('fetch', () => { throw new Error('the verifier went to the network'); });
    onTestFinished(() => { vi.unstubAllGlobals(); });
    const { verifyEvidence } = (await import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(built.code).toString('base64')}`)) as typeof verifier;
    const { consortium, evidence, presentations } = await makeConsortium().then(makeAccess);
    const report = await verifyEvidence(JSON.stringify(evidence), { charterFingerprint: consortium.fingerprint, presentations });
    expect(report.checks.filter(({ result }) => result === 'fails')).toEqual([]);
    expect(report.ok).toBe(true);
    const tampered = { ...evidence, jweDigest: `${evidence.jweDigest.startsWith('0') ? '1' : '0'}${evidence.jweDigest.slice(1)}` };
    expect((await verifyEvidence(JSON.stringify(tampered), consortium.fingerprint)).ok).toBe(false);
  });
});
