import { loadContracts } from './load-contracts.js';
import { runCall } from './memory-stub.mjs';
import type { Json, JsonRecord } from './plain-json.js';

export { argumentBytes } from './memory-stub.mjs';

/** One call of a function of the chaincode on a world that is plain data. */
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

/** Runs a call somewhere; `invoke` runs it on the sources, in this process. */
export type Invoke = (world: World, call: LedgerCall) => Promise<LedgerOutcome>;

const contracts = await loadContracts();

export const invoke: Invoke = async (world, call) => await runCall(contracts, world, call);

/** A world with some keys changed; null takes one away. */
export function changed(world: World, changes: Readonly<Record<string, Json>>): World {
  return Object.fromEntries(Object.entries({ ...world, ...changes }).filter(([, value]) => value !== null));
}
