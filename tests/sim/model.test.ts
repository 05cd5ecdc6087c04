import fc from 'fast-check';
import { expect, it } from 'vitest';
import { attestFaults, badCalls, centres, openFaults, publishFaults, registerFaults, statementFaults, supersedeFaults, type CentreId, type Intent } from '../parity/schedule.js';
import { Twin, type Parting } from './twin.js';

type Step = readonly [by: CentreId, intent: Intent];

const centre = fc.constantFrom(...centres);
const few = fc.nat({ max: 2 });
const record = fc.nat({ max: 6 });
const owner = fc.nat({ max: 1 });
/** Mostly without a fault. */
const faulty = <T extends string>(faults: readonly T[]): fc.Arbitrary<{ readonly fault?: T }> =>
  fc.oneof({ arbitrary: fc.constant({}), weight: 3 }, { arbitrary: fc.constantFrom(...faults).map((fault) => ({ fault })), weight: 1 });
const withFault = <I extends object, F extends string>(fields: fc.Arbitrary<I>, faults: readonly F[]): fc.Arbitrary<Intent> =>
  fc.tuple(fields, faulty(faults)).map(([intent, fault]) => ({ ...intent, ...fault }) as unknown as Intent);

/** Mostly a record that the beginning published, under a grant of its owner, in a use that the grant has. */
const opens: fc.Arbitrary<Intent> = fc
  .record({ basis: fc.constantFrom('grant' as const, 'grant' as const, 'grant' as const, 'policy' as const), fault: fc.oneof({ arbitrary: fc.constant({}), weight: 6 }, { arbitrary: fc.constantFrom(...openFaults).map((fault) => ({ fault })), weight: 1 }), more: fc.nat({ max: 7 }), other: fc.nat({ max: 9 }), record: fc.nat({ max: 5 }), request: fc.nat({ max: 20 }), slot: fc.constantFrom(1, 1, 2, 2, 3, 0) })
  .map(({ basis, fault, more, other, record: first, request, slot }) => ({ op: 'open', records: more < 2 ? [first, more] : [first], basis, grant: other === 0 ? 1 : first < 3 ? 0 : 1, request, slot, ...fault }));

const intents: fc.Arbitrary<Intent> = fc.oneof(
  { weight: 3, arbitrary: withFault(fc.record({ op: fc.constant('publish'), centre, kind: fc.constantFrom('credit', 'credit', 'notice', 'bid'), count: fc.integer({ min: 1, max: 3 }), owner }), publishFaults) },
  { weight: 3, arbitrary: withFault(fc.record({ op: fc.constant('supersede'), record, status: fc.constantFrom('active', 'active', 'revoked') }), supersedeFaults) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('contradict'), record }) as fc.Arbitrary<Intent> },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('expose'), record, honest: fc.boolean() }) as fc.Arbitrary<Intent> },
  { weight: 3, arbitrary: withFault(fc.record({ op: fc.constant('attest'), record, outcome: fc.constantFrom('agrees', 'agrees', 'differs', 'withdrawn') }), attestFaults) },
  { weight: 3, arbitrary: withFault(fc.record({ op: fc.constant('state'), record, verdict: fc.constantFrom('confirm', 'dispute', 'withdraw'), minute: record }), statementFaults) },
  { weight: 10, arbitrary: opens },
  { weight: 2, arbitrary: withFault(fc.record({ op: fc.constant('confirm'), ticket: record, jwe: owner }), ['signed by another']) },
  { weight: 2, arbitrary: withFault(fc.record({ op: fc.constant('refuse'), ticket: record }), ['unknown code']) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('dispute'), ticket: record }) as fc.Arbitrary<Intent> },
  { weight: 2, arbitrary: withFault(fc.record({ op: fc.constant('revokeGrant'), grant: owner }), ['high s', 'signed by another']) },
  { weight: 1, arbitrary: withFault(fc.record({ op: fc.constant('register'), owner: few }), registerFaults) },
  { weight: 1, arbitrary: withFault(fc.record({ op: fc.constant('rotateKey'), owner }), ['signed by another']) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('recover', 'objectRecovery'), owner }) as fc.Arbitrary<Intent> },
  { weight: 1, arbitrary: withFault(fc.record({ op: fc.constant('setPolicy'), policy: owner, centre }), ['ended', 'purpose unknown']) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('propose'), action: fc.constantFrom('admit', 'code-set', 'migration', 'next-code-set', 'publish-schema', 'retire', 'retire-ca', 'suspend', 'unknown'), proposal: few }) as fc.Arbitrary<Intent> },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('vote'), approve: fc.boolean(), proposal: few }) as fc.Arbitrary<Intent> },
  { weight: 1, arbitrary: withFault(fc.record({ op: fc.constant('rotateMemberKeys'), proposal: few }), ['signed by another']) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('declare'), record, centre }) as fc.Arbitrary<Intent> },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('acknowledge'), proposal: few }) as fc.Arbitrary<Intent> },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('bad'), what: fc.constantFrom(...badCalls) }) as fc.Arbitrary<Intent> },
);
/** Readers call through their own centre; publishers for themselves; now and then somebody else. */
const single: fc.Arbitrary<readonly Step[]> = fc.tuple(intents, centre, fc.nat({ max: 9 })).map(([intent, other, chance]) => {
  const usual = intent.op === 'open' ? 'beijing' : 'centre' in intent ? intent.centre : other;
  return [[chance === 0 ? other : usual, intent]];
});
/** What single steps would rarely line up: both headers of a record exposed and the record asked for; a vote cast twice. */
const contest: fc.Arbitrary<readonly Step[]> = fc.tuple(fc.nat({ max: 4 }), opens).map(([number, open]) => [
  ['guangzhou', { op: 'contradict', record: number }],
  ['zhuhai', { op: 'expose', record: number, honest: true }],
  ['beijing', { ...open, basis: 'grant', grant: number < 3 ? 0 : 1, records: [number], request: 21 + number } as Intent],
]);
/** A record superseded and then asked for as it was. */
const outdated: fc.Arbitrary<readonly Step[]> = fc.tuple(fc.nat({ max: 4 }), opens).map(([number, open]) => [
  [number < 3 ? 'guangzhou' : 'zhuhai', { op: 'supersede', record: number, status: 'active' }],
  ['beijing', { ...open, basis: 'grant', grant: number < 3 ? 0 : 1, records: [number], request: 31 + number } as Intent],
]);
const wordsTwice: fc.Arbitrary<readonly Step[]> = fc.tuple(fc.nat({ max: 4 }), fc.constantFrom('agrees' as const, 'withdrawn' as const), fc.nat({ max: 3 }), fc.nat({ max: 3 })).map(([number, outcome, first, second]) => [
  ['beijing', { op: 'attest', record: number, outcome: 'agrees' }],
  ['beijing', { op: 'attest', record: number, outcome }],
  ['zhuhai', { op: 'state', record: number, verdict: 'dispute', minute: first }],
  ['zhuhai', { op: 'state', record: number, verdict: 'withdraw', minute: second }],
]);
const voteTwice: fc.Arbitrary<readonly Step[]> = fc.tuple(centre, few).map(([by, proposal]) => [
  [by, { op: 'propose', action: 'code-set', proposal }],
  [by, { op: 'vote', approve: true, proposal }],
]);
/** A code set that two centres adopt, its next version, and the end of one: single steps would seldom get so far. */
const term: fc.Arbitrary<readonly Step[]> = fc.tuple(few, fc.boolean()).map(([proposal, next]) =>
  (['code-set', ...(next ? ['next-code-set' as const] : []), 'retire', 'retire'] as const).flatMap((action): readonly Step[] => [
    ['guangzhou', { op: 'propose', action, proposal }],
    ['zhuhai', { op: 'vote', approve: true, proposal }],
    ['zhuhai', { op: 'acknowledge', proposal }],
  ]),
);
const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(fc.oneof({ arbitrary: single, weight: 12 }, { arbitrary: contest, weight: 1 }, { arbitrary: outdated, weight: 1 }, { arbitrary: wordsTwice, weight: 1 }, { arbitrary: voteTwice, weight: 1 }, { arbitrary: term, weight: 1 }), { minLength: 1, maxLength: 30 })
  .map((played) => played.flat());

