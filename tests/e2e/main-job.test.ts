import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBatchArgument, isJsonObject, recordId, type JsonObject } from '@huilian/protocol';
import { verifyEvidence, type Evidence } from '@huilian/sdk';
import { centreIds, huilian, jsonFiles, readJson, root, stateFolder, summaryOf, type Run, type Summary } from './main-job.js';
import { readBlocks, replay, withNode } from './open-state.js';
import { personalHits } from './privacy/scan-state.js';
import type { LedgerBlock } from '../../node/src/core/ports.js';
import type { ReadModel } from '../../node/src/core/indexing/read-model.js';

const state = stateFolder();
let run: Run;
let summary: Summary;
let blocks: readonly LedgerBlock[];
let replayed: ReadModel;

interface StoredRead {
  readonly ticket: string;
  readonly records: readonly { readonly claims: JsonObject }[];
}

const owner = `org:${readJson<{ main: { uscc: string } }>(path.join(root, 'network-config', 'local', 'data', 'bidders.json')).main.uscc}`;

async function refusalCodes(): Promise<string[]> {
  const codes: string[] = [];
  for (const centre of centreIds) {
    await withNode(state.dir, centre, async ({ refusals }) => {
      expect(await refusals.firstBreak(), `refusal log of ${centre}`).toBeUndefined();
      codes.push(...(await refusals.forOwner(owner)).map(({ code }) => code));
    });
  }
  return codes;
}

function fieldsOf(reads: readonly StoredRead[]): number {
  return reads.flatMap(({ records }) => records).flatMap(({ claims }) => Object.values(claims)).reduce<number>((sum, claim) => sum + (isJsonObject(claim) ? Object.keys(claim).length : 0), 0);
}

