// The arrows between the rooms: each is broken on purpose in a small tree of its own, and the rule must see it; the real
// tree breaks none.
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult, type IConfiguration } from 'dependency-cruiser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const house = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const config = createRequire(import.meta.url)(join(house, '.dependency-cruiser.cjs')) as IConfiguration;
const ROOMS = ['sdk', 'chaincode', 'node', 'examples', 'tests', 'scripts'];
const PACKAGES = { protocol: 'sdk/protocol', sdk: 'sdk/client', chaincode: 'chaincode', 'embedded-ledger': 'node/embedded-ledger' };

/** A tree with every room's door, a deeper file behind each, and one package of a technology. */
const BASE: Readonly<Record<string, string>> = {
  'sdk/protocol/src/index.ts': "export { bytes } from './bytes.js';\nexport type { Inner } from './bytes.js';",
  'sdk/protocol/src/bytes.ts': 'export const bytes = 1;\nexport interface Inner { a: 1 }',
  'sdk/client/src/index.ts': 'export const client = 1;',
  'chaincode/src/index.ts': 'export const contracts = 1;\nexport interface Contracts { a: 1 }',
  'chaincode/src/rules/decide.ts': 'export const decide = 1;',
  'chaincode/src/contracts/access.ts': 'export const access = 1;',
  'node/embedded-ledger/src/index.ts': 'export const ledger = 1;',
  'node/embedded-ledger/src/blocks.ts': 'export const blocks = 1;',
  'node/console/src/page.ts': 'export const page = 1;',
  'node/src/main.ts': 'export const main = 1;',
  'node/src/core/vault/seal-payload.ts': 'export const seal = 1;\nexport interface Seal { a: 1 }',
  'node/src/adapters/level/store.ts': 'export const store = 1;\nexport interface Store { a: 1 }',
  'node/src/adapters/http/server.ts': 'export const server = 1;',
  'node/src/composition/node.ts': 'export const compose = 1;',
  'node/src/composition/sandbox/sandbox-cast.ts': 'export const forced = 1;',
  'node/src/config/read-config.ts': 'export const read = 1;',
  'examples/platform/src/push.ts': 'export const push = 1;',
  'tests/e2e/consortium.ts': 'export const start = 1;',
  'node/test/fixture.ts': 'export const fixture = 1;',
  'scripts/drill.mjs': 'export const drill = 1;',
  'node_modules/level/package.json': '{ "name": "level", "version": "1.0.0", "main": "dist/index.js" }',
  'node_modules/level/dist/index.js': 'exports.Level = 1;',
  'node_modules/@libp2p/tcp/package.json': '{ "name": "@libp2p/tcp", "version": "1.0.0", "main": "index.js" }',
  'node_modules/@libp2p/tcp/index.js': 'exports.tcp = 1;',
  'node_modules/fabric-shim/package.json': '{ "name": "fabric-shim", "version": "1.0.0", "main": "index.js" }',
  'node_modules/fabric-shim/index.js': 'exports.Shim = 1;',
};

interface Breach {
  rule: string;
  file: string;
  text: string;
}

