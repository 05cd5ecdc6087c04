import { createECDH } from 'node:crypto';
import { domainOf, grantDigest, readRequest, type Grant, type GrantEnvelope } from '@huilian/protocol';
import { Wallet } from 'ethers';
import type { AccessDoor, Asked } from './access-door.js';
import { seconds, type RefusalCase, type World } from './surfaces.js';

/** Order of secp256k1 (SEC 2 §2.4.1). */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const word = (value: bigint): string => value.toString(16).padStart(64, '0');

/** The other spelling of the same signature: n - s, and the other recovery bit. */
function highTwin(signature: string): string {
  return `${signature.slice(0, 66)}${word(order - BigInt(`0x${signature.slice(66, 130)}`))}${signature.endsWith('1b') ? '1c' : '1b'}`;
}

function inverse(value: bigint): bigint {
  let [power, exponent, result] = [value, order - 2n, 1n];
  for (; exponent > 0n; exponent >>= 1n, power = (power * power) % order) if ((exponent & 1n) === 1n) result = (result * power) % order;
  return result;
}

/** Another good signature of the same key over the same digest (SEC 1 §4.1.3, with a k drawn anew). */
function signedAgain(digest: string, key: string): string {
  const point = createECDH('secp256k1');
  point.generateKeys();
  const k = BigInt(`0x${point.getPrivateKey('hex')}`);
  const shown = point.getPublicKey();
  const r = BigInt(`0x${shown.subarray(1, 33).toString('hex')}`) % order;
  const s = (inverse(k) * ((BigInt(digest) + r * BigInt(key)) % order)) % order;
  const low = s * 2n < order;
  const odd = (shown[64] ?? 0) % 2 === 1;
  return `0x${word(r)}${word(low ? s : order - s)}${odd === low ? '1c' : '1b'}`;
}

