// A lock file for one checkout. A lock left by a process that died is taken over; one whose holder cannot be asked
// (another machine, another container) counts as left when nothing touches it for a while of the waiter's own time.
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 200;
const TOUCH_MS = 3_000;
const SILENT_MS = 30_000;

/**
 * @template T
 * @param {string} path lock file
 * @param {() => void} onWait called once when another process holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, onWait, work) {
  const token = `${hostname()} ${process.pid} ${Date.now()}`;
  await acquire(path, token, onWait);
  const release = () => releaseOwn(path, token);
  const touching = setInterval(() => touch(path), TOUCH_MS);
  process.on('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} path
 * @param {string} token
 * @param {() => void} onWait
 */
async function acquire(path, token, onWait) {
  let waited = false;
  let seen = { mark: '', since: performance.now() };
  while (!create(path, token)) {
    if (!waited) onWait();
    waited = true;
    const holder = look(path);
    if (holder !== undefined) {
      if (holder.mark !== seen.mark) seen = { mark: holder.mark, since: performance.now() };
      if (isDead(holder.token) || performance.now() - seen.since > SILENT_MS) breakLock(path, holder.token, token);
    }
    await pause(POLL_MS);
  }
}

/**
 * @param {string} path
 * @param {string} token
 */
function create(path, token) {
  try {
    writeFileSync(path, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Waiters break one at a time, and only the very lock they judged left: a lock taken meanwhile carries another token.
 * @param {string} path
 * @param {string} left token of the lock judged left
 * @param {string} token
 */
function breakLock(path, left, token) {
  const breaker = `${path}.break`;
  if (!create(breaker, token)) {
    const other = look(breaker);
    if (other !== undefined && isDead(other.token)) rmSync(breaker, { force: true });
    return;
  }
  try {
    releaseOwn(path, left);
  } finally {
    rmSync(breaker, { force: true });
  }
}

/**
 * @param {string} path
 * @returns {{ token: string, mark: string } | undefined} undefined when the lock is gone
 */
function look(path) {
  try {
    const token = readFileSync(path, 'utf8');
    return { token, mark: `${token} ${statSync(path).mtimeMs}` };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {string} token */
function isDead(token) {
  const [host, pid] = token.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** @param {string} path */
function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/**
 * @param {string} path
 * @param {string} token
 */
function releaseOwn(path, token) {
  if (look(path)?.token === token) rmSync(path, { force: true });
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
