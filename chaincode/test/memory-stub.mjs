// What a call on plain data needs, in plain JavaScript: the tests use it on the sources, and required-chaincode.cjs on the
// built chaincode in a process of its own.
import { deflateRawSync } from 'node:zlib';

/** @typedef {import('./plain-json.js').Json} Json */
/** @typedef {import('./memory-ledger.js').LedgerCall} LedgerCall */
/** @typedef {import('./memory-ledger.js').LedgerOutcome} LedgerOutcome */

/**
 * Sorted keys, no whitespace; ASCII keys only.
 * @param {Json} value
 * @returns {string}
 */
export function sortedJson(value) {
  if (Array.isArray(value)) return `[${value.map((entry) => sortedJson(entry)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, entry]) => `${JSON.stringify(key)}:${sortedJson(entry)}`).join(',')}}`;
}

/** @param {string} key @returns {string} */
function readable(key) {
  return key.split('\u0000').slice(1, -1).join(' ');
}

/**
 * Bytes that must be the one spelling of the JSON they hold.
 * @param {Uint8Array} bytes
 * @returns {Json}
 */
function canonicalValue(bytes) {
  const text = Buffer.from(bytes).toString('utf8');
  const value = JSON.parse(text);
  if (sortedJson(value) !== text) throw new Error('written bytes are not canonical');
  return value;
}

/** @param {LedgerCall} call @returns {Buffer} */
export function argumentBytes(call) {
  if (call.argument !== undefined) return Buffer.from(sortedJson(call.argument));
  if (call.batch !== undefined) return deflateRawSync(Buffer.from(sortedJson(call.batch)));
  const once = Buffer.from(call.bytes ?? '', 'base64');
  return Buffer.concat(Array.from({ length: call.times ?? 1 }, () => once));
}

/**
 * A protobuf field of wire type 2 (texts here are shorter than 128 bytes).
 * @param {number} number
 * @param {Uint8Array} content
 */
function field(number, content) {
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

/** What fabric-shim's stub gives a contract: arguments, creator, proposal, transient data, state. */
class MemoryStub {
  /** @type {LedgerOutcome['event']} */
  event = null;
  /** @type {string[]} */
  reads = [];
  /** @type {Record<string, Json>} */
  writes = {};

  /**
   * @param {Readonly<Record<string, Json>>} world
   * @param {LedgerCall} call
   */
  constructor(world, call) {
    this.world = world;
    this.call = call;
  }

  getBufferArgs() {
    return [Buffer.from(this.call.function), argumentBytes(this.call)];
  }

  getChannelID() {
    return this.call.channel ?? 'huilian';
  }

  getCreator() {
    return { mspid: this.call.caller, idBytes: new Uint8Array() };
  }

  getTxID() {
    return this.call.transaction;
  }

  getTxTimestamp() {
    return { seconds: { toString: () => String(this.call.time) } };
  }

  getTransient() {
    return new Map(Object.entries(this.call.transient ?? {}).map(([name, value]) => [name, Buffer.from(sortedJson(value))]));
  }

  getSignedProposal() {
    // ChaincodeHeaderExtension { chaincode_id (2): ChaincodeID { name (2) } }
    const extension = field(2, field(2, Buffer.from(this.call.chaincode ?? 'huilian')));
    return { proposal: { header: { channelHeader: { getExtension_asU8: () => extension } } } };
  }

  /** @param {string} key */
  async getState(key) {
    const name = readable(key);
    if (!this.reads.includes(name)) this.reads.push(name);
    const value = this.world[name];
    return value === undefined ? new Uint8Array() : Buffer.from(sortedJson(value));
  }

  /** @param {string} key @param {Uint8Array} value */
  async putState(key, value) {
    this.writes[readable(key)] = canonicalValue(value);
  }

  /** @param {string} key */
  async deleteState(key) {
    this.writes[readable(key)] = null;
  }

  /** @param {string} name @param {Uint8Array} payload */
  setEvent(name, payload) {
    if (this.event !== null) throw new Error('a second event');
    this.event = { name, payload: canonicalValue(payload) };
  }
}

/**
 * Runs one call on the contract that a peer would run. Nothing is applied.
 * @param {readonly (new () => object)[]} contracts
 * @param {Readonly<Record<string, Json>>} world
 * @param {LedgerCall} call
 * @returns {Promise<LedgerOutcome>}
 */
export async function runCall(contracts, world, call) {
  const [name = '', transaction = ''] = call.function.split(':');
  const contract = contracts.map((Contract) => /** @type {any} */ (new Contract())).find((made) => made.getName() === name);
  if (typeof contract?.[transaction] !== 'function') throw new Error(`no function ${call.function}`);
  contract.endorserTime = () => call.endorserTime ?? call.time;
  const stub = new MemoryStub(world, call);
  const response = canonicalValue(Buffer.from(await contract[transaction]({ stub }, '')));
  return { response, event: stub.event, writes: stub.writes, reads: stub.reads };
}
