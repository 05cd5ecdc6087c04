// Puts the compiled node and the packages it runs on into a few files: node/dist/program/, which bin/huilian.js starts.
// To find and read some two thousand small files took most of a start. The compiled files stay beside it for tests and tools.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';

const root = path.resolve(import.meta.dirname, '..');
const program = path.join(root, 'node', 'dist', 'program');
const stamp = path.join(program, 'LICENSES.txt');
const entries = {
  main: 'node/dist/main.js',
  'examine-thread': 'node/dist/composition/examine-thread.js',
  'sandbox-node': 'node/dist/composition/sandbox/sandbox-node.js',
};

/** Packages that read files of their own, or that few installations need: loaded from where npm put them. */
const apart = [/^classic-level$/, /^pg$/, /^tiny-secp256k1$/, /^fabric-network$/, /^@huilian\/embedded-ledger$/];
/** What frameworks look for and do without. */
const optional = [/^@nestjs\/(microservices|platform-express|websockets)/, /^class-(transformer|validator)/, /^@fastify\/(multipart|static|view)$/, /^pkcs11js$/, /^typescript$/, /^(bufferutil|utf-8-validate)$/];
/** One copy of it, for the node and for nest-commander. */
const commander = createRequire(path.join(root, 'node', 'package.json')).resolve('commander');
/** Modules in whose place a line stands. */
const standIns = new Map([
  // What nest-commander finds commands by in a Nest application, which the command line is not.
  ...['@golevelup/nestjs-discovery'].map((id) => /** @type {const} */ ([id, 'module.exports = {};'])),
  // An import of it reads all its names, WebSocket among them, for which Node.js then loads a whole HTTP client.
  ...['http', 'node:http'].map((id) => /** @type {const} */ ([id, "module.exports = process.getBuiltinModule('node:http');"])),
]);

/** @param {string} folder @returns {number} time of the newest file */
function newest(folder) {
  return Math.max(0, ...readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.js') && !entry.parentPath.startsWith(program)).map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs));
}

function isFresh() {
  const inputs = ['sdk/protocol', 'sdk/client', 'node/embedded-ledger', 'node'].map((folder) => newest(path.join(root, folder, 'dist')));
  const files = ['package-lock.json', 'scripts/bundle-node.mjs'].map((file) => statSync(path.join(root, file)).mtimeMs);
  return existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...inputs, ...files);
}

/** The licences of the packages whose code is in the program. @param {ReadonlySet<string>} modules */
function licences(modules) {
  const folders = new Set([...modules].flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { license, name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(path.join(folder, file), 'utf8')}`;
  });
  return `The program in this folder holds code of these packages, each under its own licence.\n\n${texts.join(`\n${'-'.repeat(80)}\n`)}`;
}

async function bundle() {
  const modules = new Set();
  const built = await rolldown({
    cwd: root,
    input: entries,
    platform: 'node',
    external: [...apart, ...optional],
    logLevel: 'warn',
    plugins: [
      {
        name: 'huilian',
        resolveId: (/** @type {string} */ id) => (id === 'commander' ? commander : standIns.has(id) ? `\0stand-in:${id}` : null),
        load: (/** @type {string} */ id) => (id.startsWith('\0stand-in:') ? standIns.get(id.slice(10)) : null),
        moduleParsed: ({ id }) => void modules.add(id),
      },
    ],
  });
  rmSync(program, { force: true, recursive: true });
  // Names without digests: a later build's compiled code takes the place of this one's. Names of classes are what Nest goes by.
  await built.write({ dir: program, format: 'esm', chunkFileNames: '[name].js', keepNames: true });
  await built.close();
  writeFileSync(stamp, licences(modules));
}

if (!isFresh()) await bundle();
