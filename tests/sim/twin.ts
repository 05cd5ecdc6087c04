import { createHash } from 'node:crypto';
import { ledgerFunctions, splitStateKey } from '@huilian/protocol';
import { pemOf, domainOf, mspOf } from '../../chaincode/test/consortium.js';
import { changed, invoke, type LedgerOutcome, type World } from '../../chaincode/test/memory-ledger.js';
import type { Json, JsonRecord } from '../../chaincode/test/plain-json.js';
import { LedgerModel, type Accepted, type CertifiedBy } from '../../node/src/core/audit/model.js';
import { CallWriter, foundingCharter, foundingMember, kinds, openConsortium, rawJson, type Call } from '../parity/call-writer.js';
import { centres, type CentreId, type Intent } from '../parity/schedule.js';

/** Where contracts and model part. */
export interface Parting {
  readonly function: string;
  readonly contracts: unknown;
  readonly model: unknown;
}

/** What the model believes, since certificates are not on the ledger. */
const certificateCodes = /^(CA_|CERTIFICATE_|STATEMENT_BAD_SIGNATURE$)/;
const registrations: ReadonlySet<string> = new Set([ledgerFunctions.registerOwner, ledgerFunctions.recoverOwner]);

const functions: ReadonlySet<string> = new Set(Object.values(ledgerFunctions));

const readable = (key: string): string => {
  const { parts, type } = splitStateKey(key) ?? { parts: [], type: key };
  return [type, ...parts].join(' ');
};

type Answer = { readonly refused: string } | { readonly entries: unknown; readonly writes: Readonly<Record<string, unknown>> };

/** The contracts on plain data, and the model, given the same calls. `forget` plants a bug: writes the model does not take over. */
export class Twin {
  private world: World = {};
  private readonly model = new LedgerModel({ chaincode: 'huilian', channel: 'huilian' });
  private calls = 0;
  /** Codes and functions seen. */
  public readonly seen = new Map<string, number>();

  public constructor(private readonly forget: (type: string) => boolean = () => false) {}

  /** The founding and the contents that calls of a schedule speak of; answers who writes those calls. */
  public async found(seed: number): Promise<CallWriter> {
    let founding = '';
    for (const founder of centres) founding = await this.must(founder, ledgerFunctions.found, { charter: foundingCharter, founder });
    const { ca, stranger } = await openConsortium();
    const trust = { certificate: pemOf(ca), name: { en: 'Business CA (invented)', zh: '业务 CA（虚构）' }, usccOids: ['1.2.156.10260.4.1.4'] };
    const contents: readonly (readonly [string, Json])[] = [['trust-ca', trust], ['admit', foundingMember], ...Object.values(kinds).map((document) => ['publish-schema', { document }] as const)];
    for (const [action, content] of contents) {
      const proposal = { action, content, round: 1 };
      await this.must('guangzhou', ledgerFunctions.propose, proposal);
      await this.must('zhuhai', ledgerFunctions.approve, { proposal: createHash('sha256').update(rawJson(proposal)).digest('hex') });
    }
    return new CallWriter({ ca, domain: domainOf(founding), stranger }, seed);
  }

  private async must(by: CentreId, name: string, argument: Json): Promise<string> {
    const id = this.nextId();
    const parting = await this.both(by, { args: [rawJson(argument)], chaincode: 'huilian', function: name, transient: {} }, id);
    if (parting !== undefined) throw new Error(JSON.stringify(parting));
    return id;
  }

  private nextId(): string {
    this.calls += 1;
    return createHash('sha256').update(`twin ${String(this.calls)}`).digest('hex');
  }

  /** Undefined where both answer alike. */
  public async play(writer: CallWriter, by: CentreId, intent: Intent): Promise<Parting | undefined> {
    const call = await writer.write(intent, by);
    // What is no function or no single argument is refused before any contract runs.
    if (call.args.length !== 1 || call.chaincode !== 'huilian' || !functions.has(call.function)) return undefined;
    return await this.both(by, call, this.nextId(), (response) => {
      if (intent.op === 'open') writer.noteTickets(response, writer.publisherOf(intent));
    });
  }

  private async both(by: CentreId, call: Call, transaction: string, accepted: (response: string) => void = () => undefined): Promise<Parting | undefined> {
    const time = Math.floor(Date.now() / 1000);
    const caller = mspOf(by);
    const argument = call.args[0] ?? new Uint8Array();
    const outcome = await this.contracts(call, { argument, caller, time, transaction });
    const contracts: Answer = 'refused' in outcome ? outcome : { entries: entriesOf(call, outcome), writes: outcome.writes };
    this.note(call.function, contracts);
    if ('refused' in contracts && registrations.has(call.function) && certificateCodes.test(contracts.refused)) return undefined;
    const verdict = this.model.decide({ argument, caller, function: call.function, time, transactionId: transaction }, 'refused' in outcome ? undefined : certifiedBy(outcome));
    const model: Answer = 'refused' in verdict ? verdict : { entries: verdict.entries ?? null, writes: shown(verdict) };
    if (JSON.stringify(sorted(contracts)) !== JSON.stringify(sorted(model))) return { contracts: sorted(contracts), function: call.function, model: sorted(model) };
    if ('refused' in outcome || 'refused' in verdict) return undefined;
    this.world = changed(this.world, outcome.writes);
    this.model.apply(new Map([...verdict.writes].filter(([key]) => !this.forget(splitStateKey(key)?.type ?? ''))));
    accepted(JSON.stringify(outcome.response));
    return undefined;
  }

  private async contracts(call: Call, { argument, caller, time, transaction }: { argument: Uint8Array; caller: string; time: number; transaction: string }): Promise<LedgerOutcome | { readonly refused: string }> {
    const transient = Object.fromEntries(Object.entries(call.transient).map(([name, bytes]) => [name, JSON.parse(Buffer.from(bytes).toString()) as Json]));
    try {
      return await invoke(this.world, { bytes: Buffer.from(argument).toString('base64'), caller, function: call.function, time, transaction, transient: transient as JsonRecord });
    } catch (error) {
      const { code } = error as { code?: string };
      if (typeof code !== 'string') return { refused: 'ARG_MALFORMED' };
      return { refused: code };
    }
  }

  private note(name: string, answer: Answer): void {
    const what = 'refused' in answer ? answer.refused : 'accepted';
    for (const key of [what, `${name} ${what}`]) this.seen.set(key, (this.seen.get(key) ?? 0) + 1);
    if ('refused' in answer || !Array.isArray(answer.entries)) return;
    for (const entry of answer.entries as readonly string[]) {
      const key = entry.includes('/') ? 'ticket' : entry;
      this.seen.set(key, (this.seen.get(key) ?? 0) + 1);
    }
  }
}

function entriesOf(call: Call, { response }: LedgerOutcome): unknown {
  if (call.function !== ledgerFunctions.open) return null;
  return (response as readonly { readonly code?: string; readonly ticket?: string }[]).map(({ code, ticket }) => ticket ?? code);
}

function shown({ writes }: Accepted): Record<string, unknown> {
  return Object.fromEntries([...writes].map(([key, value]) => [readable(key), value ?? null]));
}

function certifiedBy({ writes }: LedgerOutcome): CertifiedBy | undefined {
  const owner = Object.entries(writes).find(([key]) => key.startsWith('owner '))?.[1] as { readonly ca: string; readonly certificate: string; readonly recovery?: { readonly ca: string; readonly certificate: string } } | undefined;
  if (owner === undefined) return undefined;
  const { ca, certificate } = owner.recovery ?? owner;
  return { ca, certificate };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined).sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, entry]) => [key, sorted(entry)]));
}
