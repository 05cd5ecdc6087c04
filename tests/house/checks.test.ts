// The checks of docs and tracked files find what they are for, in small work trees made for them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDocLinks } from '../../scripts/check-doc-links.mjs';
import { checkTrackedFiles } from '../../scripts/check-tracked-files.mjs';

let tree: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

beforeEach(() => {
  tree = mkdtempSync(join(realpathSync(tmpdir()), 'checks-'));
  expect(spawnSync('git', ['init', '--quiet'], { cwd: tree }).status).toBe(0);
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

describe('links of the docs', () => {
  const linked = (link: string): string[] => {
    write('docs/other.md', '# Other\n\n## 授权 Grant\n\n## `open` twice\n\n## open twice\n\n<a id="by-hand"></a>\n');
    write('docs/page.md', `# Page\n\n${link}\n`);
    return checkDocLinks(tree);
  };

  it.each([
    '[a](other.md)', '[a](./other.md#other)', '[a](other.md#授权-grant)', '[a](other.md#%E6%8E%88%E6%9D%83-grant)', '[a](#page)', '[a](../docs)',
    '[a](other.md#open-twice-1)', '[a](other.md#by-hand)', '[a](other.md "title")', '[a](https://example.org/gone)', '[a](mailto:nobody@example.org)',
    '[a][b]\n\n[b]: other.md', '`[a](gone.md)`', '```text\n[a](gone.md)\n```', '<img src="other.md">',
  ])('follows %s', (link) => expect(linked(link)).toEqual([]));

  it.each([
    ['[a](gone.md)', 'no such file'],
    ['![a](gone.png)', 'no such file'],
    ['[a](other.md#gone)', 'no such heading'],
    ['[a](#gone)', 'no such heading'],
    ['[a](other.md#open-twice-2)', 'no such heading'],
    ['[a][b]\n\n[b]: gone.md', 'no such file'],
    ['<img src="gone.png">', 'no such file'],
    ['[a](/docs/other.md)', 'not from the root'],
    ['[a](../../elsewhere.md)', 'leads out'],
    ['```text\nnever closed', 'never closed'],
    ['```mermaid\nflowchrt LR\n```', 'no known diagram'],
    ['```mermaid\n```', 'no known diagram'],
  ])('stops at %s: %s', (link, why) => expect(linked(link)).toEqual([expect.stringMatching(new RegExp(`^docs/page\\.md:\\d+: .*${why}`))]));

  it('knows diagrams, after comments too', () => {
    expect(linked('```mermaid\n%% who signs what\nsequenceDiagram\n  a->>b: x\n```')).toEqual([]);
  });

  it('names the line', () => {
    expect(linked('one\n\n[a](gone.md)')).toEqual(['docs/page.md:5: gone.md: no such file']);
  });
});

describe('tracked files', () => {
  const HOST = ['registry', 'npmjs', 'org'].join('.');
  const SLASH = '/';

  it('of a clean tree are found clean', () => {
    write('node/src/core/vault/seal-payload.ts', "export const path = 'docs/work/plan';\nconst head = '-----BEGIN PRIVATE KEY-----';\nexport { head };\n");
    write('docs/page.md', 'See https://example.org/home/user/page and http://127.0.0.1:8080/work/1.\n');
    write('node_modules/x/index.js', 'ignored');
    write('.gitignore', 'node_modules/\n');
    expect(checkTrackedFiles(tree)).toEqual([]);
  });

  it.each([
    ['a.md', `cd ${SLASH}home/someone/huilian`, 'path of one machine'],
    ['a.ts', `export const a = '${SLASH}root/x';`, 'path of one machine'],
    ['a.json', `{ "at": "${['C:', 'Users', 'someone'].join('\\\\')}" }`, 'path of one machine'],
    ['package-lock.json', `{ "resolved": "https${':'}${SLASH}/${HOST}/a.tgz" }`, 'host of a package registry'],
    ['.npmrc', `registry=https${':'}${SLASH}/example.org/npm`, 'host of a package registry'],
    ['a.txt', `-----BEGIN EC PRIVATE KEY-----\n${'MHcCAQEE'.repeat(8)}\n`, 'private key'],
    ['a.txt', `AKIA${'A1'.repeat(8)}`, 'access token'],
    ['.npmrc', ['_auth', 'Token=x'].join(''), 'access token'],
    ['a.yaml', `url: postgres:${SLASH}/centre:secret@db.example.org/x`, 'password in an address'],
    ['a.ts', `// ${'TO'}${'DO'} later`, 'mark of unfinished work'],
    ['a.test.ts', `it.${'only'}('x', () => {});`, 'test that silences the others'],
    ['node/src/core/sealPayload.ts', '', 'not kebab-case'],
    ['node/src/core/utils/seal.ts', '', 'says nothing'],
    ['node/src/core/key-manager.ts', '', 'says nothing'],
    ['node/dist/main.js', '', 'build output'],
    ['node/member.key', '', 'key or environment file'],
    ['.env', '', 'key or environment file'],
    ['big.json', ' '.repeat((1 << 20) + 1), 'bytes is more than'],
  ])('%s: %s', (path, text, what) => {
    write(path, text);
    expect(checkTrackedFiles(tree)).toEqual([expect.stringMatching(new RegExp(`^${path}(:\\d+)?: .*${what}`))]);
  });

  it('never name the very folder they stand in', () => {
    write('a.md', `built in ${tree}/docs\n`);
    expect(checkTrackedFiles(tree)).toEqual(['a.md:1: path of this machine']);
  });
});
