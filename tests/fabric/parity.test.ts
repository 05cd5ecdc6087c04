import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playOnFabric } from '../parity/play-on-fabric.js';
import { fabricIsHere, networkFolder } from './fabric-command.js';

const folders = networkFolder();
const here = fabricIsHere();
const given = process.env['PARITY_NETWORK'];
const schedules = Number(process.env['PARITY_SCHEDULES'] ?? '20');
const seed = Number(process.env['PARITY_SEED'] ?? '1');
const work = mkdtempSync(path.join(tmpdir(), 'huilian-parity-'));

beforeAll(() => {
  expect([schedules, seed].every((number) => Number.isSafeInteger(number) && number > 0), 'PARITY_SCHEDULES and PARITY_SEED are positive numbers').toBe(true);
});

afterAll(async () => {
  await folders.remove();
  rmSync(work, { recursive: true, force: true });
}, 60_000);

describe.skipIf(!here)('the embedded ledger beside Hyperledger Fabric', () => {
  it(`answers as Fabric does on ${String(schedules)} schedules`, async () => {
    const { differences } = await playOnFabric({ dir: given === undefined ? folders.at('parity') : path.dirname(given), work, schedules, seed, summary: process.env['PARITY_SUMMARY'] || undefined, progress: process.env['PARITY_PROGRESS'] !== undefined });
    expect(differences).toEqual([]);
  }, 120_000 + schedules * 10_000);
});
