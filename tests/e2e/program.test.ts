import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './main-job.js';

// The program as users start it: a few files made by the build, and compiled code that is kept between starts.

const bin = path.join(root, 'node', 'bin', 'huilian.js');
const program = path.join(root, 'node', 'dist', 'program');
let work = '';
let state = '';
beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), 'huilian-program-'));
  state = path.join(work, 'state');
  mkdirSync(state);
  writeFileSync(path.join(state, 'huilian.json'), JSON.stringify({ memberId: 'guangzhou', ledger: { connection: 'connection.json' } }));
});
afterAll(() => {
  rmSync(work, { force: true, recursive: true });
});

/** `config check` in an environment of its own; answers what it printed. */
function check(environment: Readonly<Record<string, string>>, ...flags: readonly string[]): string {
  const run = spawnSync(process.execPath, [...flags, bin, 'config', 'check', '--json', '--state', state], { encoding: 'utf8', env: environment });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  return run.stdout;
}

/** Files under a folder; none where there is no such folder. */
function filesIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length : 0;
}

describe('compiled code', () => {
  it('is kept where this user alone can write, and a start from it says the same', () => {
    const home = path.join(work, 'home');
    mkdirSync(home);
    const first = check({ HOME: home });
    const kept = path.join(home, '.cache', 'huilian', 'compiled');
    expect(filesIn(kept)).toBeGreaterThan(0);
    expect(statSync(kept).mode & 0o777).toBe(0o700);
    expect(check({ HOME: home })).toBe(first);
    expect(JSON.parse(first)).toMatchObject({ memberId: 'guangzhou', http: { port: 8480 } });
  });

  it('goes into the cache of a service where it has one, else where XDG says', () => {
    const [service, desktop] = [path.join(work, 'service'), path.join(work, 'desktop')];
    check({ CACHE_DIRECTORY: service, XDG_CACHE_HOME: desktop, HOME: work });
    expect([filesIn(path.join(service, 'compiled')) > 0, filesIn(desktop)]).toEqual([true, 0]);
    check({ XDG_CACHE_HOME: desktop, HOME: work });
    expect(filesIn(path.join(desktop, 'huilian', 'compiled'))).toBeGreaterThan(0);
  });

  it('is neither kept nor used where others could write it, where it is turned off, or where nothing can be written', () => {
    const open = path.join(work, 'open');
    mkdirSync(path.join(open, 'compiled'), { recursive: true });
    chmodSync(path.join(open, 'compiled'), 0o777);
    check({ CACHE_DIRECTORY: open, HOME: work });
    const off = path.join(work, 'off');
    check({ CACHE_DIRECTORY: off, HOME: work, NODE_DISABLE_COMPILE_CACHE: '1' });
    expect([filesIn(open), filesIn(off)]).toEqual([0, 0]);
    const file = path.join(work, 'a-file');
    writeFileSync(file, '');
    check({ CACHE_DIRECTORY: file, HOME: work });
  });
});

describe('the program', () => {
  it('loads for a command what that command needs', () => {
    const list = path.join(work, 'loaded.txt');
    const recorder = path.join(work, 'recorder.mjs');
    writeFileSync(recorder, `import { registerHooks } from 'node:module';\nimport { appendFileSync } from 'node:fs';\nregisterHooks({ load(url, context, next) { if (url.startsWith('file:')) appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });\n`);
    check({ HOME: work }, `--import=${recorder}`);
    const loaded = readFileSync(list, 'utf8').trim().split('\n').map((url) => path.relative(root, fileURLToPath(url))).filter((file) => !file.startsWith('..'));
    expect(loaded).toContain('node/dist/program/lifecycle-commands.js');
    expect(loaded.length).toBeLessThan(40);
    expect(loaded.filter((file) => /run-node|peer-gateway|publish-commands|node_modules/.test(file))).toEqual([]);
  });

  it('has an entry for each thread and process of its own, and names the licences of what is in it', () => {
    for (const entry of ['main.js', 'examine-thread.js', 'sandbox-node.js']) expect(existsSync(path.join(program, entry))).toBe(true);
    const licences = readFileSync(path.join(program, 'LICENSES.txt'), 'utf8');
    for (const name of ['@nestjs/core', 'fastify', 'libp2p', 'ethers', '@grpc/grpc-js', 'nest-commander']) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(readdirSync(program).filter((file) => file.endsWith('.js')).map((file) => readFileSync(path.join(program, file), 'utf8')).some((text) => text.includes(root))).toBe(false);
  });
});
