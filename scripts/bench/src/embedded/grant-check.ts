import { verifyTypedData, Wallet } from 'ethers';
import { domainOf, toHex, typedStructs, VerifiedGrants, verifyGrantSignature, type Grant, type GrantEnvelope } from '@huilian/protocol';
import { memoryPin, OwnerWallet, referenceOf } from '@huilian/sdk';
import { recoverPublicKey } from '../../../../node/dist/composition/recover-public-key.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

const grants = 400;
const repeats = 20;
/** More pairs than elsewhere: one takes a second. */
const pairsMore = 2;

/** P10: processor time of proving who signed a grant, for the first time and again, against ethers' verifyTypedData. */
export const measureGrantCheck: Measurer<EmbeddedWorld> = async (world) => {
  world.progress.step('P10: grants are signed / 签署授权');
  const domain = domainOf({ channel: 'huilian', chaincode: 'huilian', charter: 'c'.repeat(64), founding: 'f'.repeat(64) });
  const [signer, wrong] = [new Wallet(`0x${'17'.repeat(32)}`), new Wallet(`0x${'18'.repeat(32)}`)];
  const envelopes = await Promise.all(Array.from({ length: grants }, async (_none, index) => await new OwnerWallet(index === 0 ? wrong : signer, memoryPin()).signGrant(domain, invented(index))));
  const key = verifyGrantSignature(envelopes[1] as GrantEnvelope, domain, recoverPublicKey).key;
  const once = (): number => perSecond(envelopes, (envelope) => verifyGrantSignature(envelope, domain, recoverPublicKey).key === key);
  const known = new VerifiedGrants(recoverPublicKey);
  const again = (): number => perSecond(Array.from({ length: repeats }, () => envelopes).flat(), (envelope) => known.verify(envelope, domain).key === key, repeats);
  const plain = (): number => perSecond(envelopes, (envelope) => verifyTypedData({ ...domain }, { Grant: [...typedStructs.Grant] }, { ...envelope.grant }, envelope.signature) === signer.address);
  for (const warm of [once, again, plain]) warm();
  world.progress.step('P10: checked in turns / 交替验证');
  const runs = await inPairs(world.scale.pairs * pairsMore, async () => Promise.resolve({ once: once(), again: again() }), async () => Promise.resolve(plain()));
  const [first, repeated] = [spread(runs.map(([mine, other]) => mine.once / other)), spread(runs.map(([mine, other]) => mine.again / other))];
  const baseline = { what: 'ethers verifyTypedData', checksASecond: Math.round(median(runs.map(([, other]) => other))) };
  const conditions = (rate: number): Record<string, unknown> => conditionsOf(world, { grants, checksASecond: Math.round(rate), counted: 'processor time of one thread' });
  return [
    { id: 'P10', what: 'grants checked a second of processor time (EIP-712 digest, key recovered in WASM)', unit: 'x', value: rounded(first.median), range: [rounded(first.min), rounded(first.max)], goal: { at: 'least', value: 6 }, baseline, conditions: conditions(median(runs.map(([mine]) => mine.once))) },
    { id: 'P10-repeated', what: 'the same for grants that were proved before', unit: 'x', value: rounded(repeated.median), range: [rounded(repeated.min), rounded(repeated.max)], goal: { at: 'least', value: 100 }, baseline, conditions: conditions(median(runs.map(([mine]) => mine.again))) },
  ];
};

function invented(index: number): Grant {
  return {
    owner: 'org:91440105MA6NNHC07C', grantee: 'sample-bank', claims: ['credit/entry', 'credit/score'], purpose: 'credit-check',
    reference: referenceOf(new Uint8Array(16), 'benchmark'), notBefore: 1_760_000_000, expires: 1_780_000_000, maxUses: 5, nonce: `0x${toHex(Uint8Array.from({ length: 32 }, (_none, at) => (index >> at) & 255))}`,
  };
}

/** Checks a second of processor time. The first grant of each list is another signer's. @throws where a check says otherwise */
function perSecond(envelopes: readonly GrantEnvelope[], isSigners: (envelope: GrantEnvelope) => boolean, strangers = 1): number {
  const before = process.cpuUsage();
  const refused = envelopes.filter((envelope) => !isSigners(envelope)).length;
  const { system, user } = process.cpuUsage(before);
  if (refused !== strangers) throw new Error(`${String(refused)} grants were refused, ${String(strangers)} should have been`);
  return envelopes.length / ((system + user) / 1e6);
}
