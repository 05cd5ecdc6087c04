import { createPrivateKey, generateKeyPairSync, sign as nodeSign, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, CompactSign, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  checkJwsHeader, derOfFlat, es256KeyShape, flatOfDer, jwkThumbprint, parseJws, portableVerifyEs256, ProtocolError, signJws, utf8, verifyEs256, x25519KeyShape, type Es256Key,
} from '@huilian/protocol';

/** RFC 7515, appendix A.3: key and token. */
const published = {
  key: { crv: 'P-256', kty: 'EC', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' } as Es256Key,
  input: 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
  signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
};
/** RFC 7638 §3.1. */
const rsaKey = {
  kty: 'RSA', e: 'AQAB', alg: 'RS256', kid: '2011-04-29',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
};

describe('thumbprints', () => {
  it('are those of RFC 7638 §3.1 and RFC 8037 A.3', () => {
    expect(jwkThumbprint(rsaKey)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    expect(jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' })).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('are those that jose computes, whatever else stands in the key', async () => {
    const x25519 = { ...generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }), use: 'enc' };
    const p256 = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'a', alg: 'ES256' };
    for (const key of [x25519, p256]) expect(jwkThumbprint(key)).toBe(await calculateJwkThumbprint(key));
  });

  it.each([
    ['no key', undefined], ['a list', []], ['a key of no type', { crv: 'P-256', x: '', y: '' }], ['a secret', { kty: 'oct', k: 'AA' }],
    ['a key without y', { kty: 'EC', crv: 'P-256', x: published.key.x }], ['a y that is a number', { ...published.key, y: 7 }], ['a type every object has', { kty: 'constructor' }],
  ])('of %s are refused', (_, key) => {
    expect(() => jwkThumbprint(key)).toThrow('BAD_FIELD');
  });
});

describe('keys', () => {
  it('have one spelling: the last character carries no bits that are dropped', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const taken = [...alphabet].filter((last) => {
      const spelt = `${published.key.x.slice(0, -1)}${last}`;
      try {
        es256KeyShape.read({ ...published.key, x: spelt });
        es256KeyShape.read({ ...published.key, y: spelt });
        x25519KeyShape.read({ crv: 'X25519', kty: 'OKP', x: spelt });
        return true;
      } catch (error) {
        if (error instanceof ProtocolError && error.code === 'BAD_FIELD') return false;
        throw error;
      }
    });
    expect(taken.filter((last) => Buffer.from(`${published.key.x.slice(0, -1)}${last}`, 'base64url').toString('base64url').endsWith(last))).toEqual(taken);
    expect(taken).toHaveLength(16);
  });

  it('of other curves, private ones and ones with more in them are refused', () => {
    const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    for (const key of [secret, { ...published.key, crv: 'P-384' }, { ...published.key, kid: 'a' }, { ...published.key, x: `${published.key.x}A` }]) {
      expect(() => es256KeyShape.read(key)).toThrow(ProtocolError);
    }
  });
});

const verifiers = { native: verifyEs256, portable: portableVerifyEs256 };

/** Never throws: the portable check answers by throwing where a key is none. */
function verdicts(key: Es256Key, message: Uint8Array, signature: Uint8Array): boolean[] {
  return Object.values(verifiers).map((verify) => {
    try {
      return verify(key, message, signature);
    } catch {
      return false;
    }
  });
}

