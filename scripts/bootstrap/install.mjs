// `npm ci` where what is installed is not what the lock file asks for. The stamp is written last, inside node_modules:
// an interrupted installation has none and is done again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { BootstrapError, Interrupted, tell } from './messages.mjs';

/**
 * @param {string} folder a folder with package.json and package-lock.json
 * @returns {boolean}
 */
export function isInstalled(folder) {
  const stamp = stampOf(folder);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(folder);
}

/**
 * @param {string} folder
 * @param {string[]} npm command and leading arguments
 * @param {NodeJS.ProcessEnv} env
 * @param {() => void} [check] throws when what was installed cannot be used
 */
export async function install(folder, npm, env, check = () => {}) {
  rmSync(stampOf(folder), { force: true });
  const wanted = fingerprint(folder);
  // npm's words go to stderr. Development tools are needed to build, whatever NODE_ENV says.
  const command = [...npm, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const started = performance.now();
  const ending = await runChild(command, { cwd: folder, env, stdio: ['ignore', 2, 2] });
  if (ending.signal !== undefined) throw new Interrupted(ending);
  if (ending.code !== 0) {
    throw new BootstrapError(
      `npm ci failed in ${folder} (exit code ${ending.code}); npm's own words are above. Mostly the npm registry cannot be reached: check npm ping and the proxy settings, then run the same command again.`,
      `npm ci 在 ${folder} 执行失败（退出码 ${ending.code}），npm 的原始信息见上。多数情况是无法访问 npm 软件源：请检查 npm ping 与代理设置，然后重新运行同一命令。`,
      ending.code,
    );
  }
  check();
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(stampOf(folder), wanted);
  tell(`installed in ${seconds(started)} s`, `安装完成，用时 ${seconds(started)} 秒`);
}

/** @param {number} started */
function seconds(started) {
  return ((performance.now() - started) / 1000).toFixed(1);
}

/** @param {string} folder */
function stampOf(folder) {
  return join(folder, 'node_modules', '.install-stamp');
}

/** @param {string} folder */
function fingerprint(folder) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  return hash.update(readFileSync(join(folder, 'package-lock.json'))).digest('hex');
}
