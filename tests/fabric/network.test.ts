import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FabricNetwork, silentProgress } from '@huilian/fabric-network';
import { root } from '../e2e/main-job.js';
import { fabric, fabricIsHere, networkFolder } from './fabric-command.js';

interface Status {
  readonly chaincode: { readonly version: string; readonly sequence: number } | null;
  readonly processes: readonly { readonly name: string; readonly pid?: number; readonly height?: number }[];
}

const folders = networkFolder();
const dir = folders.at('raft');
const here = fabricIsHere();

async function status(of = dir): Promise<Status> {
  return JSON.parse((await fabric(['status', '--json', '--dir', of])).stdout) as Status;
}

function portOf(of: string, process: string): number {
  const plan = JSON.parse(readFileSync(path.join(of, 'plan.json'), 'utf8')) as { orderers: { name: string; port: number }[] };
  return plan.orderers.find(({ name }) => name === process)?.port ?? 0;
}

/** One that has ended may still wait to be collected by the system's first process. */
function lives(pid: number): boolean {
  const file = `/proc/${String(pid)}/stat`;
  return existsSync(file) && readFileSync(file, 'utf8').split(') ')[1]?.startsWith('Z') !== true;
}

async function hold(port: number): Promise<Server> {
  // The other orderers knock on it too.
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

afterAll(async () => {
  await folders.remove();
}, 60_000);

describe('bad input, with or without Fabric', () => {
  it('names the commands that are missing and says where they are to be had', async () => {
    const empty = path.join(folders.dir, 'empty-path');
    mkdirSync(empty);
    symlinkSync('/bin/true', path.join(empty, 'cryptogen'));
    const run = await fabric(['up', '--json', '--dir', folders.at('missing')], { FABRIC_BIN: empty, PATH: '/bin' });
    expect(run.code).toBe(1);
    const { error } = JSON.parse(run.stdout) as { error: { code: string; cause: string; next: { en: string; zh: string } } };
    expect(error.code).toBe('BINARY_MISSING');
    expect(error.cause).toContain('peer, orderer, configtxgen');
    expect(error.cause).not.toContain('cryptogen');
    expect(error.next.en).toContain('FABRIC_BIN');
    expect(run.stderr).toContain('下一步');
  });

  it.each([
    ['2.4.9', 'raft'],
    ['2.5.4', 'bft'],
  ])('refuses Fabric %s for the profile %s', async (version, profile) => {
    const old = path.join(folders.dir, `old-${profile}`);
    mkdirSync(old);
    for (const name of ['peer', 'orderer', 'cryptogen', 'configtxgen', 'configtxlator', 'osnadmin']) {
      writeFileSync(path.join(old, name), `#!/bin/sh\necho "peer:"\necho " Version: v${version}"\n`, { mode: 0o755 });
    }
    const run = await fabric(['up', '--profile', profile, '--json', '--dir', folders.at(`old-net-${profile}`)], { FABRIC_BIN: old });
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('BINARY_TOO_OLD');
    expect(run.stdout).toContain(version);
  });

  it.each([
    [['fly'], 'USAGE', 2],
    [['up', '--profle', 'raft'], 'USAGE', 2],
    [['status', '--dir', path.join(folders.dir, 'nothing-here')], 'NOT_UP', 1],
  ])('%j ends with %s', async (args, code, exit) => {
    const run = await fabric([...args, '--json']);
    expect(run.code).toBe(exit);
    expect((JSON.parse(run.stdout) as { error: { code: string } }).error.code).toBe(code);
  });
});

describe.skipIf(!here)('a Raft network in one folder', () => {
  beforeAll(async () => {
    const up = await fabric(['up', '--profile', 'raft', '--dir', dir]);
    expect(up.stderr + up.stdout).toContain('network raft is up');
  }, 120_000);

  it('has three orderers, three peers and three chaincode services at one height', async () => {
    const { chaincode, processes } = await status();
    expect(chaincode).toMatchObject({ version: '1', sequence: 1 });
    expect(processes.every(({ pid }) => pid !== undefined)).toBe(true);
    expect(processes.map(({ name }) => name.split('.')[0])).toEqual(['orderer', 'orderer', 'orderer', 'peer0', 'peer0', 'peer0', 'chaincode', 'chaincode', 'chaincode']);
    expect(new Set(processes.filter(({ name }) => !name.startsWith('chaincode')).map(({ height }) => height)).size).toBe(1);
  });

  it('brought up again changes nothing', async () => {
    const before = await status();
    expect((await fabric(['up', '--dir', dir])).code).toBe(0);
    expect(await status()).toEqual(before);
  }, 60_000);

  it('holds one profile: another name for the same folder is refused', async () => {
    const run = await fabric(['up', '--profile', 'bft', '--json', '--dir', dir]);
    expect(run.stdout).toContain('PROFILE_INVALID');
  });

  it('starts what was killed, where it was', async () => {
    const network = await FabricNetwork.open(dir, silentProgress);
    const before = await status();
    for (const name of ['orderer.zhuhai', 'peer0.beijing', 'chaincode.huilian.guangzhou.1']) await network.processes.stop(name, 'SIGKILL');
    expect((await status()).processes.filter(({ pid }) => pid === undefined)).toHaveLength(3);
    expect((await fabric(['up', '--dir', dir])).code).toBe(0);
    const heights = (now: Status): unknown => now.processes.map(({ name, height }) => ({ name, height }));
    expect(heights(await status())).toEqual(heights(before));
  }, 60_000);

  it('says which port is taken, and goes on once it is free', async () => {
    const network = await FabricNetwork.open(dir, silentProgress);
    await network.processes.stop('orderer.zhuhai');
    const port = portOf(dir, 'orderer.zhuhai');
    const other = await hold(port);
    const refused = await fabric(['up', '--json', '--dir', dir]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('PORT_IN_USE');
    expect(refused.stdout).toContain(String(port));
    await new Promise((resolve) => other.close(resolve));
    expect((await fabric(['up', '--dir', dir])).code).toBe(0);
  }, 60_000);

  it('upgrades the chaincode and keeps the state; an interrupted upgrade is finished by the same command', async () => {
    const network = await FabricNetwork.open(dir, silentProgress);
    const interrupted = spawn(process.execPath, [path.join(root, 'scripts', 'fabric', 'dist', 'main.js'), 'deploy', '--version', '2', '--dir', dir], { stdio: 'ignore' });
    const deadline = performance.now() + 30_000;
    while (!existsSync(path.join(dir, 'run', 'chaincode.huilian.zhuhai.2.json')) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    interrupted.kill('SIGKILL');
    expect((await network.committed())?.sequence).toBe(1);
    expect((await fabric(['deploy', '--version', '2', '--dir', dir])).code).toBe(0);
    expect((await status()).chaincode).toMatchObject({ version: '2', sequence: 2 });
    expect((await fabric(['deploy', '--version', '2', '--dir', dir])).code).toBe(0);
    expect((await status()).chaincode).toMatchObject({ version: '2', sequence: 2 });
  }, 120_000);

  it('finishes a join that was interrupted, and lets the centre leave; both can be said twice', async () => {
    const interrupted = spawn(process.execPath, [path.join(root, 'scripts', 'fabric', 'dist', 'main.js'), 'join', '--org', 'shenzhen', '--dir', dir], { stdio: 'ignore' });
    await expect.poll(() => existsSync(path.join(dir, 'run', 'peer0.shenzhen.json')), { interval: 20, timeout: 30_000 }).toBe(true);
    expect(interrupted.exitCode).toBeNull();
    interrupted.kill('SIGKILL');
    for (const _time of [1, 2]) expect((await fabric(['join', '--org', 'shenzhen', '--dir', dir])).code).toBe(0);
    const joined = await status();
    expect(joined.processes.find(({ name }) => name === 'peer0.shenzhen')?.height).toBe(joined.processes.find(({ name }) => name === 'peer0.zhuhai')?.height);
    expect((await fabric(['remove', '--org', 'shenzhen', '--dir', dir])).code).toBe(0);
    expect((await status()).processes.some(({ name }) => name.includes('shenzhen'))).toBe(false);
    const again = await fabric(['remove', '--org', 'shenzhen', '--json', '--dir', dir]);
    expect(again.stdout).toContain('ORGANISATION_UNKNOWN');
  }, 120_000);

  it.each(['peer0.zhuhai', 'orderer.beijing', 'client.guangzhou'])('renews the certificates of %s', async (name) => {
    const run = await fabric(['renew', '--name', name, '--json', '--dir', dir]);
    expect(run.stderr).not.toContain('✗');
    const { renewed } = JSON.parse(run.stdout) as { renewed: string[] };
    expect(renewed.length).toBeGreaterThan(0);
    const { processes } = await status();
    expect(processes.every(({ pid }) => pid !== undefined)).toBe(true);
    // Orders and endorses again: the batching is changed and changed back, each a transaction that every peer takes.
    expect((await fabric(['batching', '--name', 'low-latency', '--dir', dir])).code).toBe(0);
    expect((await fabric(['batching', '--name', 'bulk', '--dir', dir])).code).toBe(0);
  }, 60_000);

  it('mends a half-written identity folder of a run that was killed', async () => {
    const other = folders.at('half');
    const network = await FabricNetwork.open(other, silentProgress, 'raft');
    const half = network.folder.crypto('zhuhai.invalid', 'peer');
    mkdirSync(path.join(half, 'msp'), { recursive: true });
    writeFileSync(path.join(half, 'msp', 'config.yaml'), 'half');
    const down = await fabric(['up', '--dir', other]);
    expect(down.stdout).toContain('network raft is up');
    expect((await fabric(['down', '--remove', '--dir', other])).code).toBe(0);
    expect(existsSync(other)).toBe(false);
  }, 120_000);

  it('takes everything down by process id, and says so when asked twice', async () => {
    const before = await status();
    const run = await fabric(['down', '--json', '--dir', dir]);
    expect((JSON.parse(run.stdout) as { ended: string[] }).ended.length).toBeGreaterThanOrEqual(9);
    expect(before.processes.filter(({ pid }) => lives(pid ?? 0))).toEqual([]);
    expect((await fabric(['down', '--dir', dir])).code).toBe(0);
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);
});
