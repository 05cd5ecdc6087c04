import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { OwnerClient, type OpenedAccess, type ReadRecord } from '@huilian/sdk';
import { describe, expect, it } from 'vitest';
import { command, readJson, root } from '../main-job.js';
import type { Centre, RunningConsortium } from '../running-consortium.js';

interface Decided { readonly response: { readonly proposal: string; readonly status: string } }
interface View { readonly kinds: readonly { readonly kind: string; readonly inForce?: number; readonly title: { readonly zh: string; readonly en: string }; readonly claims: readonly { readonly claim: string; readonly personal: boolean }[] }[]; readonly endsSoon: readonly { readonly id: string }[] }
interface Synced { readonly rows: number; readonly accepted: number; readonly unchanged: number; readonly refused: readonly { readonly line: number; readonly problems: readonly { readonly path: string; readonly code: string }[] }[] }

const example = (name: string): string => path.join(root, 'examples', 'kinds', name);

/** A kind that no release brought along: proposed, voted, synced, granted, read, proved, carried over to its next version. */
export function catalogueCases(consortium: RunningConsortium): void {
  const state = (centre: Centre): readonly string[] => ['--state', path.join(consortium.dir, 'nodes', centre)];
  const at = (name: string): string => path.join(consortium.dir, name);
  const kind = 'forest-right';
  const beijing = (): readonly string[] => ['--node', consortium.api('beijing').url];

  async function adopt(...proposal: readonly string[]): Promise<void> {
    const proposed = await command<Decided>('governance', 'propose', ...proposal, ...state('guangzhou'));
    expect(proposed, JSON.stringify(proposed.error)).toMatchObject({ code: 0, answer: { response: { status: 'open' } } });
    await consortium.whenLevel();
    const approved = await command<Decided>('governance', 'approve', proposed.answer.response.proposal, ...state('zhuhai'));
    expect(approved, JSON.stringify(approved.error)).toMatchObject({ code: 0, answer: { response: { status: 'adopted' } } });
    await consortium.whenLevel();
  }

  async function syncedRecords(): Promise<readonly { readonly recordId: string; readonly header: { readonly schema: number; readonly version: number } }[]> {
    await consortium.whenLevel();
    return ((await consortium.api('beijing').get(`/v1/records?kind=${kind}&publisher=guangzhou`)) as { items: { recordId: string; header: { schema: number; version: number } }[] }).items;
  }

  describe('a kind that only a vote added', () => {
    const sync = async (): ReturnType<typeof command<Synced>> => await command<Synced>('sync', '--kind', kind, example('forest-right.csv'), ...state('guangzhou'));

    it('is refused where its document is hostile, or names codes that nobody adopted', async () => {
      const document = readJson<{ properties: Record<string, { properties: Record<string, object> }> }>(example('forest-right-1.json'));
      const hostile = structuredClone(document);
      Object.assign(hostile.properties['parcel']?.properties['place'] as object, { pattern: '^(a{1,99}){1,99}$' });
      writeFileSync(at('hostile.json'), JSON.stringify(hostile));
      expect(await command('governance', 'propose', 'schema', at('hostile.json'), ...state('guangzhou'))).toMatchObject({ code: 1, error: { code: 'SCHEMA_INVALID', details: { reason: 'pattern' } } });
      expect(await command('governance', 'propose', 'schema', example('forest-right-1.json'), ...state('guangzhou'))).toMatchObject({ code: 1, error: { code: 'PROPOSAL_INVALID', details: { reason: 'code-set-unknown' } } });
    });

    it('is taken in after the vote, not before, each row by its schema, codes and checks', async () => {
      await adopt('code-set', example('forest-type.json'), '--name', 'forest-type');
      const before = await sync();
      expect(before.answer.refused.map(({ problems }) => problems[0]?.code)).toEqual(['not-adopted', 'not-adopted', 'not-adopted', 'not-adopted']);
      await adopt('schema', example('forest-right-1.json'));
      const { answer } = await sync();
      expect(answer).toMatchObject({ rows: 4, accepted: 2, unchanged: 0 });
      // Firewood forest is a type no more since July 2020; a contract has an end.
      expect(answer.refused.map(({ line, problems }) => [line, problems.map(({ code, path: place }) => `${place} ${code}`)])).toEqual([
        [4, ['/parcel/forestType forest-type-given-no-more']],
        [5, ['/right/end required']],
      ]);
      expect((await sync()).answer).toMatchObject({ accepted: 0, unchanged: 2 });
      expect((await syncedRecords()).map(({ header }) => header.schema)).toEqual([1, 1]);
    });

    it('stands in the catalogue of every centre, with its titles', async () => {
      const { answer } = await command<View>('catalogue', ...state('beijing'));
      expect(answer.kinds.find((entry) => entry.kind === kind)).toMatchObject({ inForce: 1, title: { zh: '林权', en: 'Forest right' } });
      expect(answer.kinds.find((entry) => entry.kind === kind)?.claims.filter(({ personal }) => personal).map(({ claim }) => claim)).toEqual(['contact']);
    });

    it('is granted by its owner in words, read by a bank at another centre, and proved offline', async () => {
      const id = await recordWithDeal();
      const owner = path.join(consortium.dir, 'owners', consortium.owner.slice(4), 'key.txt');
      const granted = await command('grant', '--wallet', owner, '--owner', consortium.owner, '--grantee', 'sample-bank', '--claims', `${kind}/parcel,${kind}/right`, '--purpose', 'guarantee-assessment', '--uses', '1', '--days', '1', '--out', at('forest-grant.json'), '--yes', ...beijing());
      expect(granted, JSON.stringify(granted.error)).toMatchObject({ code: 0, answer: { signed: true } });
      const reader = ['--member-keys', path.join(consortium.dir, 'members', 'sample-bank', 'member-keys.json'), ...beijing()];
      const read = async (claims: string): ReturnType<typeof command<{ ticket: string; records: ReadRecord[] } & Partial<OpenedAccess>>> => await command('access', ...reader, '--record', id, '--claims', claims, '--purpose', 'guarantee-assessment', '--grant', at('forest-grant.json'));
      expect(await read('contact')).toMatchObject({ code: 1, error: { code: 'GRANT_CLAIM_NOT_COVERED' } });
      const { answer, code } = await read('parcel,right');
      expect(code).toBe(0);
      expect(answer.records[0]?.claims).toMatchObject({ parcel: { area: '126.50', forestType: '120', species: '荔枝' }, right: { type: 'contract', end: '2051-03-31' } });
      expect(await command('evidence', answer.ticket, ...reader, '--out', at('forest-evidence.json'))).toMatchObject({ code: 0 });
      const { fingerprint } = await consortium.consortium();
      expect(await command('verify', at('forest-evidence.json'), '--charter', fingerprint)).toMatchObject({ code: 0, answer: { ok: true } });
    });

    it('stands in the view of its owner, who may speak of a claim of it, and fills a form of its reader', async () => {
      const { owner } = consortium;
      const client = OwnerClient.connect(consortium.api('zhuhai').url, owner, consortium.walletOf(consortium.signer(owner)), { patienceSeconds: 0 });
      const id = await recordWithDeal();
      const before = await client.view({ kind });
      const thing = before.things.find(({ records }) => records.some(({ recordId }) => recordId === id));
      expect([before.refused, thing?.key, thing?.claims.map(({ claim }) => claim)]).toEqual([[], { 'certificate.number': 'LQ-440105-000117', 'parcel.code': '440105JC00117' }, expect.arrayContaining(['certificate', 'contact', 'parcel', 'right'])]);
      await client.state({ record: id, version: 1, digest: thing?.records[0]?.digest ?? '', claims: ['parcel'], verdict: 'confirm', reason: 'checked' });
      await consortium.whenLevel();
      // Without a kind named: all kinds together, those of votes among them.
      const after = (await client.view()).things.filter((entry) => entry.kind === kind).flatMap(({ claims }) => claims).filter(({ claim }) => claim === 'parcel').flatMap(({ alternatives }) => alternatives.flatMap(({ from }) => from));
      expect(after.find(({ recordId }) => recordId === id)).toMatchObject({ verdict: 'confirm' });
      await expect(client.view({ kind: 'no-such-kind' })).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
      const map = { format: 'field-map/1', form: 'invented', fields: { area: { from: [`${kind}/parcel.area`] } } };
      const platform = await consortium.client('zhuhai-platform');
      await platform.checkFieldMap(map);
      await expect(platform.checkFieldMap({ ...map, fields: { depth: { from: [`${kind}/parcel.depth`] } } })).rejects.toMatchObject({ code: 'BAD_FIELD' });
      expect((await platform.prefill(owner, [], map)).report.missing).toEqual([{ field: 'area', why: 'not-granted' }]);
    });

    it('has words in no wallet that was not told of it', async () => {
      await expect(consortium.grant({ claims: [`${kind}/parcel`] })).rejects.toMatchObject({ code: 'WALLET_UNREADABLE' });
    });

    async function recordWithDeal(): Promise<string> {
      const { items } = (await consortium.api('guangzhou').get(`/v1/records?kind=${kind}`)) as { items: { recordId: string }[] };
      const naturalKey = ['LQ-440105-000117', '440105JC00117'];
      const course = (await consortium.api('guangzhou').post('/v1/doctor/records', { kind, naturalKey })) as { recordId: string };
      expect(items.map(({ recordId }) => recordId)).toContain(course.recordId);
      return course.recordId;
    }
  });

  describe('the next version of a kind', () => {
    it('takes over from its day on, and records of before stay as they were', async () => {
      await adopt('schema', example('forest-right-2.json'));
      const { answer } = await command<View>('catalogue', ...state('guangzhou'));
      expect(answer.kinds.find((entry) => entry.kind === kind)?.inForce).toBe(2);
      expect((await syncedRecords()).map(({ header }) => header.schema)).toEqual([1, 1]);
    });

    it('is reached by a migration that loses nothing: one that would is refused', async () => {
      const migration = readJson<{ dropped: object; fields: Record<string, unknown> }>(example('forest-right-1-to-2.json'));
      writeFileSync(at('lossy.json'), JSON.stringify({ ...migration, dropped: {} }));
      expect(await command('governance', 'propose', 'migration', at('lossy.json'), ...state('guangzhou'))).toMatchObject({ code: 1, error: { code: 'PROPOSAL_INVALID', details: { reason: 'field-lost', path: 'remarks.text' } } });
      const migrate = async (...more: readonly string[]): ReturnType<typeof command<{ records: number; accepted: number; refused: readonly unknown[] }>> => await command('migrate', '--kind', kind, '--from', '1', '--to', '2', ...more, ...state('guangzhou'));
      expect(await migrate()).toMatchObject({ code: 1, error: { code: 'MIGRATION_UNKNOWN' } });
      await adopt('migration', example('forest-right-1-to-2.json'));
      expect(await migrate('--dry-run')).toMatchObject({ code: 0, answer: { records: 2, accepted: 2, refused: [] } });
      expect((await syncedRecords()).map(({ header }) => header.schema)).toEqual([1, 1]);
      // A piece says where the next one begins; the last says nothing.
      const piece = async (after?: string): Promise<{ readonly records: number; readonly next?: string }> => (await consortium.call('guangzhou', 'POST', '/v1/migrations', { kind, from: 1, to: 2, dryRun: true, limit: 1, ...(after === undefined ? {} : { after }) }, 'operator')).body as { records: number; next?: string };
      const ids = (await syncedRecords()).map(({ recordId }) => recordId).sort();
      expect([await piece(), await piece(ids[0]), await piece(ids[1])]).toMatchObject([{ records: 1, next: ids[0] }, { records: 1, next: ids[1] }, { records: 0 }]);
      expect(await migrate()).toMatchObject({ code: 0, answer: { records: 2, accepted: 2, refused: [] } });
      expect((await syncedRecords()).map(({ header }) => [header.schema, header.version])).toEqual([[2, 2], [2, 2]]);
      expect(await migrate()).toMatchObject({ code: 0, answer: { records: 0, accepted: 0 } });
    });

    it('ends by a vote: every node warns before, and takes nothing under it afterwards', async () => {
      const day = 86_400_000;
      const soon = new Date(Date.now() + 2 * day).toISOString().slice(0, 10);
      await adopt('retire', `schema/${kind}/1`, '--retires', soon);
      const { findings } = (await consortium.api('beijing').get('/v1/doctor')) as { findings: { check: string; level: string; en: string }[] };
      expect(findings.find(({ check }) => check === 'catalogue')).toMatchObject({ level: 'warn', en: expect.stringContaining(`${kind}/1`) as string });
      const metrics = await (await fetch(`${consortium.api('beijing').url}/metrics`, { headers: { authorization: `Bearer ${consortium.metricsToken('beijing')}` } })).text();
      expect(Number(/huilian_catalogue_end_seconds\{of="schema"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(Date.now() / 1000);
      const { items } = (await consortium.api('beijing').get('/v1/events?after=start&type=huilian.schema.retiring')) as { items: { data: Record<string, unknown> }[] };
      expect(items.map(({ data }) => [data['kind'], data['version']])).toEqual([[kind, 1]]);
      expect(readFileSync(path.join(consortium.dir, 'logs', 'beijing.log'), 'utf8')).not.toContain('"level":"error"');
      // A day that has passed means at once.
      await adopt('retire', `schema/${kind}/1`, '--retires', '2020-01-01');
      writeFileSync(at('old-version.ndjson'), `${JSON.stringify({ kind, schema: 1, data: {} })}\n`);
      const refused = await command<{ refused: { refused: { code: string }[] }[] }>('publish', at('old-version.ndjson'), ...state('guangzhou'));
      expect(refused.answer.refused[0]?.refused[0]?.code).toBe('SCHEMA_RETIRED');
      expect((await syncedRecords())).toHaveLength(2);
    });
  });
}
