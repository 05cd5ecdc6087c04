'use strict';
const { createHash, randomBytes } = require('node:crypto');
const { Contract } = require('fabric-contract-api');

const text = (bytes) => Buffer.from(bytes).toString();
/** Values are shown in hex: a value need not be text. */
const shown = ({ key, value }) => `${JSON.stringify(key)}=${Buffer.from(value).toString('hex')}`;

async function collect(iterator) {
  const found = [];
  for await (const entry of iterator) found.push(shown(entry));
  return found;
}

async function digest(iterator) {
  const sum = createHash('sha256');
  let count = 0;
  for await (const entry of iterator) {
    sum.update(`${shown(entry)}\n`);
    count += 1;
  }
  return `${count} ${sum.digest('hex')}`;
}

/** Tries the stub calls that both engines offer. */
class Probe extends Contract {
  constructor() {
    super('probe');
  }

  async put(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
  }

  /** What was written is not seen by the same transaction. */
  async putAndGet(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    return text(await ctx.stub.getState(key));
  }

  async putTwice(ctx, key, first, second) {
    await ctx.stub.putState(key, Buffer.from(first));
    await ctx.stub.putState(key, Buffer.from(second));
  }

  async putThenRemove(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    await ctx.stub.deleteState(key);
  }

  async get(ctx, key) {
    return text(await ctx.stub.getState(key));
  }

  /** Reads a key several times: one read in the read set. */
  async getAgain(ctx, key, target) {
    const seen = [await ctx.stub.getState(key), await ctx.stub.getState(key)].map(text);
    await ctx.stub.putState(target, Buffer.from(seen.join('|')));
  }

  async remove(ctx, key) {
    if ((await ctx.stub.getState(key)).length > 0) await ctx.stub.deleteState(key);
  }

  /** Reads, then writes: two of these at one height conflict. */
  async add(ctx, key, amount) {
    const before = Number(text(await ctx.stub.getState(key)) || '0');
    const after = String((Number.isNaN(before) ? 0 : before) + Number(amount));
    await ctx.stub.putState(key, Buffer.from(after));
    return after;
  }

  /** Writes how many keys a range holds. */
  async count(ctx, start, end, target) {
    const found = await collect(ctx.stub.getStateByRange(start, end));
    await ctx.stub.putState(target, Buffer.from(String(found.length)));
    return String(found.length);
  }

  /** Looks at the first keys of a range only. */
  async countSome(ctx, start, end, limit, target) {
    const iterator = await ctx.stub.getStateByRange(start, end);
    let seen = 0;
    for (let item = await iterator.next(); !item.done && seen < Number(limit); item = await iterator.next()) seen += 1;
    await iterator.close();
    await ctx.stub.putState(target, Buffer.from(String(seen)));
    return String(seen);
  }

  async list(ctx, start, end) {
    return JSON.stringify(await collect(ctx.stub.getStateByRange(start, end)));
  }

  async page(ctx, start, end, size, bookmark) {
    const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination(start, end, Number(size), bookmark);
    const keys = [];
    for (let item = await iterator.next(); !item.done; item = await iterator.next()) keys.push(item.value.key);
    await iterator.close();
    return JSON.stringify({ keys, bookmark: metadata.bookmark, count: metadata.fetchedRecordsCount });
  }

  async pageThenPut(ctx, start, end, target) {
    await ctx.stub.getStateByRangeWithPagination(start, end, 2, '');
    await ctx.stub.putState(target, Buffer.from('paged'));
  }

  async putComposite(ctx, type, first, second, value) {
    await ctx.stub.putState(ctx.stub.createCompositeKey(type, [first, second]), Buffer.from(value));
  }

  async listComposite(ctx, type, ...parts) {
    const found = [];
    for await (const { key, value } of ctx.stub.getStateByPartialCompositeKey(type, parts)) {
      const { objectType, attributes } = ctx.stub.splitCompositeKey(key);
      found.push(`${objectType}:${attributes.join('/')}=${text(value)}`);
    }
    return JSON.stringify(found);
  }

  async countComposite(ctx, type, first, target) {
    const found = await collect(ctx.stub.getStateByPartialCompositeKey(type, [first]));
    await ctx.stub.putState(target, Buffer.from(String(found.length)));
    return String(found.length);
  }

  async history(ctx, key) {
    const changes = [];
    for await (const change of ctx.stub.getHistoryForKey(key)) {
      changes.push({ txId: change.txId, isDelete: change.isDelete, value: text(change.value), seconds: Number(change.timestamp.seconds), nanos: change.timestamp.nanos });
    }
    return JSON.stringify(changes);
  }

  async about(ctx, secret) {
    const { stub } = ctx;
    return JSON.stringify({
      txId: stub.getTxID(),
      channel: stub.getChannelID(),
      time: { seconds: String(stub.getTxTimestamp().seconds), nanos: stub.getTxTimestamp().nanos },
      date: stub.getDateTimestamp().toISOString(),
      creator: stub.getCreator().mspid,
      certificate: text(stub.getCreator().idBytes).length,
      client: ctx.clientIdentity.getID(),
      unit: ctx.clientIdentity.assertAttributeValue('role', 'none'),
      binding: stub.getBinding(),
      args: stub.getBufferArgs().map((arg) => arg.toString('hex')),
      called: stub.getFunctionAndParameters(),
      transient: stub.getTransient().get(secret)?.toString() ?? '',
    });
  }

  async announce(ctx, name, payload) {
    ctx.stub.setEvent(name, Buffer.from(payload));
  }

  async announceTwice(ctx, key, first, second) {
    ctx.stub.setEvent(first, Buffer.from('1'));
    await ctx.stub.putState(key, Buffer.from(first));
    ctx.stub.setEvent(second, Buffer.from('2'));
  }

  async fail(_ctx, words) {
    throw new Error(words);
  }

  async failAfterPut(ctx, key, words) {
    await ctx.stub.putState(key, Buffer.from(words));
    throw new Error(words);
  }

  async random(ctx, key) {
    await ctx.stub.putState(key, randomBytes(16));
  }

  /** Count and digest of everything under plain keys, and under composite keys of the types named: a peer's own state. */
  async dump(ctx, ...types) {
    const digests = { '': await digest(ctx.stub.getStateByRange('', '')) };
    for (const type of types) digests[type] = await digest(ctx.stub.getStateByPartialCompositeKey(type, []));
    return JSON.stringify(digests);
  }
}

module.exports = { contracts: [Probe] };
