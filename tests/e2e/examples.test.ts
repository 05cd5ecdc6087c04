import type { ChildProcess } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBank } from '@huilian/example-bank';
import { startBidderPage, type BidderPage } from '@huilian/example-bidder';
import { runPlatform } from '@huilian/example-platform';
import { MemberClient, verifyAcknowledgement, type Ask, type MemberKeys, type PublishAnswer } from '@huilian/sdk';
import { NodeApi } from '../../node/src/adapters/cli/node-api.js';
import { SampleCa } from '../../node/src/composition/local/sample-ca.js';
import { centreIds, huilian, readJson, root, stateFolder } from './main-job.js';
import { endProcess, ledgerArguments, startProcess } from './open-state.js';
import { personalHits } from './privacy/scan-state.js';
import { walkedThrough } from './walked-through.js';

// The three examples against real nodes: a bidder that registers by the command line with its certificate, a platform
// that fills its form, a bank that keeps evidence. The bidder answers through its own page's server.
const state = stateFolder();
const data = path.join(root, 'network-config', 'local', 'data');
const running: ChildProcess[] = [];
const pages: BidderPage[] = [];

function api(centre: string): NodeApi {
  return NodeApi.open(path.join(state.dir, 'nodes', centre));
}

function keysOf(member: string): MemberKeys {
  return readJson<MemberKeys>(path.join(state.dir, 'members', member, 'member-keys.json'));
}

/** A fictional bidder of the sample files that the walk-through did not register: it has credit of its own class and performance. */
function newBidder(): { readonly uscc: string; readonly name: string } {
  const { main, others } = readJson<{ main: { uscc: string }; others: { uscc: string }[] }>(path.join(data, 'bidders.json'));
  const taken = new Set([main, ...others].map(({ uscc }) => uscc));
  const rows = (file: string): Record<string, string>[] => parse(readFileSync(path.join(data, 'guangzhou', file)), { bom: true, columns: true });
  const own = new Set(rows('credit.csv').filter((row) => row['SCOPE'] !== '1').map((row) => row['BODY_CODE']));
  const found = rows('entity.csv').find((row) => !taken.has(row['LEGAL_CODE'] ?? '') && own.has(row['LEGAL_CODE']));
  return { uscc: found?.['LEGAL_CODE'] ?? '', name: found?.['LEGAL_NAME'] ?? '' };
}

