import { createHash } from 'node:crypto';
import type { NamespaceReadWrites, ParsedTransaction, Version } from '@huilian/embedded-ledger';
import { foldBlock } from '../../node/src/core/indexing/fold-block.js';
import { indexKeys } from '../../node/src/core/indexing/index-keys.js';
import { toLedgerBlock } from '../../node/src/adapters/fabric/deliver.js';
import type { Answer, CommittedTransaction, Engine } from './engine.js';

/** Something in which two engines differ. */
export interface Difference {
  readonly seed: number;
  /** Index of the step in its schedule. */
  readonly step: number;
  readonly what: string;
  /** The step, as data. */
  readonly about: string;
  readonly first: string;
  readonly second: string;
}

/** Where two texts part, with a little before it; undefined where they are equal. */
export function whereTheyPart(first: string, second: string): Pick<Difference, 'first' | 'second'> | undefined {
  if (first === second) return undefined;
  let at = 0;
  while (first[at] === second[at]) at += 1;
  const from = Math.max(at - 80, 0);
  return { first: first.slice(from, from + 400), second: second.slice(from, from + 400) };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Versions count blocks, which engines cut as they like: a version is named by the transaction that wrote it. */
function writer(engine: Engine, mspId: string, version: Version | undefined): string {
  if (version === undefined) return 'absent';
  return engine.blocks(mspId)[version.block]?.transactions[version.transaction]?.txId ?? `unknown ${String(version.block)}/${String(version.transaction)}`;
}

function describeSet(engine: Engine, mspId: string, { ranges, reads, writes }: NamespaceReadWrites): unknown {
  const read = (all: NamespaceReadWrites['reads']): string[] => all.map(({ key, version }) => `${JSON.stringify(key)} ${writer(engine, mspId, version)}`);
  return {
    reads: read(reads),
    ranges: ranges.map((range) => [range.startKey, range.endKey, range.exhausted, range.hashed ? 'hashed' : read(range.reads)]),
    writes: writes.map(({ key, value }) => `${JSON.stringify(key)} ${value === undefined ? 'deleted' : hex(value)}`),
  };
}

/** What a transaction says, apart from what only one engine adds: its own namespaces, endorsements, block numbers. */
function describeTransaction(engine: Engine, mspId: string, transaction: ParsedTransaction): unknown {
  const { args, chaincode, event, namespaces, response, txId } = transaction;
  const own = namespaces.filter(({ namespace }) => namespace === chaincode);
  return {
    args: args.map(hex),
    chaincode,
    event: event === undefined ? null : [event.chaincode, event.txId, event.name, hex(event.payload)],
    response: [response.status, response.message, hex(response.payload)],
    sets: own.map((set) => describeSet(engine, mspId, set)),
    txId,
  };
}

/** What a chaincode's stub says of the engine's own accord is said in the engine's words. */
const saidByStub = /(?<=chaincode response 500, ).*paginated query.*$/;
const fromChaincode = /^(evaluate call to endorser returned error: )?chaincode response/;

/** An answer as both engines must give it. The words of a gateway's own refusals are its own; its status is not. */
export function describeAnswer(engine: Engine, mspId: string, answer: Answer): unknown {
  if (!answer.ok) return { code: answer.code ?? null, said: answer.texts.filter((text) => fromChaincode.test(text)).map((text) => text.replace(saidByStub, 'a write after a paginated query')), status: answer.status };
  if (answer.transaction === undefined) return { result: answer.result };
  return { result: answer.result, transaction: describeTransaction(engine, mspId, answer.transaction) };
}

export function describeCommitted(engine: Engine, mspId: string, { transaction }: CommittedTransaction): unknown {
  return { code: transaction.code, ...(describeTransaction(engine, mspId, transaction) as object) };
}

export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** World state by namespace and key, folded from the write sets that blocks mark as valid. */
export function foldState(committed: readonly CommittedTransaction[]): Map<string, string> {
  const state = new Map<string, string>();
  for (const { transaction } of committed) {
    if (transaction.code !== 'VALID') continue;
    for (const { namespace, writes } of transaction.namespaces.filter((set) => set.namespace === transaction.chaincode)) {
      for (const { key, value } of writes) {
        if (value === undefined) state.delete(`${namespace} ${key}`);
        else state.set(`${namespace} ${key}`, hex(value));
      }
    }
  }
  return new Map([...state].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** What a node's read model holds after these transactions, each as a block of its own: blocks are cut differently. */
export function readModelDigest(engine: Engine, mspId: string): string {
  const rows = new Map<string, Uint8Array>();
  const keys = indexKeys(1);
  let number = 0;
  const ours = new Set(engine.transactions(mspId).map(({ block, index }) => `${String(block)} ${String(index)}`));
  for (const parsed of engine.blocks(mspId)) {
    const block = toLedgerBlock(parsed, 'huilian');
    for (const [index, transaction] of block.transactions.entries()) {
      if (!ours.has(`${String(parsed.number)} ${String(index)}`)) continue;
      const single = { number, hash: digest(number), previousHash: digest(number - 1), transactions: [transaction] };
      for (const write of foldBlock(single, keys, (key) => rows.get(key)).writes) {
        if ('value' in write) rows.set(write.key, write.value);
        else rows.delete(write.key);
      }
      number += 1;
    }
  }
  return `${String(rows.size)} rows, SHA-256 ${digest([...rows].map(([key, value]) => [key, hex(value)]).sort())}`;
}
