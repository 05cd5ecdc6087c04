import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beijingDay } from '@huilian/protocol';
import { describe, expect, it } from 'vitest';
import { qualification } from '../../../node/test/sample-lines.js';
import { command } from '../main-job.js';
import type { Centre, RunningConsortium } from '../running-consortium.js';

interface Report {
  readonly late: readonly { readonly member: string; readonly days: number; readonly rows: number }[];
  readonly days: readonly { readonly centre: string; readonly kind: string; readonly day: string; readonly expected?: number; readonly confirmed: number; readonly missing: number; readonly state: string }[];
  readonly documents: readonly { readonly missing: readonly string[] }[];
}

/** Counts declared by commands at one centre, seen by commands at another. */
export function completenessCases(consortium: RunningConsortium): void {
  const state = (centre: Centre): readonly string[] => ['--state', path.join(consortium.dir, 'nodes', centre)];
  const [today, yesterday] = [beijingDay(Date.now() / 1000), beijingDay(Date.now() / 1000 - 86_400)];
  const report = async (...more: readonly string[]): Promise<Report> => (await command<Report>('completeness', '--centre', 'zhuhai', ...more, ...state('beijing'))).answer;

  async function adopt(content: object): Promise<void> {
    const { body } = await consortium.call('guangzhou', 'POST', '/v1/governance/propose', { action: 'rule-set', content, round: 1 }, 'operator');
    await consortium.whenLevel();
    expect((await consortium.call('zhuhai', 'POST', '/v1/governance/approve', { proposal: (body['response'] as { proposal: string }).proposal }, 'operator')).status).toBe(200);
    await consortium.whenLevel();
  }

  describe('completeness', () => {
    it('another centre sees how many rows of a day are missing until they are published, late once the deadline of a vote has passed', async () => {
      const onLedger = async (kind: string): Promise<number> => (await report('--kind', kind, '--from', today)).days.reduce((sum, { confirmed }) => sum + confirmed, 0);
      const expected = (await onLedger('qualification')) + 2;
      // What came today without a declaration makes up for yesterday.
      const came = await onLedger('supervision');
      expect(await command('declare', '--kind', 'qualification', '--expected', String(expected), ...state('zhuhai'))).toMatchObject({ code: 0 });
      expect(await command('declare', '--kind', 'supervision', '--day', yesterday, '--expected', String(came + 3), ...state('zhuhai'))).toMatchObject({ code: 0 });
      const lines = [920001, 920002].map((number) => `${JSON.stringify({ kind: 'qualification', data: qualification(number) })}\n`);
      expect((await consortium.call('zhuhai', 'POST', '/v1/records', lines[0], 'operator')).status).toBe(200);
      await consortium.whenLevel();
      expect((await report('--kind', 'qualification', '--from', today)).days).toMatchObject([{ day: today, expected, confirmed: expected - 1, missing: 1, state: 'waiting' }]);
      await adopt({ document: { default: { days: 0, hour: 0 } }, name: 'completeness', version: 1 });
      expect((await consortium.call('zhuhai', 'POST', '/v1/records', lines[1], 'operator')).status).toBe(200);
      await consortium.whenLevel();

      const csv = path.join(consortium.dir, 'completeness.csv');
      const { days, late } = await report('--late', '--csv', csv);
      expect(days).toMatchObject([{ centre: 'zhuhai', kind: 'supervision', day: yesterday, expected: came + 3, confirmed: came, missing: 3, state: 'late' }]);
      expect(late).toMatchObject([{ member: 'zhuhai', days: 1, rows: 3 }]);
      expect(readFileSync(csv, 'utf8')).toContain(`rows,zhuhai,supervision,${yesterday},${String(came + 3)},,,,${String(came)},3,`);
    }, 60_000);

    it('every centre acknowledged what votes adopted, by itself', async () => {
      await expect.poll(async () => (await consortium.api('beijing').get('/v1/completeness') as Report).documents.flatMap(({ missing }) => missing).filter((member) => ['beijing', 'guangzhou', 'zhuhai'].includes(member)), { timeout: 30_000 }).toEqual([]);
    }, 40_000);
  });
}
