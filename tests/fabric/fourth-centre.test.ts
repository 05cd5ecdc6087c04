import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkFolder, takeDown } from '@huilian/fabric-network';
import { root, stateFolder, type Run } from '../e2e/main-job.js';
import { fabricIsHere, runProgram } from './fabric-command.js';

const state = stateFolder();
const consortium = path.join(state.dir, 'consortium');
let demonstration: ChildProcess | undefined;

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await end;
}

describe.skipIf(!fabricIsHere())('the guide for a fourth centre', () => {
  let guide: Run;

  beforeAll(async () => {
    const args = [path.join(root, 'node', 'bin', 'huilian.js'), 'local', 'up', '--engine', 'fabric', '--profile', 'raft', '--state', consortium];
    const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    demonstration = running;
    await new Promise<void>((resolve, reject) => {
      let output = '';
      running.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('Ctrl-C stops')) resolve();
      });
      running.once('exit', () => {
        reject(new Error(`the demonstration ended: ${output.slice(-2000)}`));
      });
    });
    guide = await runProgram(process.execPath, [path.join(root, 'scripts', 'run-guide.mjs'), path.join(root, 'docs', 'operations', 'join.md')], {
      CONSORTIUM: consortium,
      CENTRE: path.join(state.dir, 'shenzhen'),
      HTTP_PORT: '18490',
      EXCHANGE_PORT: '18491',
    });
  }, 240_000);

  afterAll(async () => {
    if (demonstration !== undefined) await ended(demonstration);
    await takeDown(new NetworkFolder(path.join(consortium, 'ledger')), true);
    state.remove();
  }, 60_000);

  it('runs to its end as it stands', () => {
    expect(guide.stderr + guide.stdout.slice(-2000)).toContain('ShenzhenMSP');
    expect(guide.code).toBe(0);
  });

  it('the new centre reads history', () => {
    expect(guide.stdout).toMatch(/guangzhou\/\w+\/[a-z2-7]{26}/);
  });

  it('the new centre reads a record from another centre', () => {
    expect(guide.stdout).toMatch(/"presentation":"ey[\w-]+\.[\w-]+\.[\w-]+~/);
  });

  it('another centre finds what the new one published', () => {
    expect(guide.stdout).toMatch(/shenzhen\/entity\/[a-z2-7]{26} {2}v1 {2}org:91440402MA0NMCNFXU/);
  });
});
