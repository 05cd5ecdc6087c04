// Everything that can be said about the tree without running the product: node scripts/verify.mjs [--json] [step …]
// All steps run whatever the others find; the exit code is non-zero when any found something.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const SIDE_BY_SIDE = 2;
const ROOMS = ['sdk', 'chaincode', 'node', 'examples', 'tests', 'scripts'].filter((room) => existsSync(join(root, room)));

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} checks what it is about
 * @property {string[]} command arguments of node
 */

/** The step the others need: schemas generated, packages compiled. @type {Step} */
const BUILD = { name: 'build', checks: 'types of every package', command: ['scripts/build-then.mjs'] };

/** @type {readonly Step[]} */
const STEPS = [
  { name: 'lint', checks: 'code rules', command: ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0'] },
  { name: 'test-types', checks: 'types of tests', command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json', '--noEmit'] },
  { name: 'script-types', checks: 'types of scripts', command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.scripts.json', '--noEmit'] },
  { name: 'arrows', checks: 'who may import whom', command: ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', ...ROOMS] },
  { name: 'unused', checks: 'files, exports, dependencies', command: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'] },
  { name: 'vectors', checks: 'golden vectors of the protocol', command: ['node_modules/vitest/vitest.mjs', 'run', '--project', 'protocol', 'test/vectors.test.ts'] },
  { name: 'links', checks: 'links and diagrams of the docs', command: ['scripts/check-doc-links.mjs'] },
  { name: 'tracked', checks: 'no paths, hosts, secrets, leftovers', command: ['scripts/check-tracked-files.mjs'] },
];

/**
 * @typedef {object} Outcome
 * @property {string} name
 * @property {string} checks
 * @property {boolean} ok
 * @property {number} seconds
 * @property {string} output what the step printed
 */

/**
 * @param {Step} step
 * @returns {Promise<Outcome>}
 */
function run({ name, checks, command }) {
  const started = performance.now();
  const child = spawn(process.execPath, command, { cwd: root, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ name, checks, ok: code === 0, seconds: Math.round((performance.now() - started) / 10) / 100, output: output.trim() });
    });
  });
}

/**
 * @param {readonly Step[]} steps
 * @param {(outcome: Outcome) => void} report
 * @returns {Promise<Outcome[]>} in the order of steps
 */
async function runAll(steps, report) {
  /** @type {Outcome[]} */
  const outcomes = [];
  const waiting = [...steps.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, step] = next;
      const outcome = await run(step);
      outcomes[index] = outcome;
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return outcomes;
}

/** @param {Outcome[]} outcomes */
function table(outcomes) {
  return outcomes.map(({ name, ok, seconds, checks }) => `${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(12)}  ${seconds.toFixed(1).padStart(6)} s  ${checks}`).join('\n');
}

const args = process.argv.slice(2);
const json = args.includes('--json');
const wanted = args.filter((arg) => arg !== '--json');
const unknown = wanted.filter((name) => ![BUILD, ...STEPS].some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`unknown step: ${unknown.join(', ')} / 未知步骤；known: ${[BUILD, ...STEPS].map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const chosen = (/** @type {readonly Step[]} */ steps) => steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const report = (/** @type {Outcome} */ outcome) => {
  process.stderr.write(`${outcome.ok ? 'ok' : 'FAILED'} ${outcome.name}${outcome.ok ? '' : `\n${outcome.output}\n`}\n`);
};
const outcomes = [...(await runAll(chosen([BUILD]), report)), ...(await runAll(chosen(STEPS), report))];
const ok = outcomes.every((outcome) => outcome.ok);
console.log(json ? JSON.stringify({ ok, steps: outcomes }) : `\n${table(outcomes)}`);
process.exitCode = ok ? 0 : 1;
