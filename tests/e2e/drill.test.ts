import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './main-job.js';

// A small share of `npm run drill`, with fixed seeds; docs/reliability.md has the whole of it.

interface Result {
  readonly drill: string;
  readonly faults: number;
  readonly kills: number;
  readonly skipped?: string;
  readonly violations: readonly string[];
}

async function drill(...args: readonly string[]): Promise<{ readonly code: number | null; readonly results: readonly Result[]; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'drill', 'dist', 'main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const results = args.includes('--json') && stdout !== '' ? (JSON.parse(stdout) as { results: Result[] }).results : [];
  return { code, results, stdout, stderr };
}

// Each drill is processes of its own; most of their time they wait for one another.
describe.concurrent('npm run drill', () => {
  it('kills, faults, races and damages leave nothing lost, doubled, late or silent', async () => {
    const { code, results, stderr } = await drill('--json', '--seed', '7', '--only', 'kills,events,syncs,races,sweep,webhooks', '--kills', '3', '--syncs', '2', '--kills-per-step', '1', '--races', '16', '--stride', '300');
    for (const { drill: name, skipped } of results) if (skipped !== undefined) process.stderr.write(`NOT RUN: ${name}: ${skipped}\n`);
    expect(results.flatMap(({ drill: name, violations }) => violations.map((text) => `${name}: ${text}`)), stderr).toEqual([]);
    expect(code, stderr).toBe(0);
    const kills = results.reduce((sum, result) => sum + result.kills, 0);
    expect(kills).toBe(3 + 5 + 1);
    for (const step of ['E0', 'E1', 'E2', 'E3', 'E4']) expect(results.find((result) => result.drill === `events ${step}`)).toMatchObject({ faults: 4, kills: 1 });
    for (const name of ['races uses', 'races revoked', 'storage flips', 'storage cuts', 'webhooks dead']) expect(results.find((result) => result.drill === name)?.faults, name).toBeGreaterThan(0);
  }, 600_000);

  it('finds a contract that does not read revocations, by its own eyes and by the audit', async () => {
    const { code, results } = await drill('--json', '--plant', 'read-no-revocation', '--seed', '7', '--only', 'races', '--races', '4');
    const found = results.flatMap(({ violations }) => violations);
    expect(code).toBe(1);
    expect(found).toEqual(expect.arrayContaining([expect.stringMatching(/^late: a new read after the revocation/), expect.stringMatching(/ I6 .*expected no ticket after the revocation/)]));
  }, 300_000);

  it('finds a webhook whose position moves before its target took the call', async () => {
    const { code, results } = await drill('--json', '--plant', 'position-before-delivery', '--seed', '7', '--only', 'webhooks', '--kills-per-step', '1');
    const found = results.flatMap(({ violations }) => violations);
    expect(code).toBe(1);
    expect(found).toEqual(expect.arrayContaining([expect.stringMatching(/^I10: webhook fails took nothing since /), expect.stringMatching(/^I10: webhook fails: gap: /)]));
  }, 300_000);

  it('says what it does, in two languages, and refuses what it does not know', async () => {
    const help = await drill('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/--kills[^]*[\u4e00-\u9fff]/);
    for (const args of [['--only', 'coffee'], ['--kills', '-1'], ['--plant', 'weeds'], ['--colour']]) expect((await drill(...args)).code, args.join(' ')).toBe(2);
  }, 30_000);
});
