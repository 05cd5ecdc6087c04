import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { postgresqlTest } from '../../node/test/postgresql.js';

const program = fileURLToPath(new URL('../../scripts/bench/dist/main.js', import.meta.url));

function bench(args: readonly string[], env: Readonly<Record<string, string>> = {}, timeout = 20_000): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: { ...process.env, ...env }, timeout });
}

describe('npm run bench', () => {
  it('says what it measures, in two languages, with an example', () => {
    const { status, stdout } = bench(['--help']);
    expect(status).toBe(0);
    for (const id of ['P1', 'P1b', 'P2', 'P3', 'P3b', 'P4', 'P5', 'P6', 'P6b', 'P7', 'P10', 'P10-repeated', 'P11', 'P12', 'P12-command', 'P13', 'P14', 'P15', 'P8-point', 'P8-page', 'P8-aggregate', 'P15-mirror', 'non-interference']) expect(stdout).toContain(id);
    expect(stdout).toMatch(/[\u4e00-\u9fff]/);
    expect(stdout).toContain('npm run bench -- fabric --only');
  });

  it.each([[[]], [['coffee']], [['fabric', '--only', 'P99']], [['fabric', '--records', '1e6']], [['fabric', '--pairs', '0']], [['fabric', '--profile-node']], [['fabric', '--colour']], [['embedded', '--only', 'P1']], [['fabric', '--only', 'P3']]])('refuses %j and starts nothing', (args) => {
    const { status, stderr, stdout } = bench(args);
    expect(status).toBe(2);
    expect(`${stdout}${stderr}`).toMatch(/[\u4e00-\u9fff]/);
  });

  it('says which of Fabric\'s commands are missing, and ends', () => {
    const { status, stderr, stdout } = bench(['fabric'], { FABRIC_BIN: '', PATH: path.dirname(program) });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/FABRIC_BIN.*peer.*未找到/);
  });

  postgresqlTest('measures the data that goes out, on a real PostgreSQL, whose answers are the same', () => {
    const { status, stderr, stdout } = bench(['data', '--quick', '--records', '300', '--pairs', '1'], {}, 400_000);
    // So small, the goals say nothing; that all was measured, and the audit found nothing, does.
    expect(stderr).not.toContain('not measured');
    expect([0, 1]).toContain(status);
    const measures = stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { id: string; value: number; conditions: { records?: number; rows?: number } });
    expect(measures.map(({ id }) => id)).toEqual(['P8-point', 'P8-page', 'P8-aggregate', 'P15', 'P15-mirror', 'intake', 'memory', 'non-interference']);
    for (const { conditions, id, value } of measures) expect([id, value > 0, (conditions.records ?? conditions.rows ?? 0) >= 300]).toEqual([id, true, true]);
  }, 410_000);
});