async function writeCertificate(folder: string, bidder: { readonly uscc: string; readonly name: string }): Promise<void> {
  const ca = await SampleCa.open(path.join(state.dir, 'sample-ca'));
  const certified = await ca.certify(bidder.uscc, bidder.name);
  const pem = (label: string, der: string): string => `-----BEGIN ${label}-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', certified.privateKey)).toString('base64');
  writeFileSync(path.join(folder, 'certificate.pem'), pem('CERTIFICATE', certified.certificate) + ca.pem);
  writeFileSync(path.join(folder, 'certificate-key.pem'), pem('PRIVATE KEY', key));
}

/** Says yes on the bidder's page: looks at what it shows, then signs exactly that. */
async function sign(page: BidderPage, ask: Ask): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-huilian-page': '1' };
  const shown = (await (await fetch(`${page.url}/api/ask?id=${ask.id}`, { headers })).json()) as { shown: string };
  const signed = await fetch(`${page.url}/api/sign`, { method: 'POST', headers: { ...headers, origin: page.url }, body: JSON.stringify({ id: ask.id, shown: shown.shown }) });
  expect(await signed.text(), 'the page signs').not.toContain('"code"');
}

describe('the examples against real nodes', () => {
  const bidder = newBidder();
  const folder = path.join(state.dir, 'example-bidder');
  let fingerprint = '';

  async function pageAt(centre: string): Promise<BidderPage> {
    const page = await startBidderPage({ nodeUrl: api(centre).url, port: 0, walletFile: path.join(folder, 'wallet.json') });
    pages.push(page);
    return page;
  }

  beforeAll(async () => {
    await walkedThrough(state.dir);
    running.push(await startProcess(ledgerArguments(state.dir)));
    for (const id of centreIds) running.push(await startProcess(['start', '--state', path.join(state.dir, 'nodes', id)]));
    fingerprint = ((await api('beijing').get('/v1/consortium')) as { fingerprint: string }).fingerprint;
    mkdirSync(folder);
    const key = Wallet.createRandom().privateKey;
    writeFileSync(path.join(folder, 'wallet.json'), JSON.stringify({ format: 'huilian-wallet/1', owner: `org:${bidder.uscc}`, unprotectedTestKey: key }));
    writeFileSync(path.join(folder, 'key.txt'), key);
    await writeCertificate(folder, bidder);
  }, 240_000);
  afterAll(async () => {
    for (const page of pages) await page.close();
    for (const child of running.reverse()) await endProcess(child);
    const hits = await personalHits(state.dir);
    state.remove();
    expect(hits, 'personal data where none may be').toEqual([]);
  });

  it('a bidder registers its key by the command line, with its certificate', async () => {
    const file = (name: string): string => path.join(folder, name);
    const run = await huilian([
      'owner', 'register', '--json', '--state', path.join(state.dir, 'nodes', 'guangzhou'), '--owner', `org:${bidder.uscc}`,
      '--wallet', file('key.txt'), '--certificate', file('certificate.pem'), '--certificate-key', file('certificate-key.pem'),
    ]);
    expect(run.stderr).not.toContain('"error"');
    expect(run.code).toBe(0);
    for (const id of centreIds) {
      await expect.poll(async () => await api(id).get(`/v1/owners/org:${bidder.uscc}`).catch(() => undefined), { timeout: 20_000 }).toMatchObject({ owner: `org:${bidder.uscc}` });
    }
  }, 60_000);

  it('a platform in Zhuhai fills its form with what Guangzhou verified', async () => {
    const page = await pageAt('zhuhai');
    const form = await runPlatform({ nodeUrl: api('zhuhai').url, keys: keysOf('zhuhai-platform'), uscc: bidder.uscc, onAsk: async (ask) => { await sign(page, ask); }, waitSeconds: 20 });
    const { filled, missing, total } = form.report;
    expect({ filled, missing }).toEqual({ filled: total, missing: [] });
    expect(form.report.byCentre['guangzhou']).toBeGreaterThan(0);
    expect(form.fields['companyName']).toMatchObject({ value: bidder.name, from: { centre: 'guangzhou', kind: 'entity', standing: 'current' } });
    expect(form.fields['companyCode']).toMatchObject({ value: bidder.uscc });
  }, 60_000);

  it('a bank reads credit and performance and keeps evidence that verifies offline', async () => {
    const page = await pageAt('beijing');
    const evidenceFile = path.join(folder, 'evidence.json');
    const result = await runBank({ nodeUrl: api('beijing').url, keys: keysOf('sample-bank'), uscc: bidder.uscc, application: 'BH-SAMPLE-1', evidenceFile, fingerprint, onAsk: async (ask) => { await sign(page, ask); }, waitSeconds: 20 });
    expect(new Set(result.records.map(({ recordId }) => recordId.split('/')[1]))).toEqual(new Set(['credit', 'performance']));
    expect(result.reports.map(({ ok }) => ok)).toEqual(result.tickets.map(() => true));
    const verified = await huilian(['verify', evidenceFile, '--charter', fingerprint, '--json']);
    expect(verified.code).toBe(0);
    expect((await huilian(['verify', evidenceFile, '--charter', '0'.repeat(64)])).code).toBe(1);
  }, 60_000);

  it('a platform publishes through its centre, and a bank elsewhere reads what is public without a grant', async () => {
    const platform = await MemberClient.connect(api('zhuhai').url, keysOf('zhuhai-platform'), { charterFingerprint: fingerprint });
    const rows: Record<string, string>[] = parse(readFileSync(path.join(data, 'guangzhou', 'credit.csv')), { bom: true, columns: true });
    const row = rows.find((one) => one['SCOPE'] === '1');
    if (row === undefined) throw new Error('a public credit entry');
    const answers: PublishAnswer[] = [];
    for await (const answer of platform.publish([{ kind: 'credit', row }, { kind: 'credit', data: {} }])) answers.push(answer);
    // An acknowledgement may stand before or after the line that was refused: groups form as lines come in.
    const acknowledgements = answers.flatMap((answer) => ('acknowledged' in answer ? [answer.acknowledged] : []));
    const lines = answers.filter((answer) => 'line' in answer);
    expect(lines).toMatchObject([{ line: 1, version: 1 }, { line: 2, code: expect.stringMatching(/^[A-Z_]+$/) as string }]);
    expect(answers.at(-1)).toEqual({ summary: { lines: 2, accepted: 1, unchanged: 0, refused: 1 } });
    const zhuhai = (await platform.member('zhuhai')).document.signingKey;
    expect(acknowledgements.map((jws) => verifyAcknowledgement(jws, 'zhuhai', zhuhai).publisher)).toEqual(['zhuhai']);

    const [accepted] = lines;
    const recordId = accepted !== undefined && 'recordId' in accepted ? accepted.recordId : '';
    const bank = await MemberClient.connect(api('beijing').url, keysOf('sample-bank'), { charterFingerprint: fingerprint });
    await expect.poll(async () => (await bank.record(recordId).catch(() => undefined))?.record.recordId, { timeout: 20_000 }).toBe(recordId);
    const { claims, version } = await bank.readPublic(recordId);
    expect(version).toBe(1);
    expect(JSON.stringify(claims)).toContain(row['BODY_CODE']);
    await expect(MemberClient.connect(api('beijing').url, keysOf('sample-bank'), { charterFingerprint: '0'.repeat(64) }).then(async (other) => await other.consortium())).rejects.toThrow('CHARTER_MISMATCH');
  }, 60_000);

  it('a call repeated under one Idempotency-Key is answered once, and another body under it is refused', async () => {
    const token = readFileSync(path.join(state.dir, 'nodes', 'guangzhou', 'operator-token'), 'utf8').trim();
    const propose = async (name: string): Promise<{ status: number; body: { code?: string; transactionId?: string } }> => {
      const response = await fetch(`${api('guangzhou').url}/v1/governance/propose`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'sample-key-1' },
        body: JSON.stringify({ action: 'code-set', content: { document: { codes: [] }, name, version: 1 }, round: 1 }),
      });
      return { status: response.status, body: (await response.json()) as { code?: string; transactionId?: string } };
    };
    const first = await propose('sample-codes');
    expect(first.status).toBe(200);
    expect(await propose('sample-codes')).toEqual(first);
    expect(await propose('other-codes')).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } });
  }, 30_000);
});
