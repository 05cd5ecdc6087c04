import { createHash, randomBytes } from 'node:crypto';
import { TypedDataEncoder, Wallet, type TypedDataField } from 'ethers';
import * as secp from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import {
  domainOf, ownerKeyOf, portableRecover, ProtocolError, readGrantEnvelope, recoverOwnerKey, toHex, typedDigest, typedStructs, verifyGrantSignature,
  type Domain, type GrantEnvelope, type RecoverPublicKey, type TypedStructName,
} from '@huilian/protocol';

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
const domain = domainOf({ channel: 'huilian', chaincode: 'huilian', charter: sha('charter'), founding: sha('founding') });
const owner = 'org:91440105MA6NNHC07C';
const wallet = new Wallet(`0x${sha('test key of the typed data, of no value')}`);
const grant = {
  owner, grantee: 'sample-bank', claims: ['credit/entry', 'performance/contract'], purpose: 'credit-check', reference: `0x${sha('reference')}`,
  notBefore: 1_790_000_000, expires: 1_790_604_800, maxUses: 3, nonce: `0x${sha('nonce')}`,
} as const;
const newKey = `0x${sha('key').slice(0, 40)}`;
const messages: Record<TypedStructName, readonly Record<string, unknown>[]> = {
  Grant: [grant, { ...grant, claims: ['credit/entry'], maxUses: 100_000 }, { ...grant, owner: `per:${'a'.repeat(32)}`, expires: 9_999_999_999 }],
  Revocation: [{ owner, grant: `0x${sha('grant')}` }],
  KeyRotation: [{ owner, newKey, expires: 1_790_000_000 }],
  RecoveryObjection: [{ owner, newKey }],
  TrailRequest: [{ owner, issuedAt: 1_790_000_000, nonce: `0x${sha('nonce')}` }],
  RecordStatement: [[], ['contract', 'section']].map((claims) => ({ owner, record: `guangzhou/performance/${'a'.repeat(26)}`, version: 1, digest: `0x${sha('payload')}`, claims, verdict: 'dispute', reason: 'outdated', issuedAt: 1_790_000_000 })),
};

const signed = (message: object, where: Domain = domain): Promise<string> => wallet.signTypedData(where, { Grant: [...typedStructs.Grant] }, message);

/** Recovery as the contracts inject it. */
const wasmRecover: RecoverPublicKey = (digest, signature, recovery) => {
  try {
    return secp.recover(digest, signature, recovery, false) ?? undefined;
  } catch {
    return undefined;
  }
};

/** The key that signed, or the code of the refusal; anything else that is thrown is shown. */
function outcome(envelope: unknown, recover?: RecoverPublicKey): string {
  try {
    return verifyGrantSignature(readGrantEnvelope(envelope), domain, recover).key;
  } catch (error) {
    return error instanceof ProtocolError ? error.code : `threw ${String(error)}`;
  }
}

describe('typed data', () => {
  it.each(Object.entries(messages))('%s has the digest that ethers computes', (name, list) => {
    const fields: TypedDataField[] = [...typedStructs[name as TypedStructName]];
    for (const message of list) {
      expect(`0x${toHex(typedDigest(domain, name as TypedStructName, message))}`).toBe(TypedDataEncoder.hash(domain, { [name]: fields }, message));
    }
  });

  it('has a domain of its own for every channel, chaincode, charter and founding', () => {
    const facts = { channel: 'a', chaincode: 'a', charter: 'a', founding: 'a' };
    const salts = Object.keys(facts).map((fact) => domainOf({ ...facts, [fact]: 'b' }).salt);
    expect(new Set([...salts, domainOf(facts).salt]).size).toBe(5);
  });

  it('is recovered alike by noble and by tiny-secp256k1, also where nothing can be', async () => {
    const digest = typedDigest(domain, 'Grant', grant);
    const good = Buffer.from((await signed(grant)).slice(2, 130), 'hex');
    const signatures = [good, Buffer.alloc(64), Buffer.alloc(64, 255), Buffer.from(`${'0'.repeat(63)}5${'0'.repeat(63)}1`, 'hex'), ...Array.from({ length: 40 }, () => randomBytes(64))];
    for (const signature of signatures) {
      for (const recovery of [0, 1] as const) {
        const keys = [portableRecover, wasmRecover].map((recover) => recover(digest, new Uint8Array(signature), recovery));
        expect(keys[0] && toHex(keys[0]), toHex(signature)).toBe(keys[1] && toHex(keys[1]));
      }
    }
    const key = recoverOwnerKey(digest, await signed(grant), wasmRecover);
    expect(key).toBe(wallet.address.toLowerCase());
    expect(ownerKeyOf(Buffer.from(wallet.signingKey.publicKey.slice(2), 'hex'))).toBe(key);
  });
});

