import { createHash } from 'node:crypto';
import { pemOf, domainOf } from '../../chaincode/test/consortium.js';
import type { Json } from '../../chaincode/test/plain-json.js';
import { CallWriter, foundingCharter, foundingMember, kinds, openConsortium, rawJson, type Consortium } from './call-writer.js';
import { whereTheyPart, describeAnswer, describeCommitted, digest, foldState, readModelDigest, type Difference } from './compare.js';
import type { Answer, Engine } from './engine.js';
import type { Cast } from './cast.js';
import { centres, makeSchedule, type CentreId, type Schedule, type Step } from './schedule.js';
import { signProposal, signTransaction, type Identity, type SignedProposal } from './signed-proposal.js';

type CallStep = Extract<Step, { do: 'endorse' | 'evaluate' }>;
type SubmitStep = Extract<Step, { do: 'submit' }>;

/** What the endorsement of a step gave, for its submission. */
interface Held {
  readonly by: CentreId;
  readonly identity: Identity;
  readonly proposal: SignedProposal;
  /** Payload to sign by engine; undefined where an engine refused. */
  readonly payloads: readonly Uint8Array[] | undefined;
}

const channel = 'huilian';
const mspOf = (centre: CentreId): string => `${centre.charAt(0).toUpperCase()}${centre.slice(1)}MSP`;
const observer = mspOf('guangzhou');

function nonceOf(run: string, seed: number, step: number): Uint8Array {
  return createHash('sha256').update(`${run} ${String(seed)} ${String(step)}`).digest().subarray(0, 24);
}

/** Plays schedules on two engines, step by step with the same bytes, and writes down where they differ. */
export class ParityRun {
  public readonly differences: Difference[] = [];
  public readonly counts = new Map<string, Map<string, number>>();
  private readonly compared = new Map<string, number>();
  private consortium: Consortium | undefined;
  private steps = 0;

  public constructor(
    private readonly engines: readonly [Engine, Engine],
    private readonly cast: Cast,
    private readonly run = 'parity',
  ) {}

  private count(table: string, row: string): void {
    const rows = this.counts.get(table) ?? new Map<string, number>();
    this.counts.set(table, rows.set(row, (rows.get(row) ?? 0) + 1));
  }

  private async settle(): Promise<void> {
    await Promise.all(this.engines.map(async (engine) => { await engine.settle(); }));
  }

  private compare(seed: number, step: number, what: string, values: readonly unknown[]): boolean {
    const [first, second] = values;
    this.compared.set(what, (this.compared.get(what) ?? 0) + 1);
    const found = whereTheyPart(JSON.stringify(first), JSON.stringify(second));
    if (found === undefined) return true;
    this.differences.push({ seed, step, what, about: JSON.stringify(makeSchedule(Math.max(seed, 0)).steps[step] ?? null), ...found });
    return false;
  }

  public get comparisons(): ReadonlyMap<string, number> {
    return this.compared;
  }

  // --- The founding, which is a schedule of its own (seed 0) ----------------------------------------------------------

  public async found(): Promise<void> {
    let last = '';
    for (const centre of centres) last = await this.must(centre, 'governance:found', { charter: foundingCharter, founder: centre });
    const { ca, stranger } = await openConsortium();
    this.consortium = { ca, stranger, domain: domainOf(last) };
    const trust = { certificate: pemOf(ca), name: { en: 'Business CA (invented)', zh: '业务 CA（虚构）' }, usccOids: ['1.2.156.10260.4.1.4'] };
    const contents: readonly (readonly [string, Json])[] = [['trust-ca', trust], ['admit', foundingMember], ...Object.values(kinds).map((document) => ['publish-schema', { document }] as const)];
    for (const [action, content] of contents) {
      const proposal = { action, content, round: 1 };
      await this.must('guangzhou', 'governance:propose', proposal);
      await this.must('zhuhai', 'governance:approve', { proposal: createHash('sha256').update(rawJson(proposal)).digest('hex') });
    }
  }

