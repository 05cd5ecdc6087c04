import { randomBytes } from 'node:crypto';
import { recoverAddress, SigningKey } from 'ethers';
import { describe, expect, it } from 'vitest';
import { recoverOwnerKey } from '@huilian/protocol';
import { recoverPublicKey } from '../src/rules/owner-signatures.js';
import { validAccess } from './cases/access-cases.js';
import { worlds } from './cases/ledger-case.js';
import { invoke, type LedgerCall } from './memory-ledger.js';
import type { Json, JsonRecord } from './plain-json.js';

describe('recovery of owner keys', () => {
  it('answers what ethers answers', () => {
    for (let round = 0; round < 50; round += 1) {
      const digest = randomBytes(32);
      const { serialized } = new SigningKey(randomBytes(32)).sign(digest);
      expect(recoverOwnerKey(digest, serialized, recoverPublicKey)).toBe(recoverAddress(digest, serialized).toLowerCase());
    }
  });

  it('answers nothing where no point has that x', () => {
    // x = 5 is on no point of secp256k1: 5^3 + 7 is no square modulo p.
    const signature = `0x${'5'.padStart(64, '0')}${'1'.padStart(64, '0')}1b`;
    expect(recoverOwnerKey(new Uint8Array(32).fill(1), signature, recoverPublicKey)).toBeUndefined();
  });
});

describe('a grant in access.open', () => {
  const accepted = validAccess.find(({ name }) => name === 'open: by a grant');
  const call = accepted?.call as LedgerCall;
  const [entry] = (call.argument as unknown as { entries: readonly { grant: { signature: string } }[] }).entries;
  const signature = Buffer.from(entry?.grant.signature.slice(2) ?? '', 'hex');

  async function codeWith(bytes: Uint8Array): Promise<string | undefined> {
    const changed = { ...entry, grant: { ...entry?.grant, signature: `0x${Buffer.from(bytes).toString('hex')}` } } as unknown as JsonRecord;
    const { response } = await invoke(worlds.published, { ...call, argument: { entries: [changed] } });
    return (response as unknown as readonly { code?: string }[])[0]?.code;
  }

  it('is accepted as signed', async () => {
    expect(await codeWith(signature)).toBeUndefined();
  });

  it('is refused with any bit of its signature flipped', async () => {
    const codes = new Set<string | undefined>();
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      codes.add(await codeWith(flipped));
    }
    expect([...codes].sort()).toEqual(['GRANT_BAD_SIGNATURE', 'GRANT_NONCANONICAL_SIG']);
  });

  it('is checked against the key in force each time, however often its signature was seen', async () => {
    const owner = worlds.published['owner org:91440101MA5CK8T02A'] as JsonRecord;
    const rotated: Json = { ...owner, key: `0x${'00'.repeat(20)}` };
    expect(await codeWith(signature)).toBeUndefined();
    const { response } = await invoke({ ...worlds.published, 'owner org:91440101MA5CK8T02A': rotated }, call);
    expect(response).toEqual([{ code: 'GRANT_BAD_SIGNATURE' }]);
  });
});