describe('forged grants', () => {
  const ours = wallet.address.toLowerCase();

  it('with any bit of the signature flipped lead to another key or to a code, never to other text', async () => {
    const envelope = { domain, grant, signature: await signed(grant), suite: 'eip712-secp256k1' };
    expect(outcome(envelope, wasmRecover)).toBe(ours);
    const bytes = Buffer.from(envelope.signature.slice(2), 'hex');
    for (let bit = 0; bit < 65 * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const forged = { ...envelope, signature: `0x${flipped.toString('hex')}` };
      const result = outcome(forged, wasmRecover);
      expect(result).toMatch(/^(?:0x[0-9a-f]{40}|GRANT_BAD_SIGNATURE|GRANT_NONCANONICAL_SIG)$/);
      expect(result).not.toBe(ours);
      if (bit % 16 === 0) expect(outcome(forged)).toBe(result);
    }
  });

  it('with any character of any field changed lead to another key or to a refusal', async () => {
    const envelope: GrantEnvelope = { domain, grant, signature: await signed(grant), suite: 'eip712-secp256k1' };
    const spoilt = Object.entries(grant).flatMap(([field, value]) => changesOf(value).map((changed) => ({ ...envelope, grant: { ...grant, [field]: changed } })));
    expect(spoilt.length).toBeGreaterThan(150);
    for (const forged of spoilt) {
      const result = outcome(forged, wasmRecover);
      expect(result).toMatch(/^(?:0x[0-9a-f]{40}|BAD_FIELD|BAD_ID|PURPOSE_UNKNOWN)$/);
      expect(result).not.toBe(ours);
    }
  });

  it('in another spelling are refused as such', async () => {
    const signature = await signed(grant);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const word = (value: bigint): string => value.toString(16).padStart(64, '0');
    const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)];
    const twin = `0x${r}${word(order - BigInt(`0x${s}`))}${v === '1b' ? '1c' : '1b'}`;
    // The twin is a valid ECDSA signature of the same key; only its spelling tells it apart.
    expect(toHex(portableRecover(typedDigest(domain, 'Grant', grant), Buffer.from(twin.slice(2, 130), 'hex'), twin.endsWith('1b') ? 0 : 1) ?? new Uint8Array())).toBe(wallet.signingKey.publicKey.slice(2));
    const spellings = [
      twin, `0x${r}${s}00`, `0x${r}${s}01`, `0x${r}${s}25`, `0x${r}${s}`, `0x${r}${s}${v}00`, `0x${word(0n)}${s}${v}`, `0x${r}${word(0n)}${v}`,
      `0x${r}${word(order)}${v}`, `0x${word(order)}${s}${v}`, `0x${r.toUpperCase()}${s}${v}`, `0x${r}${s}${v.toUpperCase()}`, '0x',
    ];
    for (const spelling of spellings) expect(outcome({ domain, grant, signature: spelling, suite: 'eip712-secp256k1' }), spelling).toBe('GRANT_NONCANONICAL_SIG');
  });

  it('signed as a plain message, or for another domain, lead to another key or a refusal', async () => {
    const personal = await wallet.signMessage(typedDigest(domain, 'Grant', grant));
    expect(outcome({ domain, grant, signature: personal, suite: 'eip712-secp256k1' })).not.toBe(ours);
    const elsewhere = { ...domain, salt: `0x${sha('elsewhere')}` };
    const foreign = await signed(grant, elsewhere);
    expect(outcome({ domain: elsewhere, grant, signature: foreign, suite: 'eip712-secp256k1' })).toBe('GRANT_WRONG_DOMAIN');
    expect(outcome({ domain, grant, signature: foreign, suite: 'eip712-secp256k1' })).not.toBe(ours);
  });
});

/** Every value one step away: a character replaced, a number up or down, a list with an entry more or less. */
function changesOf(value: string | number | readonly string[]): readonly unknown[] {
  if (typeof value === 'number') return [value + 1, value - 1, -value, String(value)];
  if (typeof value !== 'string') return [value.slice(1), [...value, 'project/project'], [...value].reverse(), value.join()];
  return Array.from(value, (character, at) => `${value.slice(0, at)}${character === 'a' ? 'b' : 'a'}${value.slice(at + 1)}`);
}