describe('the main job, run once', () => {
  beforeAll(async () => {
    run = await huilian(['local', 'up', '--once', '--state', state.dir]);
    expect(run.stderr).not.toContain('✗');
    expect(run.code).toBe(0);
    summary = summaryOf(run);
    blocks = await readBlocks(state.dir);
    replayed = await replay(blocks);
  }, 240_000);
  afterAll(async () => {
    const hits = await personalHits(state.dir);
    state.remove();
    expect(hits, 'personal data where none may be').toEqual([]);
  });

  it('published what the blocks hold, and every read model equals a replay', async () => {
    const published = new Set<string>();
    for (const { args, code, function: name } of blocks.flatMap(({ transactions }) => transactions)) {
      if (name !== 'records:publish' || code !== 'VALID') continue;
      const batch = decodeBatchArgument(args[0] as Uint8Array);
      for (const { kind, localId } of batch.headers) {
        const id = recordId(batch.publisher, kind, localId);
        expect(published.has(id), `published twice: ${id}`).toBe(false);
        published.add(id);
      }
    }
    expect(summary.published).toBe(published.size);
    const digest = await replayed.digest();
    for (const centre of centreIds) {
      await withNode(state.dir, centre, async ({ readModel }) => {
        expect(readModel.height()).toBe(blocks.length - 1);
        expect(await readModel.digest(), centre).toBe(digest);
      });
    }
  });

  it('kept exactly the bad rows as dead letters, each with its line and reason', async () => {
    const expected = readJson<{ file: string; line: number; code: string }[]>(path.join(root, 'network-config', 'local', 'data', 'expected-refusals.json'));
    const found: string[] = [];
    for (const centre of centreIds) {
      await withNode(state.dir, centre, async ({ deadLetters }) => {
        for (const { file, line } of await deadLetters.list()) found.push(`${centre}/${String(file)}:${String(line)}`);
      });
    }
    expect(found.sort()).toEqual(expected.map(({ file, line }) => `${file}:${String(line)}`).sort());
    expect(summary.deadLettered).toBe(found.length);
  });

  it('refused what it says, by the refusal logs', async () => {
    const codes = await refusalCodes();
    const count = (...wanted: string[]): number => codes.filter((code) => wanted.includes(code)).length;
    expect(summary.refusedWithoutGrant).toBe(count('GRANT_REQUIRED'));
    expect(summary.refusedAfterCount).toBe(count('GRANT_EXHAUSTED'));
    expect(summary.refusedReplay).toBe(count('REQUEST_NOT_READER'));
    expect(summary.refusedAfterRevocation).toBe(count('GRANT_REVOKED', 'TICKET_ENDED'));
    for (const value of [summary.refusedWithoutGrant, summary.refusedAfterCount, summary.refusedReplay, summary.refusedAfterRevocation]) expect(value).toBeGreaterThan(0);
  });

  it('reused and read the fields that the readers stored, under tickets of the ledger', () => {
    const form = readJson<{ fields: Record<string, { value: unknown; from: { recordId: string } }>; missing: unknown[] }>(path.join(state.dir, 'readers', 'zhuhai-platform', 'registration-form.json'));
    expect(form.missing).toEqual([]);
    expect(Object.keys(form.fields).length).toBe(summary.fieldsReused);
    for (const { from } of Object.values(form.fields)) expect(replayed.record(from.recordId)?.header.subject).toBe(owner);
    const reads = jsonFiles(path.join(state.dir, 'readers', 'sample-bank')).filter((file) => !file.endsWith('evidence.json')).map((file) => readJson<StoredRead>(file));
    expect(fieldsOf(reads)).toBe(summary.fieldsReadByBank);
    for (const { records, ticket } of reads) {
      const granted = replayed.ticket(ticket)?.ticket;
      expect(granted?.reader).toBe('sample-bank');
      for (const { claims } of records) expect(granted?.claims).toEqual(expect.arrayContaining(Object.keys(claims)));
    }
  });

  it('shows a trail of what the ledger and the refusal logs hold', async () => {
    const entries = await replayed.trail(owner);
    expect(summary.trailEntries).toBe(entries.length + (await refusalCodes()).length);
  });

  it('left evidence that verifies from the fingerprint in the blocks, and no altered copy does', async () => {
    const fingerprint = replayed.charter()?.digest ?? '';
    const file = path.join(state.dir, 'readers', 'sample-bank', 'evidence.json');
    const evidence = readJson<Evidence>(file);
    expect((await verifyEvidence(evidence, fingerprint)).ok).toBe(summary.evidenceVerified);
    expect(summary.evidenceVerified).toBe(true);
    const text = JSON.stringify(evidence);
    let refused = 0;
    const places = Array.from({ length: 40 }, (_, index) => Math.floor((text.length * (index + 0.5)) / 40));
    for (const at of places) refused += (await holds(`${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`, fingerprint)) ? 0 : 1;
    expect(refused).toBe(places.length);
    expect(summary.tamperedRefused).toBe(true);
  });

  it('refuses the folder to another ledger, and says which one it belongs to', async () => {
    const other = await huilian(['local', 'up', '--once', '--state', state.dir, '--engine', 'fabric', '--json']);
    expect(other.code).toBe(2);
    const { error } = JSON.parse(other.stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string; details: { path: string; reason: string } } };
    expect({ code: error.code, path: error.details.path }).toEqual({ code: 'BAD_FIELD', path: '--state' });
    expect(error.details.reason).toContain('--engine embedded');
  });

  it('resumes the same folder: nothing is published twice, the walk-through holds again, and then on a newcomer\'s own rows', async () => {
    const own = path.join(state.dir, 'my-entity.csv');
    const [header = '', first = ''] = readFileSync(path.join(root, 'network-config', 'local', 'data', 'guangzhou', 'entity.csv'), 'utf8').split('\n');
    const row = first.replaceAll('91440105MA6NNHC07C', '91440402MA0NMCNFXU').replaceAll('广州溪午示例园林有限公司', '深圳霁月示例园林有限公司');
    writeFileSync(own, `${header}\n${row}\n${row.replaceAll('91440402MA0NMCNFXU', '91440402MA0NMCNFX0')}\n`);
    const again = await huilian(['local', 'up', '--once', '--state', state.dir, '--with', own]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/my-entity\.csv:3 \/\S+ uscc-check-character/);
    expect(again.stdout).toMatch(/without a grant and is refused: GRANT_REQUIRED[^]*its owner revokes; the next read is refused: GRANT_REVOKED/);
    expect((JSON.parse(again.stdout.trimEnd().split('\n').at(-1) ?? '') as { own: object }).own).toMatchObject({ accepted: 1, evidenceVerified: true, refused: 1, rows: 2, unchanged: 0 });
    expect(summaryOf(again)).toMatchObject({ published: summary.published, deadLettered: summary.deadLettered, fieldsReused: summary.fieldsReused, evidenceVerified: true });
  }, 180_000);
});

async function holds(text: string, fingerprint: string): Promise<boolean> {
  try {
    return (await verifyEvidence(JSON.parse(text), fingerprint)).ok;
  } catch {
    return false;
  }
}

describe('a sabotaged step', () => {
  it.each([
    ['grant', 'GRANT_BAD_SIGNATURE'],
    ['payload', 'VAULT_CORRUPT'],
    ['revocation', 'a new read after the revocation'],
  ])('--break %s ends non-zero and says why', async (step, reason) => {
    const folder = stateFolder();
    try {
      const broken = await huilian(['local', 'up', '--once', '--break', step, '--state', folder.dir]);
      expect(broken.code).not.toBe(0);
      expect(broken.stderr).toContain(reason);
    } finally {
      folder.remove();
    }
  }, 180_000);
});