const beginning: readonly Step[] = [
  ['zhuhai', { op: 'register', owner: 0 }],
  ['zhuhai', { op: 'register', owner: 1 }],
  ['guangzhou', { op: 'publish', centre: 'guangzhou', kind: 'credit', count: 3, owner: 0 }],
  ['zhuhai', { op: 'publish', centre: 'zhuhai', kind: 'credit', count: 2, owner: 1 }],
  ['guangzhou', { op: 'setPolicy', policy: 0, centre: 'guangzhou' }],
];

async function firstParting(twin: Twin, played: readonly Step[], seed: number): Promise<Parting | undefined> {
  const writer = await twin.found(seed);
  for (const [by, intent] of [...beginning, ...played]) {
    const parting = await twin.play(writer, by, intent);
    if (parting !== undefined) return parting;
  }
  return undefined;
}

const settings = { numRuns: 250, seed: Number(process.env['SIM_SEED'] ?? 20261123) };

it(`contracts and model answer any calls alike (seed ${String(settings.seed)})`, async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(steps, fc.nat({ max: 1000 }), async (played, seed) => {
      const twin = new Twin();
      expect(await firstParting(twin, played, seed)).toBeUndefined();
      for (const [what, count] of twin.seen) seen.set(what, (seen.get(what) ?? 0) + count);
    }),
    settings,
  );
  // The commands must get somewhere, or equal answers would say nothing.
  const met = ['access:confirm accepted', 'ALREADY_VOTED', 'ATTESTATION_UNKNOWN', 'ENCRYPTION_KEY_MISMATCH', 'governance:acknowledge accepted', 'governance:approve accepted', 'governance:propose PROPOSAL_INVALID', 'governance:propose SCHEMA_UNKNOWN', 'GRANT_REVOKED', 'PREVIOUS_MISMATCH', 'RECORD_CONTESTED', 'RECORD_STALE', 'records:attest accepted', 'records:declare accepted', 'records:declare BAD_FIELD', 'records:expose accepted', 'records:state accepted', 'SLOT_TAKEN', 'STATEMENT_SUPERSEDED', 'ticket'];
  expect(met.filter((what) => !seen.has(what))).toEqual([]);
}, 120_000);

it.each(['revocation', 'slot', 'record', 'contested', 'policy', 'ticket', 'batch', 'attestation', 'statement'])('a model that forgets %s is found out', async (type) => {
  const property = fc.asyncProperty(steps, fc.nat({ max: 1000 }), async (played, seed) => (await firstParting(new Twin((written) => written === type), played, seed)) === undefined);
  const details = await fc.check(property, { ...settings, endOnFailure: true, numRuns: 200 });
  expect(details.failed).toBe(true);
}, 120_000);
