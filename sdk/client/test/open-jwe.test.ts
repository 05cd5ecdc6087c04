import { createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import * as nodeCrypto from 'node:crypto';
import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { openJwe, type OpenedJwe } from '../src/open-jwe.js';

const { privateKey, publicKey } = generateKeyPairSync('x25519');
const [privateJwk, publicJwk] = [privateKey.export({ format: 'jwk' }), publicKey.export({ format: 'jwk' })] as [JsonWebKey, JWK];
const apv = Buffer.from('{"ticket":"an invented ticket"}');

async function encrypt(plaintext: Uint8Array, header: Record<string, unknown> = {}, parameters: { apu?: Uint8Array; apv?: Uint8Array } = { apv }): Promise<string> {
  const key = await importJWK(publicJwk, 'ECDH-ES');
  return await new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', ...header }).setKeyManagementParameters(parameters).encrypt(key);
}

const open = (jwe: string, key: JsonWebKey = privateJwk): OpenedJwe => openJwe(nodeCrypto as unknown as Parameters<typeof openJwe>[0], jwe, key);
const opens = (jwe: string, key?: JsonWebKey): boolean => {
  try {
    open(jwe, key);
    return true;
  } catch {
    return false;
  }
};

describe('a JWE of a release, opened without waiting', () => {
  it('gives what the library gives, for every length', async () => {
    for (const length of [0, 1, 15, 16, 17, 4096, 100_000]) {
      const plaintext = webcrypto.getRandomValues(new Uint8Array(Math.min(length, 60_000)));
      const jwe = await encrypt(plaintext);
      const library = await compactDecrypt(jwe, createPrivateKey({ key: privateJwk as nodeCrypto.JsonWebKey, format: 'jwk' }));
      const opened = open(jwe);
      expect(Buffer.from(opened.plaintext).equals(Buffer.from(library.plaintext))).toBe(true);
      expect(opened.apv).toBe(library.protectedHeader.apv);
    }
  });

  it('does not open under another key, nor with any segment changed, shortened or added', async () => {
    const jwe = await encrypt(Buffer.from('a presentation'));
    expect(opens(jwe)).toBe(true);
    expect(opens(jwe, generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' }))).toBe(false);
    const segments = jwe.split('.');
    const swap = (text: string): string => `${text.startsWith('B') ? 'C' : 'B'}${text.slice(1)}`;
    for (const [at, segment] of segments.entries()) {
      for (const changed of [swap(segment), segment.slice(0, -4), `${segment}AAAA`, '*']) {
        if (changed !== segment) expect(opens(segments.with(at, changed).join('.')), `${String(at)} ${changed}`).toBe(false);
      }
    }
    for (const other of [`${jwe}.`, `${jwe}.AAAA`, segments.slice(0, 4).join('.'), '', '....']) expect(opens(other), other).toBe(false);
  });

  it('takes only the header that releases have', async () => {
    const plaintext = Buffer.from('a presentation');
    const refused: Readonly<Record<string, string>> = {
      'another content encryption': await encrypt(plaintext, { enc: 'A128GCM' }),
      'a wrapped key': await encrypt(plaintext, { alg: 'ECDH-ES+A256KW' }),
      'a party that releases do not name': await encrypt(plaintext, {}, { apu: Buffer.from('a party'), apv }),
      'no party': await encrypt(plaintext, {}, {}),
      'a member that nobody knows': await encrypt(plaintext, { cty: 'text' }),
    };
    for (const [what, jwe] of Object.entries(refused)) expect(opens(jwe), what).toBe(false);
    const [head = '', ...rest] = (await encrypt(plaintext)).split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    for (const epk of [{ crv: 'X25519', kty: 'OKP', x: 'A'.repeat(43) }, { crv: 'P-256', kty: 'EC', x: 'A'.repeat(43), y: 'A'.repeat(43) }, 'key', undefined, { ...(header['epk'] as object), d: 'A'.repeat(43) }]) {
      expect(opens([Buffer.from(JSON.stringify({ ...header, epk })).toString('base64url'), ...rest].join('.')), JSON.stringify(epk)).toBe(false);
    }
  });
});