// Each file is written over the tree's own (or beside it) and holds the one import that breaks the rule.
const BREACHES: readonly Breach[] = [
  { rule: 'protocol-knows-nobody', file: 'sdk/protocol/src/bytes.ts', text: "export { client } from '@huilian/sdk';" },
  { rule: 'protocol-knows-nobody', file: 'sdk/protocol/src/bytes.ts', text: "export { seal } from '../../../node/src/core/vault/seal-payload.js';" },
  { rule: 'protocol-knows-nobody', file: 'sdk/protocol/src/bytes.ts', text: "export type { Contracts } from '@huilian/chaincode';" },
  { rule: 'protocol-without-node', file: 'sdk/protocol/src/bytes.ts', text: "import { readFileSync } from 'node:fs';\nexport { readFileSync };" },
  { rule: 'protocol-without-node', file: 'sdk/protocol/src/bytes.ts', text: "import { createHash } from 'crypto';\nexport { createHash };" },
  { rule: 'chaincode-knows-protocol-only', file: 'chaincode/src/contracts/access.ts', text: "export { client } from '@huilian/sdk';" },
  { rule: 'chaincode-knows-protocol-only', file: 'chaincode/src/contracts/access.ts', text: "export { ledger } from '@huilian/embedded-ledger';" },
  { rule: 'chaincode-knows-protocol-only', file: 'chaincode/src/contracts/access.ts', text: "import type { Seal } from '../../../node/src/core/vault/seal-payload.js';\nexport type { Seal };" },
  { rule: 'rules-are-pure', file: 'chaincode/src/rules/decide.ts', text: "export { Shim } from 'fabric-shim';" },
  { rule: 'rules-are-pure', file: 'chaincode/src/rules/decide.ts', text: "export { access } from '../contracts/access.js';" },
  { rule: 'rules-without-node', file: 'chaincode/src/rules/decide.ts', text: "export { randomBytes } from 'node:crypto';" },
  { rule: 'chaincode-never-meets-node', file: 'node/src/adapters/http/server.ts', text: "export { contracts } from '@huilian/chaincode';" },
  { rule: 'chaincode-never-meets-node', file: 'node/src/core/vault/seal-payload.ts', text: "import type { Contracts } from '@huilian/chaincode';\nexport type { Contracts };" },
  { rule: 'chaincode-never-meets-node', file: 'node/embedded-ledger/src/blocks.ts', text: "export { contracts } from '@huilian/chaincode';" },
  { rule: 'core-knows-protocol-only', file: 'node/src/core/vault/seal-payload.ts', text: "export { store } from '../../adapters/level/store.js';" },
  { rule: 'core-knows-protocol-only', file: 'node/src/core/vault/seal-payload.ts', text: "import type { Store } from '../../adapters/level/store.js';\nexport type { Store };" },
  { rule: 'core-knows-protocol-only', file: 'node/src/core/vault/seal-payload.ts', text: "export { compose } from '../../composition/node.js';" },
  { rule: 'core-knows-protocol-only', file: 'node/src/core/vault/seal-payload.ts', text: "export { client } from '@huilian/sdk';" },
  { rule: 'core-without-technology', file: 'node/src/core/vault/seal-payload.ts', text: "export { Level } from 'level';" },
  { rule: 'core-without-technology', file: 'node/src/core/vault/seal-payload.ts', text: "export { tcp } from '@libp2p/tcp';" },
  { rule: 'core-without-technology', file: 'node/src/core/vault/seal-payload.ts', text: "export { Shim } from 'fabric-shim';" },
  { rule: 'core-without-io', file: 'node/src/core/vault/seal-payload.ts', text: "export { readFile } from 'node:fs/promises';" },
  { rule: 'settings-below-adapters', file: 'node/src/config/read-config.ts', text: "export { store } from '../adapters/level/store.js';" },
  { rule: 'adapters-stay-apart', file: 'node/src/adapters/http/server.ts', text: "export { store } from '../level/store.js';" },
  { rule: 'adapters-stay-apart', file: 'node/src/adapters/http/server.ts', text: "import type { Store } from '../level/store.js';\nexport type { Store };" },
  { rule: 'adapters-below-composition', file: 'node/src/adapters/http/server.ts', text: "export { compose } from '../../composition/node.js';" },
  { rule: 'sandbox-stays-apart', file: 'node/src/composition/node.ts', text: "export { forced } from './sandbox/sandbox-cast.js';" },
  { rule: 'nothing-knows-main', file: 'node/src/composition/node.ts', text: "export { main } from '../main.js';" },
  { rule: 'embedded-ledger-knows-no-domain', file: 'node/embedded-ledger/src/blocks.ts', text: "export { bytes } from '@huilian/protocol';" },
  { rule: 'embedded-ledger-knows-no-domain', file: 'node/embedded-ledger/src/blocks.ts', text: "export { seal } from '../../src/core/vault/seal-payload.js';" },
  { rule: 'sdk-knows-protocol-only', file: 'sdk/client/src/index.ts', text: "export { contracts } from '@huilian/chaincode';" },
  { rule: 'sdk-without-node', file: 'sdk/client/src/index.ts', text: "export { readFileSync } from 'node:fs';" },
  { rule: 'pages-and-examples-know-sdk-only', file: 'node/console/src/page.ts', text: "export { server } from '../../src/adapters/http/server.js';" },
  { rule: 'pages-and-examples-know-sdk-only', file: 'examples/platform/src/push.ts', text: "export { contracts } from '@huilian/chaincode';" },
  { rule: 'pages-and-examples-know-sdk-only', file: 'examples/platform/src/push.ts', text: "export { bytes } from '@huilian/protocol';" },
  { rule: 'nobody-knows-the-console', file: 'node/src/adapters/http/server.ts', text: "export { page } from '../../../console/src/page.js';" },
  { rule: 'nothing-imports-tests', file: 'node/src/composition/node.ts', text: "export { start } from '../../../tests/e2e/consortium.js';" },
  { rule: 'nothing-imports-tests', file: 'node/src/composition/node.ts', text: "export { fixture } from '../../test/fixture.js';" },
  { rule: 'nothing-imports-tests', file: 'scripts/drill.mjs', text: "export { start } from '../tests/e2e/consortium.js';" },
  { rule: 'protocol-by-its-door', file: 'chaincode/src/index.ts', text: "export { bytes } from '../../sdk/protocol/src/bytes.js';" },
  { rule: 'sdk-by-its-door', file: 'node/src/adapters/http/server.ts', text: "export { wallet } from '../../../../sdk/client/src/wallet.js';" },
  { rule: 'chaincode-by-its-door', file: 'node/src/composition/node.ts', text: "export { decide } from '../../../chaincode/src/rules/decide.js';" },
  { rule: 'embedded-ledger-by-its-door', file: 'node/src/composition/node.ts', text: "export { blocks } from '../../embedded-ledger/src/blocks.js';" },
  { rule: 'no-circles', file: 'sdk/protocol/src/bytes.ts', text: "import { bytes as again } from './index.js';\nexport const bytes: number = again;" },
  { rule: 'nothing-unresolved', file: 'node/src/composition/node.ts', text: "export { gone } from './gone.js';" },
];

