// The bidder's page in a real browser, before a node that keeps what it is given: words, signature, refusals, other sites.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWallet, startBidderPage, type BidderPage } from '@huilian/example-bidder';
import { domainOf, verifyGrantSignature, verifyOwnerStatement, verifyRevocationSignature } from '@huilian/protocol';
import type { Ask } from '@huilian/sdk';
import { chromium as playwright, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromium } from '../../scripts/ensure-chromium.mjs';
import { startStubNode, type StubNode } from './stub-node.js';

// The first run on a machine installs the browser.
const FIRST_RUN_MS = 300_000;
// Invented: the private key is 1, whose address every textbook has.
const testKey = `0x${'0'.repeat(63)}1`;
const testKeyId = '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf';
const owner = 'org:91440101MA5CK8T02A';
const domain = domainOf({ chaincode: 'huilian', channel: 'huilian', charter: 'a'.repeat(64), founding: 'b'.repeat(64) });
const bank = { document: { id: 'sample-bank', kind: 'institution', name: { zh: '示例银行（虚构）', en: 'Sample Bank (invented)' } } };
const centre = { document: { id: 'centre-a', kind: 'centre', name: { zh: '示例交易中心甲（虚构）', en: 'Sample Centre A (invented)' } } };
const ask: Ask = {
  id: 'a'.repeat(26),
  owner,
  grantee: 'sample-bank',
  claims: ['credit/finding', 'performance/contract'],
  purpose: 'guarantee-assessment',
  reference: `0x${'c'.repeat(64)}`,
  // 2030-01-01 08:00 to 2030-01-08 08:00, Beijing time
  notBefore: 1_893_456_000,
  expires: 1_894_060_800,
  maxUses: 2,
  note: '<b>急</b> 保函申请 2030-001',
  askedAt: 1_893_456_000,
};
const header = { 'x-huilian-page': '1' };

