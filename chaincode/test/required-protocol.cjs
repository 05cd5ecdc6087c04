// The protocol as the built chaincode has it: its compiled ES module, required from CommonJS. Runs every vector of the
// protocol and prints how many there were and which failed.
const { pathToFileURL } = module.require('node:url');
const { join } = module.require('node:path');
const { isDeepStrictEqual } = module.require('node:util');
const protocol = module.require('@huilian/protocol');
const { runVectors } = module.require('../../sdk/protocol/test/run-vectors.ts');

const failed = [];
let group = '';
const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
const runner = {
  describe(name, body) {
    group = name;
    body();
  },
  it(name, body) {
    try {
      body();
    } catch (error) {
      failed.push(`${group}: ${name}: ${error.message}`);
    }
  },
  expect: (actual) => ({
    toEqual(expected) {
      if (!isDeepStrictEqual(plain(actual), plain(expected))) throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
    },
  }),
};
const count = runVectors(protocol, runner, pathToFileURL(join(__dirname, '../../tests/vectors/')));
process.stdout.write(JSON.stringify({ ...count, failed }));
