import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  concatBytes, equalBytes, fromBase64url, fromHex, hmacSha256, portableFromBase64url, portableToBase64url, sha256, toBase32, toBase64url, toHex,
} from '@huilian/protocol';

/** Bytes that look random and are the same each time. */
function bytesOf(length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, block) => createHash('sha256').update(`${String(length)}/${String(block)}`).digest());
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}
const samples = [...Array.from({ length: 100 }, (_, length) => bytesOf(length)), bytesOf(4097), new Uint8Array(33).fill(255)];

describe('spellings of bytes', () => {
  it('base64url is the same portable and native, and RFC 4648’s', () => {
    for (const bytes of samples) {
      const text = Buffer.from(bytes).toString('base64url');
      expect([toBase64url(bytes), portableToBase64url(bytes)]).toEqual([text, text]);
      expect(equalBytes(fromBase64url(text), bytes)).toBe(true);
      expect(equalBytes(portableFromBase64url(text), bytes)).toBe(true);
    }
  });

  it('base64url speaks of the view, not of the buffer under it', () => {
    const view = bytesOf(64).subarray(5, 20);
    expect(toBase64url(view)).toBe(portableToBase64url(Uint8Array.from(view)));
  });

  it('base64url has one spelling: of two texts that decode alike, one is refused', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const taken = (text: string): boolean => {
      try {
        return toBase64url(fromBase64url(text)) === text;
      } catch {
        return false;
      }
    };
    expect([...alphabet].filter((last) => taken(`A${last}`)).join('')).toBe('AQgw');
    expect([...alphabet].filter((last) => taken(`AA${last}`)).join('')).toBe('AEIMQUYcgkosw048');
    for (const text of ['A', 'AAAAA', 'AA==', 'A+', 'A/', 'AA\n', ' AA', 'AA A', 'ＡＡ']) expect(() => fromBase64url(text), text).toThrow('BAD_FIELD');
  });

  it('base32 is RFC 4648’s', () => {
    const known = { f: 'my', fo: 'mzxq', foo: 'mzxw6', foob: 'mzxw6yq', fooba: 'mzxw6ytb', foobar: 'mzxw6ytboi', '': '' };
    for (const [text, spelt] of Object.entries(known)) expect(toBase32(new TextEncoder().encode(text))).toBe(spelt);
    for (const bytes of samples.slice(1)) {
      const spelt = BigInt(`0x${toHex(bytes)}`) << BigInt((5 - ((bytes.length * 8) % 5)) % 5);
      const digits = spelt.toString(32).padStart(Math.ceil((bytes.length * 8) / 5), '0');
      expect(toBase32(bytes)).toBe([...digits].map((digit) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(digit, 32)]).join(''));
    }
  });

  it('hex is lower case and of the length asked for', () => {
    for (const bytes of samples) {
      expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      expect(equalBytes(fromHex(toHex(bytes), bytes.length), bytes)).toBe(true);
    }
    for (const text of ['0', 'AB', '0x00', 'gg', '00 ', '00\n']) expect(() => fromHex(text), text).toThrow('BAD_FIELD');
    expect(() => fromHex('00', 2)).toThrow('BAD_FIELD');
  });

  it('hashes are node:crypto’s', () => {
    for (const bytes of samples) {
      expect(toHex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(toHex(hmacSha256(bytes.subarray(0, 70), bytes))).toBe(createHmac('sha256', bytes.subarray(0, 70)).update(bytes).digest('hex'));
    }
  });

  it('bytes join and compare whole', () => {
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
  });
});
