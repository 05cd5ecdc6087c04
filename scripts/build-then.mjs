// Builds the project, then runs a command in its place: `node scripts/build-then.mjs [program] [arguments]`.
// A program and not `npm run build && …`: no shell stands between a signal and the command, flags arrive as given, and
// what the build says goes to stderr, so that stdout is the command's own.
import { join } from 'node:path';
import { endLike, runChild } from './bootstrap/child.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { tell } from './bootstrap/messages.mjs';

const root = join(import.meta.dirname, '..');
const STEPS = [
  ['sdk/protocol/scripts/generate-kinds.mjs'],
  ['node_modules/typescript/bin/tsc', '-b'],
  ['scripts/bundle-node.mjs'],
  ['scripts/bundle-console.mjs'],
];

/** @returns {Promise<import('./bootstrap/child.mjs').Ending>} of the first step that failed, else of the last */
async function build() {
  let ending;
  for (const step of STEPS) {
    ending = await runChild([process.execPath, ...step], { cwd: root, env: process.env, stdio: ['ignore', 2, 2] });
    if (ending.code !== 0 || ending.signal !== undefined) break;
  }
  return /** @type {import('./bootstrap/child.mjs').Ending} */ (ending);
}

const onWait = () => tell('another build is running in this checkout; waiting for it', '本目录正在进行另一次构建，等待其完成');
const built = await withLock(join(root, '.build.lock'), onWait, build);
const command = process.argv.slice(2);
if (built.code !== 0 || built.signal !== undefined || command.length === 0) endLike(built);
else endLike(await runChild(command, { cwd: root, env: process.env, stdio: 'inherit' }));
