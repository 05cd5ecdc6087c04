import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment, endLike, runChild } from './child.mjs';
import { install, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';
import { BootstrapError, Interrupted, tell } from './messages.mjs';
import { chooseRuntime, npmCommand, thisHost } from './runtime.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {string[]} argv arguments after the script's own name */
export async function start(argv) {
  try {
    const command = parse(argv);
    const runtime = chooseRuntime(root, thisHost());
    const npm = npmCommand(runtime.node, process.env);
    const env = childEnvironment(process.env, [dirname(runtime.node), join(root, 'node_modules', '.bin')]);
    await prepare(runtime, npm, env);
    if (command.length === 0) return;
    const resolved = command[0] === 'npm' ? [...npm, ...command.slice(1)] : command;
    endLike(await run(resolved, env));
  } catch (error) {
    fail(error);
  }
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 */
async function run(command, env) {
  try {
    return await runChild(command, { cwd: root, env, stdio: 'inherit' });
  } catch (error) {
    throw /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT' ? notFound(command) : error;
  }
}

/**
 * @param {string[]} argv
 * @returns {string[]} the command to run; empty for `install`
 */
function parse([mode, separator, ...command]) {
  if (mode === 'install' && separator === undefined) return [];
  if (mode === 'run' && separator === '--' && command.length > 0) return command;
  throw new BootstrapError(
    'usage: node scripts/bootstrap.mjs run -- <command> [arguments] | install',
    '用法：node scripts/bootstrap.mjs run -- <命令> [参数] | install',
    2,
  );
}

/**
 * @param {import('./runtime.mjs').Runtime} runtime
 * @param {string[]} npm
 * @param {NodeJS.ProcessEnv} env
 */
async function prepare(runtime, npm, env) {
  const ready = () => (runtime.folder === undefined || isInstalled(runtime.folder)) && isInstalled(root);
  if (ready()) return;
  const onWait = () => tell('another installation is running in this checkout; waiting for it', '本目录正在进行另一次安装，等待其完成');
  await withLock(join(root, '.bootstrap.lock'), onWait, async () => {
    if (runtime.folder !== undefined && !isInstalled(runtime.folder)) await installRuntime(runtime.node, runtime.folder);
    if (!isInstalled(root)) {
      tell('installing dependencies (first run or changed lock file, about a minute)', '正在安装依赖（首次运行或锁文件有变化，约一分钟）');
      await install(root, npm, env);
    }
  });
}

/**
 * @param {string} node
 * @param {string} folder
 */
async function installRuntime(node, folder) {
  tell(
    `Node.js ${process.versions.node} is older than the project needs; fetching its own (about 50 MB, once)`,
    `本机 Node.js ${process.versions.node} 低于项目要求，正在获取项目自带版本（约 50 MB，仅一次）`,
  );
  // The runtime is not there yet: this one npm runs on the machine's Node.js.
  const host = process.execPath;
  await install(folder, npmCommand(host, process.env), childEnvironment(process.env, [dirname(host)]), () => mustRun(node));
}

/** @param {string} node */
function mustRun(node) {
  const probe = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (probe.status === 0) return;
  throw new BootstrapError(
    `the fetched Node.js does not run on this machine (${probe.error?.message ?? probe.stderr.trim()}). Install Node.js 22.13 or newer yourself (https://nodejs.org), then run the same command again.`,
    '获取的 Node.js 无法在本机运行。请自行安装 Node.js 22.13 或更高版本（https://nodejs.org），然后重新运行同一命令。',
  );
}

/** @param {string[]} command */
function notFound([program]) {
  return new BootstrapError(`command not found: ${program}`, `找不到命令：${program}`, 127);
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof Interrupted) return endLike(error.ending);
  const known = error instanceof BootstrapError;
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(known ? error.exitCode : 1);
}
