// The code rules bite where they must, and only there: small texts, linted as if they stood in the house.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

const house = fileURLToPath(new URL('../..', import.meta.url));
// The texts are in no project of the compiler; rules that need its types are not what this test is about.
const lint = new ESLint({
  cwd: house,
  overrideConfig: [tseslint.configs.disableTypeChecked, { languageOptions: { parserOptions: { projectService: false } } }],
});

async function rulesBroken(path: string, text: string): Promise<string[]> {
  const [result] = await lint.lintText(text, { filePath: join(house, path) });
  return result?.messages.map(({ ruleId, message }) => ruleId ?? message) ?? [];
}

const RULE = 'chaincode/src/rules/access/open.ts';
const PROTOCOL = 'sdk/protocol/src/record/header.ts';

describe('a rule of the ledger', () => {
  it.each([
    ['the clock', 'export const at = (): number => Date.now();'],
    ['the clock, made anew', 'export const at = (): unknown => new Date();'],
    ['chance', 'export const pick = (): number => Math.random();'],
    ['chance from crypto', 'export const id = (): string => crypto.randomUUID();'],
    ['the network', "export const get = (): unknown => fetch('x');"],
    ['a timer', 'export const later = (f: () => void): unknown => setTimeout(f, 1);'],
    ['the environment', "export const mode = (): unknown => process.env['MODE'];"],
    ['the world by its long name', 'export const at = (): unknown => globalThis.Date;'],
    ['a locale', 'export const show = (n: number): string => n.toLocaleString();'],
    ['a locale for capitals', 'export const up = (s: string): string => s.toLocaleUpperCase();'],
    ['an order by locale', 'export const order = (a: string, b: string): number => a.localeCompare(b);'],
    ['a locale object', 'export const f = (): unknown => new Intl.NumberFormat();'],
  ])('cannot see %s, nor can the protocol', async (_what, text) => {
    for (const path of [RULE, PROTOCOL]) {
      expect(await rulesBroken(path, text)).toContainEqual(expect.stringMatching(/^no-restricted-(globals|properties|syntax)$/));
    }
    expect(await rulesBroken('node/src/adapters/http/server.ts', text)).toEqual([]);
  });

  it('keeps no state between calls', async () => {
    const text = 'let seen = 0;\nexport const count = (): number => (seen += 1);';
    expect(await rulesBroken(RULE, text)).toEqual(['no-restricted-syntax']);
    expect(await rulesBroken('chaincode/src/contracts/access.ts', text)).toEqual(['no-restricted-syntax']);
  });

  it('may do what is the same everywhere', async () => {
    expect(await rulesBroken(RULE, 'export const sum = (a: bigint, b: bigint): bigint => a + b;')).toEqual([]);
  });
});

describe('everywhere', () => {
  it('default exports are refused', async () => {
    expect(await rulesBroken('node/src/core/vault/seal-payload.ts', 'export default 1;')).toEqual(['no-restricted-syntax']);
    expect(await rulesBroken(RULE, 'export default 1;')).toEqual(['no-restricted-syntax']);
  });

  it('exports of a package state their types', async () => {
    expect(await rulesBroken('node/src/core/vault/seal-payload.ts', 'export function seal(a) { return a; }')).toContain('@typescript-eslint/explicit-module-boundary-types');
  });

  it('more than fifteen ways through one function are too many', async () => {
    const ways = (count: number): string =>
      `export function choose(n: number): number {\n${Array.from({ length: count - 1 }, (_, i) => `  if (n === ${i}) return ${i};`).join('\n')}\n  return -1;\n}`;
    expect(await rulesBroken('node/src/core/vault/seal-payload.ts', ways(15))).toEqual([]);
    expect(await rulesBroken('node/src/core/vault/seal-payload.ts', ways(16))).toEqual(['complexity']);
  });

  it('a comment cannot switch a rule off', async () => {
    const broken = await rulesBroken('node/src/core/vault/seal-payload.ts', '/* eslint-disable no-restricted-syntax */\nexport default 1;');
    expect(broken).toContain('no-restricted-syntax');
  });

  it('imports that decorators need stay imports of values', async () => {
    const text = "import { Context } from 'fabric-contract-api';\nexport function read(context: Context): void {\n  void context;\n}";
    expect(await rulesBroken('chaincode/src/contracts/access.ts', text)).toEqual([]);
    expect(await rulesBroken('node/src/adapters/http/server.ts', text)).toEqual([]);
  });
});
