// One child process at a time, with the signals this process gets and the way it ended passed through.
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';

const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const PARENT_MS = 250;

// What an outer `npm start` leaves behind describes that npm and its script; an inner npm would take it for its own
// settings (`npm -w node start` would aim the installation at one workspace). A registry, proxy or cache stays.
const OUTER_NPM = /^(npm_(lifecycle|package|command|node_execpath|execpath)|npm_config_(workspace|include_workspace_root|local_prefix|global_prefix|prefix|global|location|if_present|script_shell|node_gyp|npm_version|user_agent|init_module)|NODE$)/i;

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} first folders to put first on PATH
 * @returns {NodeJS.ProcessEnv}
 */
export function childEnvironment(env, first) {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !OUTER_NPM.test(name)));
  const path = Object.keys(kept).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  kept[path] = [...first, ...(kept[path] ? [kept[path]] : [])].join(delimiter);
  return kept;
}

/**
 * @typedef {object} Ending
 * @property {number} code exit code
 * @property {NodeJS.Signals | undefined} signal the signal that ended it; the code says nothing then
 */

/**
 * @param {string[]} command program and arguments
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<Ending>}
 */
export async function runChild([program = '', ...rest], options) {
  // Windows finds npm only as npm.cmd, which needs a shell.
  const shell = process.platform === 'win32' && program === 'npm';
  const child = spawn(program, rest, { ...options, shell });
  const stop = forwardSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code: code ?? 1, signal: signal ?? undefined }));
    });
  } finally {
    stop();
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function forwardSignals(child) {
  let told = false;
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    told = true;
    // Ctrl-C in a terminal reaches every process of the group by itself; a second copy would look like impatience.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  // npm hands a signal to the shell it starts scripts with, and that shell dies of it without a word to its child.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent || told) return;
    told = true;
    child.kill('SIGTERM');
  }, PARENT_MS);
  if (process.env['npm_lifecycle_event'] === undefined) clearInterval(watch);
  return () => {
    clearInterval(watch);
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}

/**
 * Ends this process the way the child ended, so that a supervisor sees the same thing.
 * @param {Ending} ending
 */
export function endLike({ code, signal }) {
  if (signal === undefined) process.exit(code);
  process.kill(process.pid, signal);
}