  private async must(by: CentreId, name: string, argument: Json): Promise<string> {
    const identity = this.cast.client(mspOf(by));
    const call = { chaincode: 'huilian', function: name, args: [rawJson(argument)], transient: {} };
    const proposal = await signProposal(call, channel, identity, nonceOf(this.run, 0, (this.steps += 1)));
    for (const engine of this.engines) {
      const answer = await engine.endorse(mspOf(by), proposal);
      if (!answer.ok) throw new Error(`${engine.name}: ${name}: ${answer.texts.join(' | ')}`);
      await engine.submit(mspOf(by), await signTransaction(answer.payload, identity, identity));
    }
    await this.settle();
    for (const engine of this.engines) {
      const code = engine.transactions(observer).at(-1)?.transaction.code;
      if (code !== 'VALID') throw new Error(`${engine.name}: ${name}: ${String(code)}`);
    }
    return proposal.transactionId;
  }

  // --- Schedules -----------------------------------------------------------------------------------------------------

  public async play(seed: number): Promise<Schedule> {
    const schedule = makeSchedule(seed);
    if (this.consortium === undefined) throw new Error('found the consortium first');
    const writer = new CallWriter(this.consortium, seed);
    await this.settle();
    const held = new Map<number, Held>();
    let seen = this.engines.map((engine) => engine.transactions(observer).length);
    for (const [index, step] of schedule.steps.entries()) {
      this.count('step', step.do);
      try {
        if (step.do === 'submit') await this.submit(seed, index, step, held.get(step.step));
        else if (step.do === 'wait') seen = await this.wait(seed, index, seen);
        else held.set(index, await this.call(seed, index, step, writer, held));
      } catch (error) {
        throw new Error(`seed ${String(seed)}, step ${String(index)}: ${JSON.stringify(schedule.steps.slice(0, index + 1))}`, { cause: error });
      }
    }
    return schedule;
  }

  private async call(seed: number, index: number, step: CallStep, writer: CallWriter, held: ReadonlyMap<number, Held>): Promise<Held> {
    const { by, call: intent, delivery = {} } = step;
    const { identity, signingKey } = this.cast.actor(mspOf(by), delivery.stranger);
    const nonce = held.get(delivery.nonceOf ?? -1)?.proposal.nonce ?? nonceOf(this.run, seed, index);
    const proposal = await signProposal(await writer.write(intent, by), channel, identity, nonce, delivery, signingKey);
    const answers = await Promise.all(this.engines.map(async (engine) => await engine[step.do](mspOf(by), proposal)));
    const [first] = answers;
    this.countCall(step, first);
    // A random write differs from organisation to organisation, and so from engine to engine.
    const described = answers.map((answer, at) => describeAnswer(this.engines[at] as Engine, mspOf(by), answer));
    const same = this.compare(seed, index, `${step.do} answer`, described);
    if (intent.op === 'open' && first?.ok === true && step.do === 'endorse') writer.noteTickets(Buffer.from(first.transaction?.response.payload ?? '[]').toString(), writer.publisherOf(intent));
    const payloads = same && step.do === 'endorse' ? answers.flatMap((answer) => (answer.ok ? [answer.payload] : [])) : [];
    return { by, identity, proposal, payloads: payloads.length === this.engines.length ? payloads : undefined };
  }

  private countCall({ call: intent, delivery = {}, do: verb }: CallStep, answer: Answer | undefined): void {
    this.count('call', intent.op === 'probe' || intent.op === 'bad' ? `${verb} ${intent.op} ${intent.what}` : `${verb} ${intent.op}`);
    for (const [name, value] of Object.entries(delivery)) {
      this.count('delivery', name === 'nonceOf' ? 'nonce of an earlier call' : `${name} ${String(value)}`);
    }
    if (answer !== undefined) this.count('answer', outcome(answer));
  }