describe("the bidder's page", () => {
  let browser: Browser;
  let node: StubNode;
  let folder: string;
  let page: BidderPage;

  beforeAll(async () => {
    browser = await playwright.launch(await chromium());
  }, FIRST_RUN_MS);

  afterAll(async () => {
    await browser?.close();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'huilian-bidder-'));
    await writeFile(join(folder, 'wallet.json'), JSON.stringify({ format: 'huilian-wallet/1', owner, unprotectedTestKey: testKey }));
    node = await startStubNode({ domain, members: [bank, centre] });
    node.asks.set(ask.id, ask);
    page = await startBidderPage({ nodeUrl: node.url, port: 0, walletFile: join(folder, 'wallet.json') });
    return async () => {
      await page.close();
      await node.close();
      await rm(folder, { recursive: true });
    };
  });

  /** Opens the page; a script error or a message of the browser's own (a blocked script, say) fails the test. */
  async function open(query: string, width = 1100): Promise<{ tab: Page; faults: string[] }> {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    const tab = await context.newPage();
    tab.setDefaultTimeout(8_000);
    const faults: string[] = [];
    tab.on('pageerror', (error) => faults.push(error.message));
    tab.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
    });
    await tab.goto(`${page.url}/?${query}`);
    return { tab, faults };
  }

  it('says who reads what, for what, until when and how often, in Chinese and in English', async () => {
    const { tab, faults } = await open(`ask=${ask.id}&lang=zh`);
    await tab.getByRole('heading', { name: /示例银行（虚构）\s*请求读取您的数据/ }).waitFor();
    const chinese = await tab.getByRole('main').innerText();
    for (const words of ['金融机构', 'sample-bank', '信用信息：认定', '业绩信息：合同', '保函评估', '2030/01/01', '2030/01/08', '北京时间', '最多 2 次']) expect(chinese).toContain(words);

    await tab.getByRole('button', { name: 'English' }).click();
    await tab.getByRole('heading', { name: 'Sample Bank (invented) asks to read your data' }).waitFor();
    const english = await tab.getByRole('main').innerText();
    for (const words of ['Credit: Finding', 'Performance: Contract', 'Assessing a guarantee', '01 Jan 2030, 08:00', '08 Jan 2030, 08:00', 'At most 2 times']) expect(english).toContain(words);
    expect(await tab.evaluate(() => document.documentElement.lang)).toBe('en');
    expect(faults).toEqual([]);
  });

  it('marks what holds personal data, and opens the fields of each claim', async () => {
    node.asks.set(ask.id, { ...ask, claims: ['entity/contact', 'entity/identity'] });
    const { tab } = await open(`ask=${ask.id}&lang=zh`);
    const contact = tab.getByRole('listitem').filter({ hasText: '联系信息' });
    const identity = tab.getByRole('listitem').filter({ hasText: '身份信息' });
    await contact.getByText('含个人信息').waitFor();
    expect(await identity.getByText('含个人信息').count()).toBe(0);
    expect(await identity.getByText('统一社会信用代码').isVisible()).toBe(false);
    await identity.locator('summary').click();
    expect(await identity.getByText('统一社会信用代码').isVisible()).toBe(true);
  });

  it("shows the reader's note as text, and fits a phone", async () => {
    const { tab } = await open(`ask=${ask.id}&lang=en`, 390);
    await tab.getByText('<b>急</b> 保函申请 2030-001').waitFor();
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it('signs what it showed, and the signature is the owner’s', async () => {
    const { tab, faults } = await open(`ask=${ask.id}&lang=zh`);
    await tab.getByRole('button', { name: '签署授权', exact: true }).click();
    await tab.getByRole('heading', { name: '已签署授权' }).waitFor();

    expect(node.grants).toHaveLength(1);
    const [envelope] = node.grants;
    if (envelope === undefined) throw new Error('no grant came');
    const { digest, key } = verifyGrantSignature(envelope, domain);
    expect(key).toBe(testKeyId);
    const { claims, expires, grantee, maxUses, notBefore, purpose, reference } = ask;
    expect(envelope.grant).toMatchObject({ claims, expires, grantee, maxUses, notBefore, owner, purpose, reference });
    expect(await tab.locator('.digest').textContent()).toBe(digest);
    expect(faults).toEqual([]);

    await tab.getByRole('button', { name: '撤销授权' }).click();
    await tab.getByRole('button', { name: '确定撤销' }).click();
    await tab.getByRole('heading', { name: '授权已撤销' }).waitFor();
    const [revocation] = node.revocations;
    if (revocation === undefined) throw new Error('no revocation came');
    expect(revocation.revocation).toEqual({ owner, grant: digest });
    expect(verifyRevocationSignature(revocation, domain).key).toBe(testKeyId);
  });

  it('signs the terms it showed even where the node changes them meanwhile', async () => {
    const { tab } = await open(`ask=${ask.id}&lang=zh`);
    await tab.getByRole('button', { name: '签署授权', exact: true }).waitFor();
    node.asks.set(ask.id, { ...ask, claims: ['entity/bank'], maxUses: 999 });
    await tab.getByRole('button', { name: '签署授权', exact: true }).click();
    await tab.getByRole('heading', { name: '已签署授权' }).waitFor();
    expect(node.grants.map(({ grant }) => [grant.claims, grant.maxUses])).toEqual([[ask.claims, 2]]);
  });

  it('sends nothing when the owner does not sign', async () => {
    const { tab } = await open(`ask=${ask.id}&lang=en`);
    await tab.getByRole('button', { name: 'Don’t sign' }).click();
    await tab.getByRole('heading', { name: 'Not signed' }).waitFor();
    expect(node.grants).toEqual([]);
  });

  it('refuses what it cannot say in words, and offers nothing to sign', async () => {
    node.asks.set(ask.id, { ...ask, claims: ['credit/finding', 'credit/horoscope'] });
    const { tab } = await open(`ask=${ask.id}&lang=en`);
    await tab.getByText('WALLET_UNREADABLE').waitFor();
    expect(await tab.getByRole('button', { name: 'Sign', exact: true }).count()).toBe(0);
    const answer = await fetch(`${page.url}/api/ask?id=${ask.id}`, { headers: header });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'WALLET_UNREADABLE']);
  });

  it('offers no signing of an ask that is over', async () => {
    node.asks.set(ask.id, { ...ask, notBefore: 1_500_000_000, expires: 1_500_600_000 });
    const { tab } = await open(`ask=${ask.id}&lang=en`);
    await tab.getByText('This request has expired').waitFor();
    expect(await tab.getByRole('button', { name: 'Sign', exact: true }).count()).toBe(0);
  });

  it("refuses another owner's ask", async () => {
    node.asks.set(ask.id, { ...ask, owner: 'org:91440106MABAY5U732' });
    const answer = await fetch(`${page.url}/api/ask?id=${ask.id}`, { headers: header });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, 'GRANT_NOT_OWNER']);
  });

  it('shows the trail that the owner signed for: readings, refusals, silent centres; and revokes from it', async () => {
    const grant = `0x${'d'.repeat(64)}`;
    node.trail = {
      entries: [
        { at: 1_893_400_000, block: 1, transactionId: 'e'.repeat(64), what: 'published', publisher: 'centre-a', recordIds: ['centre-a/credit/x'], version: 1 },
        { at: 1_893_456_100, block: 2, transactionId: 'f'.repeat(64), what: 'opened', publisher: 'centre-a', reader: 'sample-bank', purpose: 'guarantee-assessment', recordIds: ['centre-a/credit/x'], claims: ['finding'], grant },
      ],
      refusals: [{ centre: 'centre-a', head: { seq: 1, digest: '0'.repeat(64) }, refusals: [{ at: 1_893_456_200, code: 'GRANT_EXHAUSTED', owner, reader: 'sample-bank', recordIds: ['centre-a/credit/x'], request: '' }] }],
      missing: ['centre-b'],
    };
    const { tab } = await open('view=trail&lang=en');
    const lines = tab.getByRole('listitem');
    await lines.first().waitFor();
    const shown = await lines.allInnerTexts();
    expect(shown).toHaveLength(3);
    expect(shown[0]).toMatch(/Reading refused[^]*Sample Centre A \(invented\) → Sample Bank \(invented\)[^]*The grant has no uses left GRANT_EXHAUSTED/);
    expect(shown[1]).toMatch(/Read under a grant[^]*Sample Bank \(invented\) · assessing a guarantee[^]*Credit: Finding/);
    expect(shown[2]).toMatch(/Record published[^]*Sample Centre A \(invented\)[^]*Credit/);
    await tab.getByText('did not answer; their refusals may be missing: centre-b').waitFor();
    const [signed] = node.trailRequests;
    if (signed === undefined) throw new Error('no trail request came');
    expect(verifyOwnerStatement(signed, 'TrailRequest', signed.request, domain)).toBe(testKeyId);

    await tab.getByRole('button', { name: 'Revoke' }).click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await expect.poll(() => node.revocations.map(({ revocation }) => revocation.grant), { timeout: 10_000 }).toEqual([grant]);
  });

  it('answers only its own page: not other hosts, other origins, calls without the header, or what was never shown', async () => {
    const shown = ((await (await fetch(`${page.url}/api/ask?id=${ask.id}`, { headers: header })).json()) as { shown: string }).shown;
    const post = async (headers: Record<string, string>, digest = shown): Promise<number> => {
      const body = JSON.stringify({ id: ask.id, shown: digest });
      return await new Promise((resolve, reject) => {
        const call = httpRequest(`${page.url}/api/sign`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        call.on('error', reject).end(body);
      });
    };
    expect(await post({})).toBe(403);
    expect(await post({ ...header, origin: 'https://elsewhere.example' })).toBe(403);
    expect(await post({ ...header, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await post({ ...header, host: 'elsewhere.example' })).toBe(403);
    expect(await post({ ...header, 'content-type': 'text/plain' })).toBe(400);
    expect(await post(header, `0x${'0'.repeat(64)}`)).toBe(404);
    expect(node.grants).toEqual([]);
    expect(await post(header)).toBe(200);
    expect(node.grants).toHaveLength(1);
    expect((await fetch(page.url)).headers.get('content-security-policy')).toContain("script-src 'self'");
  });

  it('remembers the consortium in a file, and signs for no other', async () => {
    const shown = ((await (await fetch(`${page.url}/api/ask?id=${ask.id}`, { headers: header })).json()) as { shown: string }).shown;
    await fetch(`${page.url}/api/sign`, { method: 'POST', headers: { ...header, 'content-type': 'application/json' }, body: JSON.stringify({ id: ask.id, shown }) });
    expect((await readFile(join(folder, 'wallet.json.domain'), 'utf8')).trim()).toBe(domain.salt);

    const other = await startStubNode({ domain: domainOf({ chaincode: 'huilian', channel: 'other', charter: 'a'.repeat(64), founding: 'b'.repeat(64) }), members: [bank] });
    const moved = await startBidderPage({ nodeUrl: other.url, port: 0, walletFile: join(folder, 'wallet.json') });
    const answer = await fetch(`${moved.url}/api/trail`, { headers: header });
    await moved.close();
    await other.close();
    expect(((await answer.json()) as { code: string }).code).toBe('WALLET_DOMAIN_CHANGED');
    expect(other.trailRequests).toEqual([]);
  });

  it('keeps a new key encrypted: its password opens it, another does not', async () => {
    const walletFile = join(folder, 'new.json');
    const key = await createWallet(walletFile, owner, 'correct horse');
    await expect(startBidderPage({ nodeUrl: node.url, port: 0, walletFile, password: 'wrong' })).rejects.toMatchObject({ code: 'BAD_FIELD' });
    await expect(createWallet(walletFile, owner, 'correct horse')).rejects.toMatchObject({ code: 'EEXIST' });
    const opened = await startBidderPage({ nodeUrl: node.url, port: 0, walletFile, password: 'correct horse' });
    const { shown } = (await (await fetch(`${opened.url}/api/ask?id=${ask.id}`, { headers: header })).json()) as { shown: string };
    await fetch(`${opened.url}/api/sign`, { method: 'POST', headers: { ...header, 'content-type': 'application/json' }, body: JSON.stringify({ id: ask.id, shown }) });
    await opened.close();
    expect(node.grants.map((grant) => verifyGrantSignature(grant, domain).key)).toEqual([key]);
  }, 60_000);
});
