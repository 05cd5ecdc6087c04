import { deflateRawSync } from 'node:zlib';
import { loadContracts } from './load-contracts.js';
import { sortedJson, type Json, type JsonRecord } from './plain-json.js';

/**
 * One call of a function of the chaincode on a world that is plain data. The contract gets what fabric-shim's stub would
 * give it: arguments, creator, proposal, transient data, state.
 */
export interface LedgerCall {
  /** `contract:function`. */
  readonly function: string;
  /** Exactly one of: JSON that is sent sorted; a batch that is sent deflated; bytes as base64, `times` repeated. */
  readonly argument?: Json;
  readonly batch?: Json;
  readonly bytes?: string;
  readonly times?: number;
  /** MSP id. */
  readonly caller: string;
  /** Transaction time, Unix seconds. */
  readonly time: number;
  readonly transaction: string;
  /** Chaincode that the signed proposal names; `huilian` when not given. */
  readonly chaincode?: string;
  readonly channel?: string;
  /** The endorser's clock; the transaction time when not given. */
  readonly endorserTime?: number;
  /** Transient fields: JSON that is sent sorted. */
  readonly transient?: JsonRecord;
}

/** State by readable key: type and parts with a space between, numbers padded as in the composite key. */
export type World = JsonRecord;

export interface LedgerOutcome {
  readonly response: Json;
  readonly event: { readonly name: string; readonly payload: Json } | null;
  /** Written values by readable key; null is a deletion. */
  readonly writes: Readonly<Record<string, Json>>;
  /** Readable keys in the order they were first read. */
  readonly reads: readonly string[];
}

interface Runnable {
  endorserTime: () => number | undefined;
  getName(): string;
}

const contracts = await loadContracts();

function readable(key: string): string {
  return key.split('\u0000').slice(1, -1).join(' ');
}

/** Bytes that must be the one spelling of the JSON they hold. */
function canonicalValue(bytes: Uint8Array): Json {
  const text = Buffer.from(bytes).toString('utf8');
  const value = JSON.parse(text) as Json;
  if (sortedJson(value) !== text) throw new Error('written bytes are not canonical');
  return value;
}

export function argumentBytes(call: LedgerCall): Buffer {
  if (call.argument !== undefined) return Buffer.from(sortedJson(call.argument));
  if (call.batch !== undefined) return deflateRawSync(Buffer.from(sortedJson(call.batch)));
  const once = Buffer.from(call.bytes ?? '', 'base64');
  return Buffer.concat(Array.from({ length: call.times ?? 1 }, () => once));
}

/** A protobuf field of wire type 2 (texts here are shorter than 128 bytes). */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

class MemoryStub {
  public event: LedgerOutcome['event'] = null;
  public readonly reads: string[] = [];
  public readonly writes: Record<string, Json> = {};

  public constructor(
    private readonly world: World,
    private readonly call: LedgerCall,
  ) {}

  public getBufferArgs = (): Buffer[] => [Buffer.from(this.call.function), argumentBytes(this.call)];
  public getChannelID = (): string => this.call.channel ?? 'huilian';
  public getCreator = (): { mspid: string; idBytes: Uint8Array } => ({ mspid: this.call.caller, idBytes: new Uint8Array() });
  public getTxID = (): string => this.call.transaction;
  public getTxTimestamp = (): { seconds: { toString(): string } } => ({ seconds: { toString: () => String(this.call.time) } });
  public getTransient = (): Map<string, Buffer> =>
    new Map(Object.entries(this.call.transient ?? {}).map(([name, value]) => [name, Buffer.from(sortedJson(value))]));

  public getSignedProposal = (): unknown => {
    // ChaincodeHeaderExtension { chaincode_id (2): ChaincodeID { name (2) } }
    const extension = field(2, field(2, Buffer.from(this.call.chaincode ?? 'huilian')));
    return { proposal: { header: { channelHeader: { getExtension_asU8: () => extension } } } };
  };

  public getState = (key: string): Promise<Uint8Array> => {
    const name = readable(key);
    if (!this.reads.includes(name)) this.reads.push(name);
    const value = this.world[name];
    return Promise.resolve(value === undefined ? new Uint8Array() : Buffer.from(sortedJson(value)));
  };

  public putState = (key: string, value: Uint8Array): Promise<void> => {
    this.writes[readable(key)] = canonicalValue(value);
    return Promise.resolve();
  };

  public deleteState = (key: string): Promise<void> => {
    this.writes[readable(key)] = null;
    return Promise.resolve();
  };

  public setEvent = (name: string, payload: Uint8Array): void => {
    if (this.event !== null) throw new Error('a second event');
    this.event = { name, payload: canonicalValue(payload) };
  };
}

/** Runs one call on the contract that a peer would run. Nothing is applied. */
export async function invoke(world: World, call: LedgerCall): Promise<LedgerOutcome> {
  const [name = '', transaction = ''] = call.function.split(':');
  const contract = contracts.map((Contract) => new Contract() as unknown as Runnable).find((made) => made.getName() === name);
  if (contract === undefined) throw new Error(`no contract ${name}`);
  contract.endorserTime = (): number => call.endorserTime ?? call.time;
  const stub = new MemoryStub(world, call);
  const run = (contract as unknown as Record<string, (context: unknown, argument: string) => Promise<string>>)[transaction];
  if (run === undefined) throw new Error(`no function ${call.function}`);
  const response = canonicalValue(Buffer.from(await run.call(contract, { stub }, '')));
  return { response, event: stub.event, writes: stub.writes, reads: stub.reads };
}

/** A world with some keys changed; null takes one away. */
export function changed(world: World, changes: Readonly<Record<string, Json>>): World {
  return Object.fromEntries(Object.entries({ ...world, ...changes }).filter(([, value]) => value !== null));
}
