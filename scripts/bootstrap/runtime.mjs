// Which Node.js runs the project: the machine's own where it is new enough, else the pinned one of scripts/runtime.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BootstrapError } from './messages.mjs';

/**
 * @typedef {object} Host
 * @property {string} version Node.js version without the leading v
 * @property {string} platform as process.platform
 * @property {string} arch as process.arch
 * @property {string} execPath the running Node.js binary
 * @property {() => boolean} isMusl whether the C library is musl (Alpine), for which no runtime is pinned
 */

/**
 * @typedef {object} Runtime
 * @property {string} node path of the Node.js binary to use
 * @property {string | undefined} folder the npm folder that must be installed first; absent for the machine's own Node.js
 */

/** @returns {Host} */
export function thisHost() {
  const { platform, arch, execPath } = process;
  return { version: process.versions.node, platform, arch, execPath, isMusl: () => platform === 'linux' && !hasGlibc() };
}

function hasGlibc() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header.glibcVersionRuntime !== undefined;
}

/**
 * @param {string} root the checkout
 * @param {Host} host
 * @returns {Runtime}
 */
export function chooseRuntime(root, host) {
  const floor = readJson(join(root, 'package.json')).engines.node.replace('>=', '');
  if (isAtLeast(host.version, floor)) return { node: host.execPath, folder: undefined };
  const folder = join(root, 'scripts', 'runtime');
  const name = `node-${host.platform === 'win32' ? 'win' : host.platform}-${host.arch}`;
  const pinned = readJson(join(folder, 'package.json')).optionalDependencies ?? {};
  if (host.isMusl() || !(name in pinned)) throw unsupported(host, floor);
  return { node: join(folder, 'node_modules', name, 'bin', host.platform === 'win32' ? 'node.exe' : 'node'), folder };
}

/**
 * npm started by the chosen Node.js where its program file is known: no shell, hence no quoting, and no host Node.js.
 * @param {string} node
 * @param {NodeJS.ProcessEnv} env the environment this process was started with
 * @returns {string[]} command and leading arguments
 */
export function npmCommand(node, env) {
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const program = [env.npm_execpath, beside].find((path) => path?.endsWith('npm-cli.js') && existsSync(path));
  return program === undefined ? ['npm'] : [node, program];
}

/**
 * @param {string} version
 * @param {string} floor
 */
export function isAtLeast(version, floor) {
  const have = numbers(version);
  for (const [i, need] of numbers(floor).entries()) {
    const part = have[i] ?? 0;
    if (part !== need) return part > need;
  }
  return true;
}

/**
 * @param {string} version
 * @returns {number[]}
 */
function numbers(version) {
  return version.replace(/-.*/, '').split('.').map(Number);
}

/**
 * @param {Host} host
 * @param {string} floor
 */
function unsupported(host, floor) {
  const machine = `${host.platform}-${host.arch}${host.isMusl() ? ' (musl)' : ''}`;
  return new BootstrapError(
    `this machine has Node.js ${host.version}; the project needs ${floor} or newer, and no ready-made one can be fetched for ${machine}. Install Node.js ${floor} or newer (https://nodejs.org, or your system's packages), then run the same command again.`,
    `本机 Node.js 为 ${host.version}，项目需要 ${floor} 或更高版本，且没有可为 ${machine} 自动获取的版本。请自行安装 Node.js ${floor} 或更高版本（https://nodejs.org 或系统软件源），然后重新运行同一命令。`,
  );
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