// What the arrows allow, so that no rule bites too much.
const ALLOWED: readonly Omit<Breach, 'rule'>[] = [
  { file: 'chaincode/src/rules/decide.ts', text: "export { bytes } from '@huilian/protocol';" },
  { file: 'chaincode/src/contracts/access.ts', text: "export { decide } from '../rules/decide.js';\nexport { Shim } from 'fabric-shim';" },
  { file: 'sdk/client/src/index.ts', text: "export { bytes } from '@huilian/protocol';" },
  { file: 'node/src/core/vault/seal-payload.ts', text: "export { bytes } from '@huilian/protocol';\nexport { createHash } from 'node:crypto';" },
  { file: 'node/src/adapters/level/store.ts', text: "export { seal } from '../../core/vault/seal-payload.js';\nexport { Level } from 'level';\nexport { read } from '../../config/read-config.js';" },
  { file: 'node/src/adapters/http/server.ts', text: "export { client } from '@huilian/sdk';\nexport { readFile } from 'node:fs/promises';" },
  { file: 'node/src/composition/node.ts', text: "export { contracts } from '@huilian/chaincode';\nexport { ledger } from '@huilian/embedded-ledger';\nexport { store } from '../adapters/level/store.js';\nexport { server } from '../adapters/http/server.js';" },
  { file: 'node/src/main.ts', text: "export { compose } from './composition/node.js';" },
  { file: 'node/console/src/page.ts', text: "export { client } from '@huilian/sdk';" },
  { file: 'tests/e2e/consortium.ts', text: "export { ledger } from '@huilian/embedded-ledger';\nexport { contracts } from '@huilian/chaincode';" },
];

let tree: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

async function violations(baseDir: string): Promise<string[]> {
  const rooms = ROOMS.filter((room) => existsSync(join(baseDir, room)));
  const { output } = await cruise(rooms, { ...config.options, baseDir, ruleSet: { forbidden: config.forbidden ?? [] }, validate: true });
  return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
}

beforeEach(() => {
  tree = mkdtempSync(join(realpathSync(tmpdir()), 'arrows-'));
  for (const [path, text] of Object.entries({ ...BASE, 'sdk/client/src/wallet.ts': 'export const wallet = 1;' })) write(path, text);
  mkdirSync(join(tree, 'node_modules', '@huilian'), { recursive: true });
  for (const [name, folder] of Object.entries(PACKAGES)) {
    cpSync(join(house, folder, 'package.json'), join(tree, folder, 'package.json'));
    symlinkSync(join(tree, folder), join(tree, 'node_modules', '@huilian', name));
  }
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

describe('the arrows', () => {
  it.each(BREACHES)('$rule: $file with $text', async ({ rule, file, text }) => {
    write(file, text);
    const seen = await violations(tree);
    expect(seen.filter((line) => line.startsWith(`${rule}: ${file} -> `))).toHaveLength(1);
  });

  it('are each broken by one of the cases above', () => {
    expect(new Set(BREACHES.map(({ rule }) => rule))).toEqual(new Set(config.forbidden?.map(({ name }) => name)));
  });

  it('let through what they allow', async () => {
    for (const { file, text } of ALLOWED) write(file, text);
    expect(await violations(tree)).toEqual([]);
  });

  it('hold in the real tree', async () => {
    expect(await violations(house)).toEqual([]);
  });
});
