import { canonicalBytes, stateKey, type JsonObject, type JsonValue, type LedgerFunction, type LedgerState } from '@huilian/protocol';

/**
 * A rule decides one command: from what the world state holds, who calls and the transaction's time to the writes, the
 * event and the response, or a ProtocolError. Rules know no clock, no randomness, no environment and no stub.
 */
export interface RuleContext {
  readonly state: StateReader;
  /** MSP id of the calling organisation. */
  readonly caller: string;
  /** Transaction time, Unix seconds: chosen by the client, bounded by the endorsers. */
  readonly time: number;
  readonly transactionId: string;
  readonly channel: string;
  /** Name of the chaincode that the signed proposal calls. */
  readonly chaincode: string;
}

export type KeyParts = readonly (string | number)[];

/** Reads committed state; a rule never sees its own writes. Reading an absent key puts it into the read set too. */
export interface StateReader {
  get<K extends keyof LedgerState>(type: K, ...parts: KeyParts): Promise<LedgerState[K] | undefined>;
}

export type StateWrite = { readonly key: string; readonly value: Uint8Array } | { readonly key: string; readonly remove: true };

export interface Outcome {
  readonly writes: readonly StateWrite[];
  /** Absent where nothing happened: every request refused, or a command repeated. */
  readonly event?: { readonly name: LedgerFunction; readonly payload: JsonObject };
  readonly response: JsonValue;
}

/** A rule over an argument already parsed. */
export type Rule<Argument> = (context: RuleContext, argument: Argument) => Promise<Outcome>;

/** A write of one typed key. */
export function put<K extends keyof LedgerState>(type: K, parts: KeyParts, value: LedgerState[K]): StateWrite {
  return { key: stateKey(type, ...parts), value: canonicalBytes(value) };
}

export function remove(type: keyof LedgerState, parts: KeyParts): StateWrite {
  return { key: stateKey(type, ...parts), remove: true };
}

/**
 * A reader over any key/value source: the stub on a peer, a map in tests. It lives for one transaction and asks for each
 * key once: a pack of requests reads its members, batches and owners many times.
 */
export function stateReader(read: (key: string) => Promise<Uint8Array | undefined>): StateReader {
  const seen = new Map<string, unknown>();
  const decoder = new TextDecoder();
  return {
    async get<K extends keyof LedgerState>(type: K, ...parts: KeyParts): Promise<LedgerState[K] | undefined> {
      const key = stateKey(type, ...parts);
      if (!seen.has(key)) {
        const bytes = await read(key);
        seen.set(key, bytes === undefined || bytes.length === 0 ? undefined : JSON.parse(decoder.decode(bytes)));
      }
      return seen.get(key) as LedgerState[K] | undefined;
    },
  };
}
