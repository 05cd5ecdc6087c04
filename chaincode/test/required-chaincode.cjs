// The chaincode as a peer's runtime loads it: built, by `require`, with the protocol's ES module required from CommonJS.
// Reads one {world, call} a line, answers one {outcome} or {refusal} a line.
const { createInterface } = module.require('node:readline');
const { contracts } = module.require('../dist/index.js');
const protocol = module.require('@huilian/protocol');
const { runCall } = module.require('./memory-stub.mjs');

async function main() {
  // Two copies of canonical bytes would be two protocols.
  if ((await import('@huilian/protocol')).ProtocolError !== protocol.ProtocolError) throw new Error('two copies of the protocol');
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, world } = JSON.parse(line);
    const answer = await runCall(contracts, world, call).then(
      (outcome) => ({ outcome }),
      (error) => ({ refusal: error instanceof protocol.ProtocolError ? error.message : `not a ProtocolError: ${error.stack}` }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

void main();
