import { canonicalBytes, parseCanonicalObject, stateKey, type JsonObject, type JsonValue, type LedgerFunction, type LedgerState } from '@huilian/protocol';

/**
 * A rule decides one command: from what the world state holds, who calls and the transaction's time to the writes, the
 * event and the response, or a ProtocolError. Rules know no clock, no randomness and no stub.
 */
export interface RuleContext {
  readonly state: StateReader;
  /** MSP id of the calling organisation. */
  readonly caller: string;
  /** Transaction time, Unix seconds. */
  readonly time: number;
  readonly transactionId: string;
  readonly channel: string;
  readonly chaincode: string;
}

/** Reads committed state; a rule never sees its own writes. Reading an absent key puts it into the read set too. */
export interface StateReader {
  get<K extends keyof LedgerState>(type: K, ...parts: readonly (string | number)[]): Promise<LedgerState[K] | undefined>;
}

export type StateWrite = { readonly key: string; readonly value: Uint8Array } | { readonly key: string; readonly remove: true };

export interface Outcome {
  readonly writes: readonly StateWrite[];
  readonly event: { readonly name: LedgerFunction; readonly payload: JsonObject };
  readonly response: JsonValue;
}

/** A write of one typed key. */
export function put<K extends keyof LedgerState>(type: K, parts: readonly (string | number)[], value: LedgerState[K]): StateWrite {
  return { key: stateKey(type, ...parts), value: canonicalBytes(value) };
}

export function remove(type: keyof LedgerState, ...parts: readonly (string | number)[]): StateWrite {
  return { key: stateKey(type, ...parts), remove: true };
}

/** A reader over any key/value source: the stub on a peer, a map in tests. */
export function stateReader(read: (key: string) => Promise<Uint8Array | undefined>): StateReader {
  return {
    async get<K extends keyof LedgerState>(type: K, ...parts: readonly (string | number)[]): Promise<LedgerState[K] | undefined> {
      const bytes = await read(stateKey(type, ...parts));
      return bytes === undefined || bytes.length === 0 ? undefined : (parseCanonicalObject(bytes) as unknown as LedgerState[K]);
    },
  };
}
