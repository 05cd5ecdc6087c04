import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import * as native from '@huilian/protocol';
import { runVectors, vectorItems } from '../../protocol/test/run-vectors.js';

// The code paths that browsers take: the same modules, loaded while the process has nothing of Node.js to offer.
const folder = new URL('../../../tests/vectors/', import.meta.url);

/** Loads the protocol's modules a second time, as a page would. */
async function loadPortable(): Promise<typeof native> {
  vi.resetModules();
  // A proxy, because what it stands for is read by the test runner too.
  vi.stubGlobal('process', new Proxy(process, { get: (target, name): unknown => (name === 'getBuiltinModule' ? undefined : Reflect.get(target, name)) }));
  vi.stubGlobal('Buffer', undefined);
  try {
    return await import('@huilian/protocol');
  } finally {
    vi.unstubAllGlobals();
  }
}

const portable = await loadPortable();

describe('the portable protocol', () => {
  it('is loaded apart and has nothing of Node.js', () => {
    expect(portable.ProtocolError).not.toBe(native.ProtocolError);
    // Batches are built and read by nodes and contracts only; this is how the missing zlib shows.
    expect(() => portable.decodeBatchArgument(Uint8Array.of(3, 0))).toThrow('Node.js only');
  });

  it('spells, hashes and signs the same bytes', () => {
    const samples = Array.from({ length: 200 }, (_, length) => new Uint8Array(createHash('shake256', { outputLength: length }).update(String(length)).digest()));
    for (const bytes of samples) {
      expect(portable.toHex(bytes)).toBe(native.toHex(bytes));
      expect(portable.fromHex(native.toHex(bytes))).toEqual(native.fromHex(native.toHex(bytes)));
      expect(portable.toBase64url(bytes)).toBe(native.toBase64url(bytes));
      expect(portable.fromBase64url(native.toBase64url(bytes))).toEqual(native.fromBase64url(native.toBase64url(bytes)));
      expect(portable.sha256Hex(bytes)).toBe(native.sha256Hex(bytes));
      expect(portable.toHex(portable.sha256(bytes))).toBe(native.toHex(native.sha256(bytes)));
      expect(portable.toHex(portable.leafHash(bytes))).toBe(native.toHex(native.leafHash(bytes)));
      if (bytes.length > 0) expect(portable.toHex(portable.hmacSha256(bytes, samples[7] ?? bytes))).toBe(native.toHex(native.hmacSha256(bytes, samples[7] ?? bytes)));
    }
    for (const text of ['', 'a', '汇链', '😀', '\ud800', 'e\u0301', 'a'.repeat(10_000)]) {
      expect(Array.from(portable.utf8(text))).toEqual(Array.from(native.utf8(text)));
      expect(portable.documentDigest([text.toWellFormed().normalize('NFC')])).toBe(native.documentDigest([text.toWellFormed().normalize('NFC')]));
      expect(portable.toHex(portable.leafHashOfText(text.toWellFormed()))).toBe(native.toHex(native.leafHashOfText(text.toWellFormed())));
    }
  });
});

const withoutZlib = { describe: (name: string, body: () => void): void => void (name.endsWith('batch-argument') ? undefined : describe(`portable ${name}`, body)), it, expect };
runVectors(portable, withoutZlib, folder);

describe('the portable vectors', () => {
  it('leave out batches only', () => {
    expect(Object.keys(vectorItems(portable))).toEqual(Object.keys(vectorItems(native)));
    expect(Object.keys(vectorItems(portable)).filter((item) => item.endsWith('batch-argument'))).toEqual(['batch-argument']);
  });
});
