import { spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, cpSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../e2e/main-job.js';

const dir = mkdtempSync(path.join(tmpdir(), 'huilian release-'));
const prefix = path.join(dir, 'opt');
const version = (JSON.parse(readFileSync(path.join(root, 'node', 'package.json'), 'utf8')) as { version: string }).version;
const unpacked = (arch: string): string => path.join(dir, `huilian-${version}-linux-${arch}`);

interface Result {
  readonly code: number | null;
  readonly output: string;
}

function run(command: string, ...args: readonly string[]): Result {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd: dir, encoding: 'utf8', env: { HOME: dir, PATH: '/usr/bin:/bin:/usr/sbin:/sbin' }, timeout: 120_000 });
  return { code: status, output: stdout + stderr };
}

/** A script where the only network is a loopback of its own. */
function alone(script: string): Result {
  return run('unshare', '--net', '--map-root-user', 'sh', '-euc', `ip link set lo up 2>/dev/null || true\n${script}`);
}

/** Machine an ELF file is for. */
function machineOf(file: string): 'arm64' | 'x64' | undefined {
  const head = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, head, 0, 20, 0);
  closeSync(descriptor);
  return ({ 0x3e: 'x64', 0xb7: 'arm64' } as const)[head.readUInt16LE(18) as 0x3e | 0xb7];
}

const here = process.platform === 'linux' && process.arch === 'x64' && run('unshare', '--net', '--map-root-user', 'true').code === 0;
if (!here) process.stderr.write('SKIPPED: a release is tested on Linux x64 where network namespaces can be made (unshare) / 已跳过：需 Linux x64 且可创建网络命名空间\n');

describe.skipIf(!here)('the offline release', () => {
  beforeAll(() => {
    const built = spawnSync(process.execPath, [path.join(root, 'scripts', 'release.mjs'), '--out', dir, '--json'], { encoding: 'utf8', timeout: 480_000 });
    if (built.status !== 0) throw new Error(built.stdout + built.stderr);
    for (const arch of ['x64', 'arm64']) expect(run('tar', '-xzf', `huilian-${version}-linux-${arch}.tar.gz`).code).toBe(0);
  }, 500_000);
  afterAll(() => {
    rmSync(dir, { force: true, recursive: true });
  });

  it('checksums beside the archives and inside them hold', () => {
    expect(run('sha256sum', '--check', 'SHA256SUMS')).toMatchObject({ code: 0 });
    for (const arch of ['x64', 'arm64']) expect(run('sh', '-c', `cd '${unpacked(arch)}' && sha256sum --check --quiet SHA256SUMS`)).toMatchObject({ code: 0, output: '' });
  });

  it.each(['x64', 'arm64'] as const)('%s: Node.js and the store are of that machine, and no other machine is along', (arch) => {
    const folder = unpacked(arch);
    expect(machineOf(path.join(folder, 'runtime', 'bin', 'node'))).toBe(arch);
    const natives = readdirSync(folder, { recursive: true }).map(String).filter((file) => file.endsWith('.node'));
    expect(natives.length).toBeGreaterThan(0);
    expect([...new Set(natives.map((file) => machineOf(path.join(folder, file))))]).toEqual([arch]);
    for (const name of ['LICENSE', 'NOTICE', 'systemd/huilian-node.service', 'docs/operations/README.md', 'network-config/fabric/core.yaml']) expect(existsSync(path.join(folder, name)), name).toBe(true);
  });

  it('a damaged archive is refused before anything is installed', () => {
    const damaged = path.join(dir, 'damaged');
    cpSync(unpacked('x64'), damaged, { recursive: true });
    appendFileSync(path.join(damaged, 'app', 'node', 'dist', 'main.js'), '\n');
    const { code, output } = alone(`sh '${damaged}/install.sh' --prefix '${prefix}'`);
    expect(code).toBe(1);
    expect(output).toMatch(/CHECKSUM_MISMATCH: .*\n.*[\u4e00-\u9fff]/);
    expect(existsSync(prefix)).toBe(false);
    rmSync(damaged, { recursive: true });
  });

  it('the archive of another machine is refused', () => {
    const { code, output } = alone(`sh '${unpacked('arm64')}/install.sh' --prefix '${prefix}'`);
    expect(code).toBe(1);
    expect(output).toContain('WRONG_ARCHITECTURE');
  });

  it('installs with no network, again without harm, and its program runs', () => {
    const first = alone(`sh '${unpacked('x64')}/install.sh' --prefix '${prefix}'`);
    expect(first, first.output).toMatchObject({ code: 0 });
    expect(alone(`sh '${unpacked('x64')}/install.sh' --prefix '${prefix}'`).output).toContain('installed already');
    const help = alone(`'${prefix}/bin/huilian' --help`);
    expect(help.code).toBe(0);
    expect(help.output).toContain('audit');
  });

  it('a pilot comes up in the empty namespace: ledger, init, node ready', () => {
    const script = `
      cd '${dir}'
      HUILIAN='${prefix}/bin/huilian'
      "$HUILIAN" ledger start --dir ledger --contract '${prefix}/current/app/chaincode/dist/index.js' --org GuangzhouMSP --port 7051 > ledger.log 2>&1 &
      LEDGER=$!
      for _ in $(seq 100); do [ -f ledger/connections/GuangzhouMSP.json ] && break; sleep 0.1; done
      "$HUILIAN" init --state node --member guangzhou --organisation GuangzhouMSP --connection ledger/connections/GuangzhouMSP.json --region 440100 --name-zh 虚构中心 --name-en 'Invented centre' --contact https://centre.invalid --http-port 8480 --exchange-port 8481
      "$HUILIAN" config check --state node
      "$HUILIAN" start --state node > node.log 2>&1 &
      NODE=$!
      READY=no
      for _ in $(seq 100); do "$HUILIAN" status --state node > status.txt 2>/dev/null && READY=yes && break; sleep 0.2; done
      cat status.txt
      kill $NODE; wait $NODE || true
      kill $LEDGER; wait $LEDGER || true
      [ "$READY" = yes ]`;
    const { code, output } = alone(script);
    expect(code, `${output}${readFileSync(path.join(dir, 'node.log'), 'utf8')}`).toBe(0);
    expect(output).toContain('following');
  }, 120_000);

  it('an upgrade keeps the former version, and goes back to it', () => {
    const next = path.join(dir, 'next');
    cpSync(unpacked('x64'), next, { recursive: true });
    writeFileSync(path.join(next, 'VERSION'), '9.9.9\n');
    run('sh', '-c', `cd '${next}' && find . -type f ! -name SHA256SUMS -print0 | xargs -0 sha256sum > SHA256SUMS`);
    expect(alone(`sh '${next}/install.sh' --prefix '${prefix}'`).code).toBe(0);
    expect(readlinkSync(path.join(prefix, 'current'))).toBe('releases/9.9.9');
    expect(alone(`sh '${prefix}/current/install.sh' --prefix '${prefix}' --back`).code).toBe(0);
    expect(readlinkSync(path.join(prefix, 'current'))).toBe(`releases/${version}`);
    expect(alone(`'${prefix}/bin/huilian' --help`).code).toBe(0);
  });
});
