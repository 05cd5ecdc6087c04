import { createHash } from 'node:crypto';
import { Contract, type Context } from 'fabric-contract-api';

/** Stub calls of fabric-shim that its typings leave out. */
interface RawStub {
  getBufferArgs(): Buffer[];
}

let runs = 0;

/** Invented data; calls every stub function that the ledger offers. */
export class Notes extends Contract {
  constructor() {
    super('notes');
  }

  async put(ctx: Context, key: string, value: string): Promise<void> {
    await ctx.stub.putState(key, Buffer.from(value));
  }

  async putBlind(ctx: Context, key: string, value: string): Promise<string> {
    await ctx.stub.putState(key, Buffer.from(value));
    return (await ctx.stub.getState(key)).toString();
  }

  async get(ctx: Context, key: string): Promise<string> {
    return (await ctx.stub.getState(key)).toString();
  }

  async remove(ctx: Context, key: string): Promise<void> {
    await ctx.stub.deleteState(key);
  }

  /** Reads, then writes: two of these at one height conflict. */
  async add(ctx: Context, key: string, amount: string): Promise<string> {
    const before = (await ctx.stub.getState(key)).toString();
    const after = String(Number(before === '' ? '0' : before) + Number(amount));
    await ctx.stub.putState(key, Buffer.from(after));
    return after;
  }

  /** Writes how many keys the range holds. */
  async count(ctx: Context, start: string, end: string, target: string): Promise<string> {
    let found = 0;
    for await (const entry of ctx.stub.getStateByRange(start, end)) if (entry.key !== '') found += 1;
    await ctx.stub.putState(target, Buffer.from(String(found)));
    return String(found);
  }

  async list(ctx: Context, start: string, end: string): Promise<string> {
    const keys: string[] = [];
    for await (const entry of ctx.stub.getStateByRange(start, end)) keys.push(`${entry.key}=${entry.value.toString()}`);
    return JSON.stringify(keys);
  }

  async page(ctx: Context, start: string, end: string, size: string, bookmark: string): Promise<string> {
    const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination(start, end, Number(size), bookmark);
    const keys: string[] = [];
    for (let item = await iterator.next(); !item.done; item = await iterator.next()) keys.push(item.value.key);
    await iterator.close();
    return JSON.stringify({ keys, bookmark: metadata.bookmark, count: metadata.fetchedRecordsCount });
  }

  async pageThenPut(ctx: Context): Promise<void> {
    await ctx.stub.getStateByRangeWithPagination('a', 'z', 5, '');
    await ctx.stub.putState('x', Buffer.from('y'));
  }

  async putComposite(ctx: Context, type: string, first: string, second: string, value: string): Promise<void> {
    await ctx.stub.putState(ctx.stub.createCompositeKey(type, [first, second]), Buffer.from(value));
  }

  async listComposite(ctx: Context, type: string, first: string): Promise<string> {
    const found: string[] = [];
    for await (const entry of ctx.stub.getStateByPartialCompositeKey(type, [first])) {
      found.push(`${ctx.stub.splitCompositeKey(entry.key).attributes.join('/')}=${entry.value.toString()}`);
    }
    return JSON.stringify(found);
  }

  async pageComposite(ctx: Context, type: string, size: string, bookmark: string): Promise<string> {
    const { iterator, metadata } = await ctx.stub.getStateByPartialCompositeKeyWithPagination(type, [], Number(size), bookmark);
    const found: string[] = [];
    for (let item = await iterator.next(); !item.done; item = await iterator.next()) found.push(ctx.stub.splitCompositeKey(item.value.key).attributes.join('/'));
    return JSON.stringify({ found, more: metadata.bookmark !== '' });
  }

  async history(ctx: Context, key: string): Promise<string> {
    const changes: unknown[] = [];
    for await (const change of ctx.stub.getHistoryForKey(key) as unknown as AsyncIterable<{ txId: string; isDelete: boolean; value: Buffer; timestamp: { seconds: number } }>) {
      changes.push({ txId: change.txId, isDelete: change.isDelete, value: change.value.toString(), dated: change.timestamp.seconds > 0 });
    }
    return JSON.stringify(changes);
  }

  async about(ctx: Context): Promise<string> {
    const { stub } = ctx;
    const bytes = (stub as unknown as RawStub).getBufferArgs();
    return JSON.stringify({
      txId: stub.getTxID(),
      channel: stub.getChannelID(),
      seconds: stub.getTxTimestamp().seconds.toNumber(),
      date: stub.getDateTimestamp().toISOString(),
      peer: stub.getMspID(),
      creator: stub.getCreator().mspid,
      client: ctx.clientIdentity.getMSPID(),
      binding: stub.getBinding(),
      nonce: (stub.getSignedProposal() as unknown as { proposal: { header: { signatureHeader: { nonce: Uint8Array } } } }).proposal.header.signatureHeader.nonce.length,
      args: bytes.map((arg) => arg.toString('hex')),
      transient: stub.getTransient().get('secret')?.toString() ?? '',
    });
  }

  async announce(ctx: Context, name: string, payload: string): Promise<void> {
    await ctx.stub.putState(`announced-${name}`, Buffer.from(payload));
    ctx.stub.setEvent(name, Buffer.from(payload));
  }

  /** Stores the digest of its second argument's bytes under the first. */
  async store(ctx: Context): Promise<string> {
    const [, key, body] = (ctx.stub as unknown as RawStub).getBufferArgs();
    if (key === undefined || body === undefined) throw new Error('key and body are needed');
    const digest = createHash('sha256').update(body).digest('hex');
    await ctx.stub.putState(key.toString(), Buffer.from(digest));
    return digest;
  }

  async fail(_ctx: Context, text: string): Promise<void> {
    throw new Error(text);
  }

  async random(ctx: Context): Promise<void> {
    runs += 1;
    await ctx.stub.putState('random', Buffer.from(String(runs)));
  }

  async hang(): Promise<void> {
    await new Promise(() => undefined);
  }

  async swallow(ctx: Context, call: string): Promise<string> {
    const calls: Record<string, () => unknown> = {
      query: () => ctx.stub.getQueryResult('{}'),
      private: () => ctx.stub.putPrivateData('collection', 'key', Buffer.from('value')),
      privateRead: () => ctx.stub.getPrivateData('collection', 'key'),
      invoke: () => ctx.stub.invokeChaincode('other', ['a'], ''),
      policy: () => ctx.stub.setStateValidationParameter('key', Buffer.from('policy')),
    };
    try {
      await calls[call]?.();
    } catch {
      return 'swallowed';
    }
    return 'supported';
  }
}