describe('ES256', () => {
  const message = utf8(published.input);
  const signature = new Uint8Array(Buffer.from(published.signature, 'base64url'));

  it('takes the example of RFC 7515 A.3', () => {
    expect(verdicts(published.key, message, signature)).toEqual([true, true]);
    expect(verdicts(published.key, utf8(`${published.input}x`), signature)).toEqual([false, false]);
  });

  it('is decided alike by Node.js and by portable code, for every changed bit of a signature', () => {
    for (let bit = 0; bit < 512; bit += 1) {
      const flipped = Uint8Array.from(signature, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(verdicts(published.key, message, flipped), String(bit)).toEqual([false, false]);
    }
  });

  it('is decided alike at the ends of the ranges', () => {
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const [r, s] = [signature.slice(0, 32), signature.slice(32)];
    const zero = new Uint8Array(32);
    const s2 = BigInt(`0x${order.toString('hex')}`) - BigInt(`0x${Buffer.from(s).toString('hex')}`);
    const twin = Buffer.from(s2.toString(16).padStart(64, '0'), 'hex');
    // ECDSA takes the other s too; nothing is identified by signature bytes, so this is no harm.
    expect(verdicts(published.key, message, Buffer.concat([r, twin]))).toEqual([true, true]);
    for (const [left, right] of [[zero, s], [r, zero], [zero, zero], [order, s], [r, order], [order, order]] as const) {
      expect(verdicts(published.key, message, Buffer.concat([left, right]))).toEqual([false, false]);
    }
    for (const length of [0, 1, 63, 65, 128]) expect(verdicts(published.key, message, new Uint8Array(length))).toEqual([false, false]);
  });

  it('takes no key that is no point of the curve', () => {
    for (const key of [{ ...published.key, y: published.key.x }, { ...published.key, x: 'A'.repeat(43) }, { ...published.key, x: 'A'.repeat(43), y: 'A'.repeat(43) }]) {
      expect(verdicts(key, message, signature)).toEqual([false, false]);
    }
  });

  it('is the same in DER, whatever its first bytes', () => {
    for (let round = 0; round < 300; round += 1) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const der = new Uint8Array(nodeSign('sha256', message, pair.privateKey));
      const flat = flatOfDer(der);
      expect(flat).toHaveLength(64);
      expect(Buffer.from(derOfFlat(flat))).toEqual(Buffer.from(der));
    }
    const small = new Uint8Array(64).fill(1, 31, 32).fill(1, 63);
    expect(Buffer.from(derOfFlat(small)).toString('hex')).toBe('3006020101020101');
    expect(flatOfDer(derOfFlat(small))).toEqual(small);
    const large = new Uint8Array(64).fill(255);
    expect(Buffer.from(derOfFlat(large)).toString('hex')).toBe(`3046022100${'ff'.repeat(32)}022100${'ff'.repeat(32)}`);
    expect(flatOfDer(derOfFlat(large))).toEqual(large);
    expect(Buffer.from(derOfFlat(new Uint8Array(64))).toString('hex')).toBe('3006020100020100');
  });

  it('takes what Node.js signs, with any key', () => {
    for (let round = 0; round < 20; round += 1) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
      const signed = nodeSign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect(verdicts({ crv, kty, x, y } as Es256Key, message, new Uint8Array(signed))).toEqual([true, true]);
    }
  });
});

describe('compact tokens', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.publicKey.export({ format: 'jwk' }) as unknown as Es256Key;
  const header = { alg: 'ES256', kid: 'sample-bank', typ: 'huilian-test+jwt' };
  const signer = (secret: KeyObject) => (input: Uint8Array): Uint8Array => new Uint8Array(nodeSign('sha256', input, { key: secret, dsaEncoding: 'ieee-p1363' }));

  it('that we sign are verified by jose', async () => {
    const compact = await signJws(header, { b: 1, a: '示例' }, signer(pair.privateKey));
    const { payload, protectedHeader } = await compactVerify(compact, await importJWK({ ...key }, 'ES256'));
    expect(protectedHeader).toEqual(header);
    expect(Buffer.from(payload).toString('utf8')).toBe('{"a":"示例","b":1}');
  });

  it('that jose signs are read by us, where header and payload are canonical', async () => {
    const privateKey = createPrivateKey({ key: pair.privateKey.export({ format: 'jwk' }), format: 'jwk' });
    const compact = await new CompactSign(utf8('{"a":1}')).setProtectedHeader(header).sign(privateKey);
    const parsed = parseJws(compact, 'REQUEST_MALFORMED');
    expect(checkJwsHeader(parsed, 'huilian-test+jwt', 'REQUEST_MALFORMED')).toBe('sample-bank');
    expect(parsed.payload).toEqual({ a: 1 });
    expect(verifyEs256(key, parsed.signingInput, parsed.signature)).toBe(true);
    const { alg, kid, typ } = header;
    const unsorted = await new CompactSign(utf8('{"a":1}')).setProtectedHeader({ typ, kid, alg }).sign(privateKey);
    expect(() => parseJws(unsorted, 'REQUEST_MALFORMED')).toThrow('REQUEST_MALFORMED');
  });
});
