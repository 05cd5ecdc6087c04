import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm } from './run.mjs';

/** What runs at a centre. The other workspaces lend their package.json to the lock and nothing more. */
const shipped = ['sdk/protocol', 'sdk/client', 'chaincode', 'node/embedded-ledger', 'node'];
const parts = ['dist', 'bin', 'kinds'];
const pages = ['docs', 'network-config', 'LICENSE', 'README.md'];

/** @param {string} root @returns {string[]} folders of all workspaces */
function workspaces(root) {
  const { workspaces: patterns } = /** @type {{ workspaces: string[] }} */ (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')));
  return patterns.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern];
    const folder = pattern.slice(0, -2);
    return readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`).filter((name) => existsSync(path.join(root, name, 'package.json')));
  });
}

/**
 * Installs the production dependencies of the lock for one architecture and lays the built program beside them.
 * @param {{ root: string, folder: string, arch: string, version: string }} request
 */
export async function stage({ root, folder, arch, version }) {
  const app = path.join(folder, 'app');
  mkdirSync(app, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) if (existsSync(path.join(root, name))) cpSync(path.join(root, name), path.join(app, name));
  const all = workspaces(root);
  for (const workspace of all) {
    mkdirSync(path.join(app, workspace), { recursive: true });
    cpSync(path.join(root, workspace, 'package.json'), path.join(app, workspace, 'package.json'));
  }
  await npm(['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--os', 'linux', '--cpu', arch, '-w', '@huilian/node', '-w', '@huilian/chaincode'], app);
  for (const workspace of all.filter((name) => !shipped.includes(name))) rmSync(path.join(app, workspace), { force: true, recursive: true });
  for (const empty of ['examples', 'scripts']) rmSync(path.join(app, empty), { force: true, recursive: true });
  for (const workspace of shipped) {
    for (const part of parts) if (existsSync(path.join(root, workspace, part))) cpSync(path.join(root, workspace, part), path.join(app, workspace, part), { recursive: true });
  }
  // Of the console its pages alone: they are whole, and the packages they were made of stay at home.
  cpSync(path.join(root, 'node', 'console', 'dist'), path.join(app, 'node', 'console', 'dist'), { recursive: true });
  prune(app, arch);
  for (const name of pages) cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  await stageRuntime({ arch, folder, root });
  const files = path.join(root, 'scripts', 'release', 'files');
  mkdirSync(path.join(folder, 'bin'));
  for (const name of ['huilian', 'huilian-chaincode']) cpSync(path.join(files, name), path.join(folder, 'bin', name));
  cpSync(path.join(files, 'systemd'), path.join(folder, 'systemd'), { recursive: true });
  cpSync(path.join(files, 'install.sh'), path.join(folder, 'install.sh'));
  writeFileSync(path.join(folder, 'VERSION'), `${version}\n`);
  writeFileSync(path.join(folder, 'ARCH'), `${arch}\n`);
  writeFileSync(path.join(folder, 'NOTICE'), notice(app));
}

/** The Node.js of the bootstrap's own lock, for the architecture asked for. @param {{ root: string, folder: string, arch: string }} request */
async function stageRuntime({ root, folder, arch }) {
  const work = path.join(folder, 'runtime-work');
  mkdirSync(work);
  for (const name of ['package.json', 'package-lock.json']) cpSync(path.join(root, 'scripts', 'runtime', name), path.join(work, name));
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--os', 'linux', '--cpu', arch], work);
  const runtime = path.join(folder, 'runtime');
  mkdirSync(path.join(runtime, 'bin'), { recursive: true });
  const from = path.join(work, 'node_modules', `node-linux-${arch}`);
  cpSync(path.join(from, 'bin', 'node'), path.join(runtime, 'bin', 'node'));
  for (const name of ['LICENSE', 'package.json']) if (existsSync(path.join(from, name))) cpSync(path.join(from, name), path.join(runtime, name));
  rmSync(work, { recursive: true });
}

/** Source maps, and native binaries of other machines. @param {string} app @param {string} arch */
function prune(app, arch) {
  for (const entry of readdirSync(app, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const foreign = path.basename(entry.parentPath) === 'prebuilds' && entry.name !== `linux-${arch}`;
    if (foreign || entry.name.endsWith('.map') || entry.name.endsWith('.tsbuildinfo')) rmSync(file, { force: true, recursive: true });
  }
}

/** Name, version and licence of everything that goes along. @param {string} app */
function notice(app) {
  const found = new Map();
  for (const entry of readdirSync(app, { recursive: true, withFileTypes: true })) {
    if (entry.name !== 'package.json' || !/node_modules\/(@[^/]+\/)?[^/]+$/.test(entry.parentPath)) continue;
    const { license, licenses, name, version } = JSON.parse(readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
    if (typeof name !== 'string' || name.startsWith('@huilian/')) continue;
    const words = typeof license === 'string' ? license : JSON.stringify(license ?? licenses ?? 'see its folder');
    found.set(`${name} ${String(version)}`, words);
  }
  const lines = [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, words]) => `${name}: ${words}`);
  return `Huilian (汇链), Apache License 2.0, see LICENSE.\n\nThis release contains, each under its own licence, whose text lies in its folder under app/node_modules or runtime:\n\nNode.js: MIT and others, see runtime/LICENSE\n${lines.join('\n')}\n`;
}

/** Files of a release with their digests, as sha256sum writes and checks them. @param {string} folder */
export function writeChecksums(folder) {
  const list = execFileSync('sh', ['-c', "find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  writeFileSync(path.join(folder, 'SHA256SUMS'), list);
}