/** Grants that do not permit what is read under them. */
export function grantCases({ local, expectWrites }: World, door: AccessDoor): Record<string, RefusalCase> {
  const drivers = (make: () => Promise<Asked>): RefusalCase => ({ drivers: door.drivers(make) });
  const termed = (terms: () => Partial<Grant>, asked: Partial<Asked> = {}): RefusalCase => drivers(async () => ({ grant: await local.grant(terms()), ...asked }));
  /** A good request, and beside it a grant changed after signing. */
  const spoilt = (change: (good: GrantEnvelope) => object): RefusalCase =>
    drivers(async () => {
      const good = await local.grant({});
      return { grant: { ...good, ...change(good) } as GrantEnvelope, request: await door.prepare({ grant: good }) };
    });
  const spelt = (spell: (signature: string) => string): RefusalCase => spoilt(({ signature }) => ({ signature: spell(signature) }));
  /** Terms of another shape than a grant has; the signature does not come to be looked at. */
  const shaped = (change: object): RefusalCase => spoilt(({ grant }) => ({ grant: Object.fromEntries(Object.entries({ ...grant, ...change }).filter(([, value]) => value !== undefined)) }));
  /** Altered terms, asked for as altered: the signature is of other terms. */
  const altered = (change: (grant: Grant) => Partial<Grant>): RefusalCase =>
    drivers(async () => {
      const good = await local.grant({});
      return { grant: { ...good, grant: { ...good.grant, ...change(good.grant) } } };
    });

  async function read(grant: GrantEnvelope): Promise<void> {
    const client = await local.client('zhuhai-platform');
    await client.open({ claims: ['identity'], grant, purpose: 'registration', recordIds: [door.entity] });
    expectWrites('access:open');
  }

  async function spent(): Promise<Asked> {
    const grant = await local.grant({ maxUses: 1 });
    await read(grant);
    return { grant, slot: 2 };
  }

  /** The same content, signed once more: its uses are those of the first. */
  async function spentThenSignedAgain(): Promise<Asked> {
    const { grant, slot } = await spent();
    const good = grant as GrantEnvelope;
    const signature = signedAgain(grantDigest((await local.consortium()).domain, good.grant), local.signer(local.owner).privateKey);
    return { grant: { ...good, signature }, ...(slot === undefined ? {} : { slot }) };
  }

  async function revoked(): Promise<Asked> {
    const grant = await local.grant({});
    const client = await local.client('zhuhai-platform');
    const { domain } = await local.consortium();
    await client.revoke(await local.wallet(local.owner).signRevocation(domain, { grant: grantDigest(domain, grant.grant), owner: local.owner }));
    expectWrites('access:revokeGrant');
    return { grant };
  }

  async function reused(): Promise<Asked> {
    const grant = await local.grant({ maxUses: 2 });
    const first = await door.prepare({ grant });
    await (await local.client('zhuhai-platform')).send(first, grant);
    expectWrites('access:open');
    return { grant, request: await door.changed(grant, () => ({ claims: ['contact'], requestId: readRequest(first).request.requestId })), slot: 2 };
  }

  /** What another application would have its user sign: the same words under a domain of its own. */
  async function ofAnotherApplication(): Promise<Asked> {
    const good = await local.grant({});
    const domain = domainOf({ chaincode: 'huilian', channel: 'another', charter: 'a'.repeat(64), founding: 'b'.repeat(64) });
    return { grant: await local.wallet(local.owner).signGrant(domain, good.grant), request: await door.prepare({ grant: good }) };
  }

  const cases: Record<string, RefusalCase> = {
    'grant-missing': drivers(() => Promise.resolve({})),
    'grant-by-another-key': drivers(async () => ({ grant: await local.grant({}, local.stranger) })),
    'grant-by-an-unknown-key': drivers(async () => {
      const good = await local.grant({});
      const fields = await import('@huilian/protocol').then(({ typedStructs }) => typedStructs.Grant.map((field) => ({ ...field })));
      return { grant: { ...good, signature: await Wallet.createRandom().signTypedData({ ...good.domain }, { Grant: fields }, { ...good.grant }) } };
    }),
    'grant-more-uses': altered(({ maxUses }) => ({ maxUses: maxUses + 1 })),
    'grant-longer-term': altered(({ expires }) => ({ expires: expires + 1 })),
    'grant-more-claims': altered(({ claims }) => ({ claims: [...claims, 'entity/registration'] })),
    'grant-other-nonce': altered(() => ({ nonce: `0x${'1'.repeat(64)}` })),
    'grant-personal-sign': drivers(async () => {
      const good = await local.grant({});
      return { grant: { ...good, signature: await local.signer(local.owner).signMessage(JSON.stringify(good.grant)) } };
    }),
    'grant-recovers-nobody': spelt((signature) => `0x${word(5n)}${signature.slice(66)}`),
    'grant-bit-flipped': spelt((signature) => `${signature.slice(0, 100)}${signature[100] === 'a' ? 'b' : 'a'}${signature.slice(101)}`),
    'grant-high-s': spelt(highTwin),
    'grant-v-zero': spelt((signature) => `${signature.slice(0, 130)}${signature.endsWith('1b') ? '00' : '01'}`),
    'grant-upper-case': spelt((signature) => `0x${signature.slice(2).toUpperCase()}`),
    'grant-64-bytes': spelt((signature) => signature.slice(0, 130)),
    'grant-66-bytes': spelt((signature) => `${signature}00`),
    'grant-r-zero': spelt((signature) => `0x${word(0n)}${signature.slice(66)}`),
    'grant-s-zero': spelt((signature) => `${signature.slice(0, 66)}${word(0n)}1b`),
    'grant-s-order': spelt((signature) => `${signature.slice(0, 66)}${word(order)}1b`),
    'grant-extra-field': shaped({ more: 1 }),
    'grant-beside-uses': spoilt(() => ({ maxUses: 1000 })),
    'grant-own-types': spoilt(() => ({ primaryType: 'Grant', types: { Grant: [] } })),
    'grant-uses-text': shaped({ maxUses: '10 ' }),
    'grant-uses-hex': shaped({ maxUses: '0x0a' }),
    'grant-uses-negative': shaped({ maxUses: -1 }),
    'grant-uses-zero': shaped({ maxUses: 0 }),
    'grant-uses-huge': shaped({ maxUses: 2 ** 53 - 1 }),
    'grant-uses-null': shaped({ maxUses: null }),
    'grant-milliseconds': shaped({ expires: seconds() * 1000 }),
    'grant-without-end': shaped({ expires: undefined }),
    'grant-100-years': shaped({ expires: seconds() + 100 * 366 * 86_400 }),
    'grant-purpose-any': shaped({ purpose: '*' }),
    'grant-purpose-empty': shaped({ purpose: '' }),
    'grant-purpose-homoglyph': shaped({ purpose: 'registratіon' }),
    'grant-purpose-nul': shaped({ purpose: 'registration\u0000' }),
    'grant-purpose-proto': shaped({ purpose: '__proto__' }),
    'grant-suite': spoilt(() => ({ suite: 'sm2' })),
    'grant-not-owner': termed(() => ({ owner: local.stranger })),
    'grant-owner-unknown': drivers(async () => {
      const good = await local.grant({});
      return { grant: { ...good, grant: { ...good.grant, owner: 'org:91440101MA5CK8T02A' } } };
    }),
    'grant-owner-id': shaped({ owner: 'org:91440101MA5CK8T02B' }),
    'grant-other-reader': termed(() => ({ grantee: 'sample-bank' })),
    'grant-copied': drivers(async () => ({ grant: await local.grant({}), reader: 'sample-bank' })),
    'grant-other-purpose': termed(() => ({ purpose: 'credit-check' })),
    'grant-other-claim': termed(() => ({ claims: ['entity/contact'] })),
    'grant-expired': termed(() => ({ expires: seconds() - 1, notBefore: seconds() - 3600 })),
    'grant-not-yet': termed(() => ({ notBefore: seconds() + 600 })),
    'grant-spent': drivers(spent),
    'grant-spent-signed-again': drivers(spentThenSignedAgain),
    'grant-revoked': drivers(revoked),
    'grant-other-application': drivers(ofAnotherApplication),
    'grant-domain-name': spoilt(({ domain }) => ({ domain: { ...domain, name: 'Another' } })),
    'grant-domain-member': spoilt(({ domain }) => ({ domain: { ...domain, chainId: 1 } })),
    'request-id-reused': { drivers: door.drivers(reused, ['cli']) },
  };
  // A command is a process: of many spellings of one attack one is given to it.
  const spellings = ['by-an-unknown-key', 'more-uses', 'recovers-nobody', 'v-zero', 'extra-field', 'own-types', 'uses-text', 'without-end', '100-years', 'copied', 'domain-name', 'domain-member', 'longer-term', 'more-claims', 'other-nonce', 'bit-flipped', 'upper-case', '64-bytes', '66-bytes', 'r-zero', 's-zero', 's-order', 'uses-hex', 'uses-negative', 'uses-zero', 'uses-huge', 'uses-null', 'purpose-empty', 'purpose-homoglyph', 'purpose-nul', 'purpose-proto'];
  for (const name of spellings) {
    const { drivers: { cli: _command, ...others } } = cases[`grant-${name}`] ?? { drivers: {} };
    cases[`grant-${name}`] = { drivers: others };
  }
  return cases;
}
