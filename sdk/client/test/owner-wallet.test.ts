import { createPublicKey, verify, webcrypto } from 'node:crypto';
import { Signature, Wallet, verifyTypedData, type TypedDataDomain, type TypedDataField } from 'ethers';
import { describe, expect, it } from 'vitest';
import { bundledKinds, canonicalBytes, fromBase64url, grantDigest, typedStructs, verifyGrantSignature, verifyOwnerStatement, verifyRevocationSignature, type KindDefinition } from '@huilian/protocol';
import { describeGrant, memoryPin, OwnerWallet, ProtocolError, purposes, renderGrant, renderStatement, signRegistration, type Domain } from '../src/index.js';
import { ownClaims } from '../src/owner-view.js';

const owner = 'org:91440105MA6NNHC07C';
const domain: Domain = { name: 'Huilian', version: '1', salt: `0x${'ab'.repeat(32)}` };
const grant = {
  owner,
  grantee: 'sample-bank',
  claims: ['credit/entry', 'performance/contract'],
  purpose: 'credit-check',
  reference: `0x${'01'.repeat(32)}`,
  notBefore: 1_790_000_000,
  expires: 1_790_604_800,
  maxUses: 3,
  nonce: `0x${'02'.repeat(32)}`,
} as const;

const refusal = async (call: () => unknown): Promise<string> => {
  try {
    await call();
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
  return 'nothing refused';
};

/** A kind that no release brought along, with so many claims. */
function addedKind(kind: string, count: number): KindDefinition {
  const [model] = bundledKinds();
  if (model === undefined) throw new Error('no kind came along');
  const claims = Object.fromEntries(Array.from({ length: count }, (_, index) => [`part${String(index)}`, { zh: `第 ${String(index)} 部分`, en: `part ${String(index)}`, personal: [] }]));
  return { ...model, kind, title: { zh: '虚构', en: 'Invented' }, rights: ['owner'], claims, document: { properties: {} } };
}

/** A signer that answers another spelling of the right signature, as some hardware and browser wallets do. */
class OddSigner extends Wallet {
  public constructor(
    key: string,
    private readonly spell: (signature: string) => string,
  ) {
    super(key);
  }
  public override async signTypedData(...parameters: Parameters<Wallet['signTypedData']>): Promise<string> {
    return this.spell(await super.signTypedData(...parameters));
  }
}

describe('a word on a record', () => {
  const record = `guangzhou/performance/${'a'.repeat(26)}`;
  const word = { owner, record, version: 2, digest: `0x${'03'.repeat(32)}`, claims: ['contract'], verdict: 'dispute', reason: 'wrong-value', issuedAt: 1_790_000_000 } as const;

  it('says what is disputed and why, and that every member sees it', () => {
    const { en, zh } = renderStatement('RecordStatement', word);
    expect(zh.join('\n')).toMatch(/第 2 版声明：有异议[^]*理由：内容与事实不符[^]*合同[^]*全体成员可见/);
    expect(en.join('\n')).toMatch(/version 2 of the record guangzhou\/performance[^]*disputes it[^]*a value is wrong[^]*every member sees it/);
    expect(renderStatement('RecordStatement', { ...word, claims: [] }).en).toContain('About: the whole record');
  });

  it.each([
    ['a reason of another verdict', { reason: 'checked' }],
    ['a claim that the kind does not have', { claims: ['bankAccount'] }],
    ['a verdict that has no words', { verdict: 'ignore' }],
    ['free text', { note: 'the amount is wrong' }],
  ])('is not signed with %s', async (_what, change) => {
    const wallet = new OwnerWallet(Wallet.createRandom(), memoryPin());
    expect(await refusal(async () => await wallet.signRecordStatement(domain, { ...word, ...change }))).toBe('WALLET_UNREADABLE');
  });

  it('is signed on a claim of a kind that a vote added, where the wallet was told of it', async () => {
    const kinds = [addedKind('forest-right', 3)];
    const said = { ...word, record: record.replace('performance', 'forest-right'), claims: ['part0'] };
    const wallet = new OwnerWallet(Wallet.createRandom(), memoryPin());
    expect(await refusal(async () => await wallet.signRecordStatement(domain, said))).toBe('WALLET_UNREADABLE');
    expect((await wallet.signRecordStatement(domain, said, kinds)).statement.claims).toEqual(['part0']);
    expect(renderStatement('RecordStatement', said, kinds).zh.join('\n')).toContain('虚构：第 0 部分');
  });

  it('is signed as ethers would', async () => {
    const signer = Wallet.createRandom();
    const envelope = await new OwnerWallet(signer, memoryPin()).signRecordStatement(domain, word);
    const types = { RecordStatement: typedStructs.RecordStatement.map((field) => ({ ...field })) };
    expect(verifyTypedData({ ...domain }, types, { ...word }, envelope.signature)).toBe(signer.address);
    expect(verifyOwnerStatement(envelope, 'RecordStatement', envelope.statement, domain)).toBe(signer.address.toLowerCase());
  });
});

describe('a grant for an own copy', () => {
  it('names every claim whose owner must authorise, in as many grants as their number needs, each kind in one', () => {
    const own = bundledKinds().filter(({ rights }) => rights.includes('owner')).flatMap(({ claims, kind }) => Object.keys(claims).map((claim) => `${kind}/${claim}`));
    expect(ownClaims([])).toEqual([[...own].sort()]);
    const added = [addedKind('added-one', 40), addedKind('added-two', 30)];
    const grants = ownClaims(added);
    expect(grants.map((claims) => claims.length <= 64 && claims.join() === [...claims].sort().join())).toEqual(grants.map(() => true));
    expect(grants.flat().sort()).toEqual([...own, ...added.flatMap(({ claims, kind }) => Object.keys(claims).map((claim) => `${kind}/${claim}`))].sort());
    for (const kind of ['added-one', 'added-two', 'entity']) expect(grants.filter((claims) => claims.some((claim) => claim.startsWith(`${kind}/`)))).toHaveLength(1);
    expect(ownClaims(added, 'added-two')[0]).toHaveLength(30);
    expect(ownClaims(added, 'no-such-kind')).toEqual([]);
  });

  it('says that the grantee only passes it on', () => {
    const { en, zh } = renderGrant({ ...grant, grantee: 'guangzhou', purpose: 'own-copy' });
    expect([zh.join('\n'), en.join('\n')]).toEqual([expect.stringContaining('密文只有本钱包的密钥能打开'), expect.stringContaining('which cannot open it')]);
    expect(describeGrant(grant).ownCopy).toBe(false);
  });
});

describe('a grant in words', () => {
  it('says who may read what, for what, until when, how often, in both languages', () => {
    const { en, zh } = renderGrant(grant, { 'sample-bank': { zh: '示例银行', en: 'Sample Bank' } });
    const chinese = zh.join('\n');
    const english = en.join('\n');
    expect(chinese).toContain(owner);
    expect(chinese).toContain('示例银行（sample-bank）');
    expect(chinese).toContain(purposes['credit-check'].zh);
    expect(chinese).toContain('2026/09/21 22:13 至 2026/09/28 22:13（北京时间）');
    expect(chinese).toContain('最多 3 次');
    expect(english).toContain('Sample Bank (sample-bank)');
    expect(english).toContain('21 Sep 2026, 22:13 to 28 Sep 2026, 22:13 (Beijing time)');
    expect(english).toContain('at most 3');
    for (const qualified of grant.claims) {
      const [kind = '', claim = ''] = qualified.split('/');
      const definition = bundledKinds().find((known) => known.kind === kind);
      expect(chinese).toContain(definition?.title.zh);
      expect(chinese).toContain(definition?.claims[claim]?.zh);
      expect(english).toContain(definition?.claims[claim]?.en);
    }
  });

  it('names the fields of every bundled claim and marks what holds personal data', () => {
    for (const { claims, kind } of bundledKinds()) {
      for (const [claim, { personal }] of Object.entries(claims)) {
        const [words] = describeGrant({ ...grant, claims: [`${kind}/${claim}`] }).claims;
        expect(words?.fields.length, `${kind}/${claim}`).toBeGreaterThan(0);
        expect(words?.fields.every(({ en, zh }) => en !== '' && zh !== '')).toBe(true);
        expect(words?.personal).toBe(personal.length > 0);
      }
    }
  });

  it.each([
    ['a kind nobody knows', { claims: ['secrets/entry'] }],
    ['a claim the kind does not have', { claims: ['credit/everything'] }],
    ['a purpose that is not listed', { purpose: 'because' }],
    ['a field beyond the nine', { wildcard: true }],
    ['a missing field', { maxUses: undefined }],
    ['no claims', { claims: [] }],
    ['a term beyond a year', { expires: grant.notBefore + 400 * 86_400 }],
    ['an owner with a wrong check character', { owner: 'org:91440105MA6NNHC070' }],
    ['a name from the prototype', { claims: ['credit/constructor'] }],
  ])('refuses %s, and signs nothing', async (_what, change) => {
    let asked = 0;
    const signer = new OddSigner(Wallet.createRandom().privateKey, (signature) => {
      asked += 1;
      return signature;
    });
    const value = { ...grant, ...change };
    expect(await refusal(() => renderGrant(value))).toBe('WALLET_UNREADABLE');
    expect(await refusal(() => new OwnerWallet(signer, memoryPin()).signGrant(domain, value))).toBe('WALLET_UNREADABLE');
    expect(asked).toBe(0);
  });

  it('says the other statements too, and refuses what is beyond them', async () => {
    const newKey = `0x${'cd'.repeat(20)}`;
    expect(renderStatement('Revocation', { owner, grant: `0x${'11'.repeat(32)}` }).en.join()).toContain('11'.repeat(32));
    expect(renderStatement('KeyRotation', { owner, newKey, expires: 1_790_000_000 }).zh.join()).toContain(newKey);
    expect(renderStatement('RecoveryObjection', { owner, newKey }).en.join()).toContain(newKey);
    expect(renderStatement('TrailRequest', { owner, issuedAt: 1_790_000_000, nonce: `0x${'11'.repeat(32)}` }).zh.join()).toContain('足迹');
    expect(await refusal(() => renderStatement('Revocation', { owner, grant: `0x${'11'.repeat(32)}`, also: 1 }))).toBe('WALLET_UNREADABLE');
  });
});

describe('the owner\'s wallet', () => {
  const signer = new Wallet(`0x${'17'.repeat(32)}`);

  it('signs what the protocol verifies, under the same digest as ethers', async () => {
    const wallet = new OwnerWallet(signer, memoryPin());
    const envelope = await wallet.signGrant(domain, grant);
    const proved = verifyGrantSignature(envelope, domain);
    expect(proved.key).toBe(await wallet.key());
    expect(proved.digest).toBe(grantDigest(domain, envelope.grant));
    const types = { Grant: typedStructs.Grant.map((field): TypedDataField => ({ ...field })) };
    expect(verifyTypedData({ ...domain } as TypedDataDomain, types, { ...envelope.grant }, envelope.signature).toLowerCase()).toBe(await wallet.key());
  });

  it('signs revocations, trail requests, rotations and objections', async () => {
    const wallet = new OwnerWallet(signer, memoryPin());
    const key = await wallet.key();
    const newKey = `0x${'cd'.repeat(20)}`;
    const revocation = await wallet.signRevocation(domain, { owner, grant: `0x${'11'.repeat(32)}` });
    expect(verifyRevocationSignature(revocation, domain).key).toBe(key);
    const trail = await wallet.signTrailRequest(domain, owner);
    expect(verifyOwnerStatement(trail, 'TrailRequest', trail.request, domain)).toBe(key);
    const rotation = await wallet.signKeyRotation(domain, { owner, newKey, expires: 1_790_000_000 });
    expect(verifyOwnerStatement(rotation, 'KeyRotation', rotation.rotation, domain)).toBe(key);
    const objection = await wallet.signRecoveryObjection(domain, { owner, newKey });
    expect(verifyOwnerStatement(objection, 'RecoveryObjection', objection.objection, domain)).toBe(key);
  });

  it('pins the consortium at its first signature and refuses another, also when both come at once', async () => {
    const pin = memoryPin();
    const other: Domain = { ...domain, salt: `0x${'cd'.repeat(32)}` };
    const wallet = new OwnerWallet(signer, pin);
    const [first, second] = await Promise.all([refusal(() => wallet.signGrant(domain, grant)), refusal(() => wallet.signGrant(other, grant))]);
    expect([first, second]).toEqual(['nothing refused', 'WALLET_DOMAIN_CHANGED']);
    expect(await pin.read()).toBe(domain.salt);
    expect(await refusal(() => new OwnerWallet(signer, pin).signRevocation(other, { owner, grant: `0x${'11'.repeat(32)}` }))).toBe('WALLET_DOMAIN_CHANGED');
    expect(await refusal(() => wallet.signGrant({ ...domain, name: 'Other' } as unknown as Domain, grant))).toBe('WALLET_UNREADABLE');
  });

  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const spellings: Record<string, (signature: string) => string> = {
    'v as 0 or 1': (signature) => `${signature.slice(0, 130)}0${String(Signature.from(signature).yParity)}`,
    'upper-case hex': (signature) => `0x${signature.slice(2).toUpperCase()}`,
    'high s': (signature) => {
      const s = order - BigInt(`0x${signature.slice(66, 130)}`);
      return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`;
    },
  };
  it.each(Object.entries(spellings))('puts right a signer that answers %s', async (_name, spell) => {
    const { signature } = await new OwnerWallet(new OddSigner(signer.privateKey, spell), memoryPin()).signGrant(domain, grant);
    expect(signature).toBe((await new OwnerWallet(signer, memoryPin()).signGrant(domain, grant)).signature);
  });

  it('refuses a signer that signs something else, or no signature at all', async () => {
    const stranger = new OddSigner(signer.privateKey, () => new Wallet(`0x${'18'.repeat(32)}`).signMessageSync('other'));
    expect(await refusal(() => new OwnerWallet(stranger, memoryPin()).signGrant(domain, grant))).toBe('STATEMENT_BAD_SIGNATURE');
    for (const broken of ['0x', `0x${'00'.repeat(65)}`, `0x${'11'.repeat(64)}1d`]) {
      expect(await refusal(() => new OwnerWallet(new OddSigner(signer.privateKey, () => broken), memoryPin()).signGrant(domain, grant)), broken).toBe('GRANT_NONCANONICAL_SIG');
    }
  });
});

describe('a registration statement', () => {
  const statement = { expires: 1_790_000_000, key: `0x${'cd'.repeat(20)}`, owner, salt: domain.salt };

  it.each([
    ['ecdsa-sha256', { name: 'ECDSA', namedCurve: 'P-256' }],
    ['rsa-sha256', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) }],
  ] as const)('is signed as %s', async (algorithm, parameters) => {
    const keys = (await webcrypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    // Many signatures: r and s with leading zeros and set first bits are spelt differently in DER.
    for (let round = 0; round < (algorithm === 'ecdsa-sha256' ? 400 : 2); round += 1) {
      const signed = await signRegistration({ ...statement, expires: statement.expires + round }, keys.privateKey);
      expect(signed.algorithm).toBe(algorithm);
      expect(verify('sha256', canonicalBytes(signed.statement), publicKey, fromBase64url(signed.signature))).toBe(true);
    }
  });

  it('refuses a key of another algorithm and a statement with more in it', async () => {
    const p384 = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify']);
    await expect(signRegistration(statement, p384.privateKey)).rejects.toThrow(TypeError);
    const p256 = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    expect(await refusal(() => signRegistration({ ...statement, also: 1 } as never, p256.privateKey))).toBe('UNKNOWN_FIELD');
  });
});
