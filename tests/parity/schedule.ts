/**
 * Seeded schedules of steps for one channel: which calls are endorsed, evaluated, submitted and waited for, in which
 * order, and what is wrong with some of them. Pure: a seed gives one schedule, as data; `call-writer.ts` makes bytes of it.
 */
export const centres = ['guangzhou', 'zhuhai', 'beijing'] as const;
export type CentreId = (typeof centres)[number];

export const publishFaults = ['truncated', 'trailing byte', 'not canonical', 'kind unknown', 'rights not allowed', 'owner of no code', 'unknown field', 'no headers', 'same seq', 'for another centre', 'record twice'] as const;
export const supersedeFaults = ['version skipped', 'wrong path', 'another owner', 'batch unknown', 'another record'] as const;
export const openFaults = ['wrong domain', 'another reader', 'signed by another', 'offer of another', 'offer expired', 'claim not covered', 'purpose not covered', 'grant of another owner', 'request expired', 'slot missing', 'malformed', 'own copy', 'own copy to another key', 'recipient of no own copy'] as const;
export const attestFaults = ['own record', 'nothing compared', 'wrong path', 'unknown outcome'] as const;
export const statementFaults = ['signed by another', 'another record', 'of yesterday', 'reason of another verdict', 'high s'] as const;
export const registerFaults = ['no certificate', 'garbage', 'another company', 'stranger', 'expired', 'wrong domain'] as const;
export const badCalls = ['unknown contract', 'unknown function', 'hidden function', 'no argument', 'two arguments', 'no JSON', 'spaces', 'duplicate key', 'no object', 'too large', 'unknown field', 'empty', 'prototype'] as const;
const probeCalls = [
  'put', 'put', 'put empty', 'put text', 'put no key', 'put zero key', 'putAndGet', 'putTwice', 'putThenRemove', 'get', 'get absent', 'getAgain', 'remove', 'add', 'add', 'add',
  'count', 'count', 'count open', 'count backwards', 'countSome', 'list', 'page', 'page on', 'pageThenPut', 'putComposite', 'putComposite', 'putComposite bad', 'listComposite', 'countComposite', 'countComposite',
  'about', 'announce', 'announce empty', 'announce no name', 'announceTwice', 'fail', 'fail text', 'failAfterPut', 'random', 'missing', 'few arguments', 'many arguments', 'metadata',
] as const;

/** What a call is about. Numbers count the schedule's own records, grants, tickets, owners, proposals and policies. */
export type Intent =
  | { readonly op: 'publish'; readonly centre: CentreId; readonly kind: 'bid' | 'credit' | 'notice'; readonly count: number; readonly owner: number; readonly fault?: (typeof publishFaults)[number] }
  | { readonly op: 'supersede'; readonly record: number; readonly status: 'active' | 'revoked'; readonly fault?: (typeof supersedeFaults)[number] }
  | { readonly op: 'contradict'; readonly record: number }
  | { readonly op: 'acknowledge'; readonly proposal: number }
  | { readonly op: 'declare'; readonly record: number; readonly centre: CentreId }
  | { readonly op: 'expose'; readonly record: number; readonly honest: boolean }
  | { readonly op: 'attest'; readonly record: number; readonly outcome: 'agrees' | 'differs' | 'withdrawn'; readonly fault?: (typeof attestFaults)[number] }
  | { readonly op: 'state'; readonly record: number; readonly verdict: 'confirm' | 'dispute' | 'withdraw'; readonly minute: number; readonly fault?: (typeof statementFaults)[number] }
  | { readonly op: 'open'; readonly records: readonly number[]; readonly basis: 'grant' | 'policy'; readonly grant: number; readonly request: number; readonly slot: number; readonly fault?: (typeof openFaults)[number] }
  | { readonly op: 'confirm'; readonly ticket: number; readonly jwe: number; readonly fault?: 'signed by another' }
  | { readonly op: 'refuse'; readonly ticket: number; readonly fault?: 'unknown code' }
  | { readonly op: 'dispute'; readonly ticket: number }
  | { readonly op: 'register'; readonly owner: number; readonly fault?: (typeof registerFaults)[number] }
  | { readonly op: 'rotateKey'; readonly owner: number; readonly fault?: 'signed by another' }
  | { readonly op: 'recover'; readonly owner: number }
  | { readonly op: 'objectRecovery'; readonly owner: number }
  | { readonly op: 'revokeGrant'; readonly grant: number; readonly fault?: 'high s' | 'signed by another' }
  | { readonly op: 'setPolicy'; readonly policy: number; readonly centre: CentreId; readonly fault?: 'ended' | 'purpose unknown' }
  | { readonly op: 'propose'; readonly action: 'admit' | 'code-set' | 'migration' | 'next-code-set' | 'publish-schema' | 'retire' | 'retire-ca' | 'suspend' | 'unknown'; readonly proposal: number }
  | { readonly op: 'vote'; readonly approve: boolean; readonly proposal: number }
  | { readonly op: 'rotateMemberKeys'; readonly proposal: number; readonly fault?: 'signed by another' }
  | { readonly op: 'found' }
  | { readonly op: 'bad'; readonly what: (typeof badCalls)[number] }
  | { readonly op: 'probe'; readonly what: (typeof probeCalls)[number]; readonly key: number; readonly other: number };

