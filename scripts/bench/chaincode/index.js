'use strict';

const { Contract } = module.require('fabric-contract-api');

/** The plain ways of putting records on a ledger, as tutorials and batch-pinning systems do it. */
class Baseline extends Contract {
  /** One JSON record, whole, under its key. */
  async put(ctx, key, record) {
    await ctx.stub.putState(key, Buffer.from(JSON.stringify(JSON.parse(record))));
  }

  /** One key a record, many records a transaction: a JSON array of [key, record]. */
  async putMany(ctx, entries) {
    for (const [key, record] of JSON.parse(entries)) await ctx.stub.putState(key, Buffer.from(JSON.stringify(record)));
  }

  /** The hash of a batch that lies elsewhere, with one context hash a message, in an event. */
  async pinBatch(ctx, batch, hash, contexts) {
    const pin = { batch, contexts: JSON.parse(contexts), hash, signer: ctx.clientIdentity.getID() };
    ctx.stub.setEvent('BatchPin', Buffer.from(JSON.stringify(pin)));
  }

  /** The ledger's part of one access: who asks, what was granted, whether it was revoked; then the log entry. */
  async access(ctx, key, member, grant, revocation, entry) {
    for (const read of [member, grant, revocation]) await ctx.stub.getState(read);
    await ctx.stub.putState(key, Buffer.from(entry));
  }
}

module.exports.contracts = [Baseline];
