'use strict';

const { Contract } = module.require('fabric-contract-api');

/** A contract package in plain JavaScript, as Fabric's tutorials write them. */
class Counter extends Contract {
  async increase(ctx, name) {
    const before = (await ctx.stub.getState(name)).toString();
    await ctx.stub.putState(name, Buffer.from(String(Number(before || '0') + 1)));
  }

  async read(ctx, name) {
    return (await ctx.stub.getState(name)).toString();
  }
}

module.exports.contracts = [Counter];