export const strangers = ['unknown organisation', 'unknown issuer', 'wrong organisation', 'no role', 'peer', 'expired', 'signed with another key'] as const;
const dates = ['hour ago', 'hour ahead', 'two minutes ago', 'none'] as const;
const proposalFaults = ['transaction id', 'epoch', 'channel', 'chaincode', 'no nonce', 'no creator', 'type', 'header chaincode', 'garbage'] as const;

/** How the proposal travels, where it is not plain. */
export interface Delivery {
  readonly dated?: (typeof dates)[number];
  readonly stranger?: (typeof strangers)[number];
  readonly fault?: (typeof proposalFaults)[number];
  /** Organisations asked to endorse. */
  readonly organisations?: readonly string[];
  /** The nonce of an earlier step of the same caller, so the same transaction id. */
  readonly nonceOf?: number;
}

export const envelopeChanges = [
  'again', 'one endorsement', 'no endorsement', 'endorsement twice', 'broken endorsement', 'changed write', 'changed response', 'changed event', 'changed arguments',
  'changed transaction id', 'changed nonce', 'changed chaincode', 'unsigned', 'signed with another key', 'another channel', 'epoch', 'endorsed by a client', 'dated anew', 'garbage payload', 'garbage action',
] as const;

export type Step =
  | { readonly do: 'endorse' | 'evaluate'; readonly by: CentreId; readonly call: Intent; readonly delivery?: Delivery }
  /** Submits what the step of that number endorsed; nothing when its endorsement was refused. */
  | { readonly do: 'submit'; readonly step: number; readonly change?: (typeof envelopeChanges)[number] }
  /** Until every peer of every organisation stands at the same height and holds all that was submitted. */
  | { readonly do: 'wait' };

export interface Schedule {
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** A small generator of 32-bit numbers (Mulberry32): the same schedule everywhere for one seed. */
class Dice {
  private state: number;