  private async submit(seed: number, index: number, step: SubmitStep, held: Held | undefined): Promise<void> {
    if (held?.payloads === undefined) return;
    const { by, identity, payloads } = held;
    // All by one gateway: what goes to the orderers by several ways may change its order on the way.
    const answers = await Promise.all(
      this.engines.map(async (engine, at) => {
        const transaction = await signTransaction(payloads[at] ?? Buffer.alloc(0), identity, this.cast.other(mspOf(by)), step.change);
        const answer = await engine.submit(observer, transaction);
        return step.change === 'again' ? await engine.submit(observer, transaction) : answer;
      }),
    );
    if (step.change !== undefined) this.count('change', step.change);
    this.compare(seed, index, 'submit answer', answers.map((answer, at) => describeAnswer(this.engines[at] as Engine, mspOf(by), answer)));
  }

  private async wait(seed: number, index: number, seen: readonly number[]): Promise<number[]> {
    await this.settle();
    const fresh = this.engines.map((engine, at) => engine.transactions(observer).slice(seen[at]));
    for (const { transaction } of fresh[0] ?? []) this.count('validation code', transaction.code);
    this.compare(seed, index, 'transactions in order', fresh.map((list, at) => list.map((entry) => describeCommitted(this.engines[at] as Engine, observer, entry))));
    this.compare(seed, index, 'writes to the state', fresh.map((list) => [...foldState(list)]));
    return this.engines.map((engine) => engine.transactions(observer).length);
  }

  // --- The end -------------------------------------------------------------------------------------------------------

  /** Compares what stands at the end: every peer's blocks, the state, events, the read model. */
  public async finish(): Promise<{ readonly stateKeys: number; readonly stateDigest: string; readonly readModel: string; readonly events: number }> {
    await this.settle();
    for (const engine of this.engines) {
      const chains = centres.map((centre) => engine.blocks(mspOf(centre)).map(({ hash }) => hash));
      this.compare(-1, -1, 'block hashes on every peer', [digest(chains[0]), digest(chains[1])]);
      this.compare(-1, -1, 'block hashes on every peer', [digest(chains[0]), digest(chains[2])]);
    }
    const states = this.engines.map((engine) => foldState(engine.transactions(observer)));
    this.compare(-1, -1, 'state at the end', states.map((state) => digest([...state])));
    const models = this.engines.map((engine) => readModelDigest(engine, observer));
    this.compare(-1, -1, 'read model at the end', models);
    let events = 0;
    for (const chaincode of ['huilian', 'probe']) {
      const counts = this.engines.map((engine) => engine.transactions(observer).filter(({ transaction }) => transaction.code === 'VALID' && transaction.event !== undefined && transaction.chaincode === chaincode).length);
      const lists = await Promise.all(this.engines.map(async (engine, at) => await engine.chaincodeEvents(observer, chaincode, counts[at] ?? 0)));
      this.compare(-1, -1, 'chaincode events', lists);
      events += counts[0] ?? 0;
    }
    return { stateKeys: states[0]?.size ?? 0, stateDigest: digest([...(states[0] ?? [])]), readModel: models[0] ?? '', events };
  }

  /** What every organisation's peer itself holds under a chaincode whose contract is now the probe. */
  public async dump(chaincode: string, types: readonly string[], step: number): Promise<void> {
    for (const centre of centres) {
      const call = { chaincode, function: 'probe:dump', args: types.map((type) => Buffer.from(type)), transient: {} };
      const proposal = await signProposal(call, channel, this.cast.client(mspOf(centre)), nonceOf(this.run, -1, step * 10 + centres.indexOf(centre)));
      const answers = await Promise.all(this.engines.map(async (engine) => await engine.evaluate(mspOf(centre), proposal)));
      for (const [at, answer] of answers.entries()) if (!answer.ok) throw new Error(`${String(this.engines[at]?.name)}: dump: ${answer.texts.join(' | ')}`);
      this.compare(-1, -1, "a peer's own state", answers.map((answer) => (answer.ok ? answer.result : '')));
    }
  }
}

function outcome(answer: Answer): string {
  return answer.ok ? 'OK' : `${answer.status}${answer.code === undefined ? '' : ` ${answer.code}`}`;
}
