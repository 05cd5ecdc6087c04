// Answers every vector with the compiled protocol as the contracts load it: require() from CommonJS.
//   node chaincode/test/answer-vectors.cjs   prints {module, valid, invalid, failures} as JSON
const { deepStrictEqual } = require('node:assert');
const { pathToFileURL } = require('node:url');
const { join } = require('node:path');
const protocol = require('@huilian/protocol');
const { runVectors } = require('../../sdk/protocol/test/run-vectors.ts');

const folder = pathToFileURL(join(__dirname, '..', '..', 'tests', 'vectors', '/'));
/** @type {{ name: string, body: () => unknown }[]} */
const tests = [];
let about = '';
const runner = {
  describe: (name, body) => {
    about = name;
    body();
  },
  it: (name, body) => tests.push({ name: `${about}: ${name}`, body }),
  expect: (actual) => ({ toEqual: (expected) => deepStrictEqual(structuredClone(actual), structuredClone(expected)) }),
};

async function main() {
  const counts = runVectors(protocol, runner, folder);
  const failures = [];
  for (const { name, body } of tests) await Promise.resolve().then(body).catch((error) => failures.push(`${name}: ${error.message}`));
  console.log(JSON.stringify({ module: require.resolve('@huilian/protocol'), tests: tests.length, ...counts, failures }));
}
void main();