  public constructor(seed: number) {
    this.state = seed >>> 0;
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 … limit - 1 */
  public below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  public pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  public chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

type Scene = (plan: Plan) => void;

/** The schedule as it grows. */
class Plan {
  public readonly steps: Step[] = [];
  public readonly dice: Dice;
  public records = 0;
  public grants = 0;
  public tickets = 0;
  public requests = 0;

  public constructor(seed: number) {
    this.dice = new Dice(seed * 7919 + 17);
  }

  public get owner(): number {
    return this.dice.below(2);
  }

  public get centre(): CentreId {
    return this.dice.pick(centres);
  }

  public endorse(by: CentreId, call: Intent, delivery?: Delivery): number {
    this.settled();
    return this.steps.push({ do: 'endorse', by, call, ...(delivery === undefined ? {} : { delivery }) }) - 1;
  }

  public evaluate(by: CentreId, call: Intent, delivery?: Delivery): void {
    this.settled();
    this.steps.push({ do: 'evaluate', by, call, ...(delivery === undefined ? {} : { delivery }) });
  }

  /** Nothing runs on a state that may or may not have changed yet. */
  private settled(): void {
    if (this.steps.at(-1)?.do === 'submit') this.wait();
  }

  public submit(step: number, change?: (typeof envelopeChanges)[number]): void {
    this.steps.push({ do: 'submit', step, ...(change === undefined ? {} : { change }) });
  }

  public wait(): void {
    if (this.steps.at(-1)?.do !== 'wait') this.steps.push({ do: 'wait' });
  }

  /** Endorsed, submitted and committed before anything else. */
  public settle(by: CentreId, call: Intent): void {
    this.submit(this.endorse(by, call));
    this.wait();
  }

  /** Calls that all see the same state, submitted in a drawn order: those that read what another writes conflict. */
  public race(calls: readonly (readonly [CentreId, Intent])[]): void {
    const held = calls.map(([by, call]) => this.endorse(by, call));
    while (held.length > 0) this.submit(held.splice(this.dice.below(held.length), 1)[0] ?? 0);
    this.wait();
  }

  public faulty<T>(faults: readonly T[], percent = 25): { readonly fault?: T } {
    return this.dice.chance(percent) ? { fault: this.dice.pick(faults) } : {};
  }
}

const probe = (plan: Plan, what?: (typeof probeCalls)[number]): Intent => ({ op: 'probe', what: what ?? plan.dice.pick(probeCalls), key: plan.dice.below(5), other: plan.dice.below(5) });

function openIntent(plan: Plan, fault: { readonly fault?: (typeof openFaults)[number] } = {}, slot = plan.dice.below(3)): Intent {
  const records = Array.from({ length: 1 + plan.dice.below(2) }, () => plan.dice.below(plan.records + 1));
  plan.requests += plan.dice.chance(80) ? 1 : 0;
  plan.tickets += 1;
  return { op: 'open', records, basis: plan.dice.chance(75) ? 'grant' : 'policy', grant: plan.dice.below(2), request: plan.requests, slot, ...fault };
}

function publishIntent(plan: Plan, fault: { readonly fault?: (typeof publishFaults)[number] } = {}): Extract<Intent, { op: 'publish' }> {
  const count = 1 + plan.dice.below(4);
  plan.records += fault.fault === undefined ? count : 0;
  return { op: 'publish', centre: plan.centre, kind: plan.dice.pick(['credit', 'credit', 'credit', 'notice', 'bid'] as const), count, owner: plan.owner, ...fault };
}

const publishes: Scene = (plan) => {
  const fault = plan.faulty(publishFaults, 35);
  const intent = publishIntent(plan, fault);
  plan.submit(plan.endorse(plan.dice.chance(90) ? intent.centre : plan.centre, intent));
  if (plan.dice.chance(50)) plan.wait();
};

const supersedes: Scene = (plan) => {
  const record = plan.dice.below(plan.records + 1);
  const call = (): Intent => ({ op: 'supersede', record, status: plan.dice.chance(30) ? 'revoked' : 'active', ...plan.faulty(supersedeFaults, 30) });
  if (plan.dice.chance(40)) plan.race([[plan.centre, call()], [plan.centre, call()]]);
  else plan.settle(plan.centre, call());
};

const contradicts: Scene = (plan) => {
  const record = plan.dice.below(plan.records + 1);
  plan.settle(plan.centre, { op: 'contradict', record });
  const expose: Intent = { op: 'expose', record, honest: plan.dice.chance(80) };
  if (plan.dice.chance(50)) plan.race([[plan.centre, expose], ['beijing', openIntent(plan)]]);
  else plan.settle(plan.centre, expose);
};

const opens: Scene = (plan) => {
  plan.wait();
  if (plan.dice.chance(40)) {
    const slot = plan.dice.below(3);
    plan.race([['beijing', openIntent(plan, {}, slot)], ['beijing', openIntent(plan, {}, slot)]]);
  } else plan.settle(plan.dice.chance(85) ? 'beijing' : plan.centre, openIntent(plan, plan.faulty(openFaults)));
};

const ends: Scene = (plan) => {
  const ticket = plan.dice.below(plan.tickets + 1);
  const choices: readonly Intent[] = [
    { op: 'confirm', ticket, jwe: plan.dice.below(2), ...plan.faulty(['signed by another'] as const, 15) },
    { op: 'refuse', ticket, ...plan.faulty(['unknown code'] as const, 15) },
    { op: 'dispute', ticket },
  ];
  const by = (): CentreId => plan.dice.pick(['guangzhou', 'guangzhou', 'zhuhai', 'beijing'] as const);
  if (plan.dice.chance(50)) plan.race([[by(), plan.dice.pick(choices)], [by(), plan.dice.pick(choices)]]);
  else plan.settle(by(), plan.dice.pick(choices));
};

const revokes: Scene = (plan) => {
  const revoke: Intent = { op: 'revokeGrant', grant: plan.dice.below(2), ...plan.faulty(['high s', 'signed by another'] as const) };
  if (plan.dice.chance(60)) plan.race([[plan.centre, revoke], ['beijing', openIntent(plan)]]);
  else plan.settle(plan.centre, revoke);
};

const owners: Scene = (plan) => {
  const owner = plan.owner;
  const choices: readonly Intent[] = [
    { op: 'register', owner, ...plan.faulty(registerFaults, 60) },
    { op: 'rotateKey', owner, ...plan.faulty(['signed by another'] as const) },
    { op: 'recover', owner },
    { op: 'recover', owner },
    { op: 'objectRecovery', owner },
  ];
  if (plan.dice.chance(40)) plan.race([[plan.centre, plan.dice.pick(choices)], [plan.centre, plan.dice.pick(choices)]]);
  else plan.settle(plan.centre, plan.dice.pick(choices));
};

const words: Scene = (plan) => {
  const record = plan.dice.below(plan.records + 1);
  plan.settle(plan.centre, { op: 'attest', record, outcome: plan.dice.pick(['agrees', 'agrees', 'differs', 'withdrawn'] as const), ...plan.faulty(attestFaults) });
  plan.settle(plan.centre, { op: 'state', record, verdict: plan.dice.pick(['confirm', 'dispute', 'withdraw'] as const), minute: plan.dice.below(4), ...plan.faulty(statementFaults) });
};

const policies: Scene = (plan) => {
  const centre = plan.centre;
  const by = plan.dice.chance(85) ? centre : plan.centre;
  plan.settle(by, { op: 'setPolicy', policy: plan.dice.below(2), centre, ...plan.faulty(['ended', 'purpose unknown'] as const) });
};

const votes: Scene = (plan) => {
  const proposal = plan.dice.below(3);
  const action = plan.dice.pick(['admit', 'code-set', 'publish-schema', 'suspend', 'unknown'] as const);
  plan.settle(plan.centre, { op: 'propose', action, proposal });
  const vote = (): readonly [CentreId, Intent] => [plan.centre, { op: 'vote', approve: plan.dice.chance(70), proposal }];
  if (plan.dice.chance(50)) plan.race([vote(), vote()]);
  else plan.settle(...vote());
  if (plan.dice.chance(30)) plan.settle(plan.centre, { op: 'rotateMemberKeys', proposal, ...plan.faulty(['signed by another'] as const) });
};

const probes: Scene = (plan) => {
  plan.race(Array.from({ length: 1 + plan.dice.below(3) }, () => [plan.centre, probe(plan)] as const));
  plan.evaluate(plan.centre, probe(plan, plan.dice.pick(['list', 'page', 'page on', 'listComposite', 'about', 'get', 'fail', 'metadata'] as const)));
};

const racingProbes = ['put', 'putTwice', 'add', 'add', 'add', 'remove', 'count', 'count open', 'countSome', 'getAgain', 'putComposite', 'countComposite'] as const;

/** Most of them about one key, so that some read what others write. */
const probeRaces: Scene = (plan) => {
  plan.wait();
  const key = plan.dice.below(5);
  const racer = (): Intent => {
    const intent = probe(plan, plan.dice.chance(80) ? plan.dice.pick(racingProbes) : undefined);
    return plan.dice.chance(75) ? { ...intent, key } as Intent : intent;
  };
  plan.race(Array.from({ length: 2 + plan.dice.below(3) }, () => [plan.centre, racer()] as const));
};

const badly: Scene = (plan) => {
  const call: Intent = plan.dice.chance(90) ? { op: 'bad', what: plan.dice.pick(badCalls) } : { op: 'found' };
  if (plan.dice.chance(30)) plan.evaluate(plan.centre, call);
  else plan.submit(plan.endorse(plan.centre, call));
};

const strangely: Scene = (plan) => {
  const call = plan.dice.chance(50) ? probe(plan, 'put') : publishIntent(plan);
  const by = call.op === 'publish' ? call.centre : plan.centre;
  const delivery: Delivery = plan.dice.pick<() => Delivery>([
    () => ({ dated: plan.dice.pick(dates) }),
    () => ({ stranger: plan.dice.pick(strangers) }),
    () => ({ fault: plan.dice.pick(proposalFaults) }),
    () => ({ organisations: plan.dice.pick([['GuangzhouMSP'], ['ZhuhaiMSP', 'BeijingMSP'], ['GuangzhouMSP', 'ZhuhaiMSP', 'BeijingMSP'], ['NowhereMSP'], ['GuangzhouMSP', 'NowhereMSP'], ['ZhuhaiMSP', 'ZhuhaiMSP']]) }),
  ])();
  if (plan.dice.chance(20)) plan.evaluate(by, call, delivery);
  else plan.submit(plan.endorse(by, call, delivery));
  plan.wait();
};

const duplicates: Scene = (plan) => {
  const by = plan.centre;
  const first = plan.endorse(by, probe(plan, 'put'));
  const before = plan.dice.chance(50);
  if (!before) {
    plan.submit(first);
    if (plan.dice.chance(50)) plan.wait();
  }
  const second = plan.endorse(by, probe(plan, 'add'), { nonceOf: first });
  if (before) plan.submit(first);
  plan.submit(second);
  plan.submit(first);
  plan.wait();
};

const tampers: Scene = (plan) => {
  const step = plan.endorse(plan.centre, plan.dice.chance(70) ? probe(plan, plan.dice.pick(['put', 'add', 'announceTwice'] as const)) : publishIntent(plan));
  plan.submit(step, plan.dice.pick(envelopeChanges));
  plan.wait();
  // What was refused or found invalid has spent its transaction id; what was not ordered has not.
  if (plan.dice.chance(40)) plan.submit(step);
  plan.wait();
};

const scenes: readonly Scene[] = [publishes, publishes, supersedes, contradicts, opens, opens, opens, ends, ends, revokes, owners, words, policies, votes, probes, probes, probeRaces, probeRaces, badly, strangely, strangely, duplicates, tampers, tampers];

/** 20 to 50 steps or so, the last of them a wait. */
export function makeSchedule(seed: number): Schedule {
  const plan = new Plan(seed);
  if (plan.dice.chance(70)) {
    plan.race([
      ['zhuhai', { op: 'register', owner: 0 }],
      ['guangzhou', { ...publishIntent(plan), centre: 'guangzhou', kind: 'credit', owner: 0 }],
      ['guangzhou', { op: 'setPolicy', policy: 0, centre: 'guangzhou' }],
    ]);
  }
  const length = plan.steps.length + 16 + plan.dice.below(24);
  while (plan.steps.length < length) plan.dice.pick(scenes)(plan);
  plan.wait();
  return { seed, steps: plan.steps };
}
