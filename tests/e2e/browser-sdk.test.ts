// The whole SDK in a page of real Chromium against real nodes of another origin: a platform publishes, a bank asks, an owner
// signs, the bank reads, verifies, sends its receipt and verifies the evidence; a page of an origin that is not named gets nothing.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import type { Wallet } from 'ethers';
import { chromium as playwright, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Sdk from '@huilian/sdk';
import { chromium } from '../../scripts/ensure-chromium.mjs';
import { readJson, root, stateFolder } from './main-job.js';
import { endProcess } from './open-state.js';

const firstRunMilliseconds = 300_000;
const state = stateFolder();
const entry = `import * as sdk from '@huilian/sdk';\nimport { Wallet } from 'ethers';\nglobalThis.huilian = { ...sdk, Wallet };`;

interface InPage {
  readonly huilian: typeof Sdk & { readonly Wallet: typeof Wallet };
}

interface Sandbox {
  readonly charter: string;
  readonly members: Readonly<Record<string, { readonly keys: string; readonly node: string }>>;
  readonly owners: Readonly<Record<string, { readonly owner: string; readonly wallet: string }>>;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({ stdin: { contents: entry, resolveDir: import.meta.dirname }, bundle: true, conditions: ['@huilian/source'], format: 'esm', minify: true, platform: 'browser', write: false });
  return outputFiles[0]?.text ?? '';
}

/** A server of one page that may load its own script and speak with these nodes alone. */
async function serve(code: string, nodes: () => readonly string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/sdk.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8', 'content-security-policy': `default-src 'none'; script-src 'self'; img-src data:; connect-src ${nodes().join(' ')}` });
    response.end(isScript ? code : '<!doctype html><title>SDK</title><link rel="icon" href="data:,"><script type="module" src="/sdk.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const originOf = (server: Server): string => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

describe('the SDK in a page, against real nodes', () => {
  let sandbox: ChildProcess;
  let facts: Sandbox;
  let browser: Browser;
  let named: Server;
  let unnamed: Server;
  let page: Page;
  let nodes: readonly string[] = [];
  const faults: string[] = [];
  const memberOf = (id: string): { readonly node: string; readonly keys: Sdk.MemberKeys } => ({ node: facts.members[id]?.node ?? '', keys: readJson<Sdk.MemberKeys>(facts.members[id]?.keys ?? '') });

  async function open(server: Server): Promise<Page> {
    const opened = await browser.newPage();
    await opened.goto(originOf(server));
    await opened.waitForFunction(() => 'huilian' in globalThis);
    return opened;
  }

  beforeAll(async () => {
    const code = await bundle();
    [named, unnamed] = await Promise.all([serve(code, () => nodes), serve(code, () => nodes)]);
    sandbox = spawn(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), 'sandbox', '--state', state.dir], { env: { ...process.env, HUILIAN_ALLOWED_ORIGINS: originOf(named) }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const started = new Promise<void>((resolve, reject) => {
      sandbox.once('message', () => { resolve(); });
      sandbox.once('exit', (exit) => { reject(new Error(`the sandbox ended with ${String(exit)}`)); });
    });
    [browser] = await Promise.all([playwright.launch(await chromium()), started]);
    facts = readJson<Sandbox>(path.join(state.dir, 'sandbox.json'));
    nodes = [...new Set(Object.values(facts.members).map(({ node }) => node))];
    page = await open(named);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  }, firstRunMilliseconds);

  afterAll(async () => {
    await browser?.close();
    for (const server of [named, unnamed]) {
      server?.closeAllConnections();
      server?.close();
    }
    await endProcess(sandbox);
    state.remove();
  });

  it('goes the whole way: publish, ask, grant, open, read, receipt, evidence', async () => {
    const { owner, wallet } = facts.owners['silent'] ?? { owner: '', wallet: '' };
    const terms = { bank: memberOf('sample-bank'), charter: facts.charter, key: readFileSync(wallet, 'utf8').trim(), owner, platform: memberOf('sample-platform') };
    const done = await page.evaluate(async ({ bank, charter, key, owner: id, platform }) => {
      const { grantDigest, MemberClient, memoryPin, OwnerClient, OwnerWallet, referenceOf, verifyAcknowledgement, verifyEvidence, Wallet: EthersWallet } = (globalThis as unknown as InPage).huilian;
      const trust = { charterFingerprint: charter };
      const seller = await MemberClient.connect(platform.node, platform.keys, trust);
      const data = {
        entry: { code: 'CR-FROM-A-PAGE', category: 'award' },
        body: { uscc: id.slice(4), name: '示例不予应答建设有限公司', type: '1', role: '03' },
        finding: { reason: '示例优质工程奖（虚构）', recordedAt: '2026-09-02T10:00:00+08:00', authority: '示例行政监督部门', document: '示例〔2026〕2号' },
        disclosure: { scope: '2' },
      };
      const { signingKey } = (await seller.member('guangzhou')).document;
      let recordId = '';
      let durable = 0;
      for await (const answer of seller.publish([{ kind: 'credit', rights: 'owner', data }])) {
        if ('recordId' in answer) ({ recordId } = answer);
        if ('acknowledged' in answer) durable = verifyAcknowledgement(answer.acknowledged, 'guangzhou', signingKey).to;
      }

      const reader = await MemberClient.connect(bank.node, bank.keys, trust);
      const now = Math.floor(Date.now() / 1000);
      const reference = referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'a page');
      const ask = await reader.ask({ owner: id, claims: ['credit/entry'], purpose: 'credit-check', reference, notBefore: now - 60, expires: now + 3600, maxUses: 1 });
      const me = OwnerClient.connect(bank.node, id, new OwnerWallet(new EthersWallet(key), memoryPin()), trust);
      const shown = await me.show(ask.id);
      await me.grant(shown);
      const grant = await reader.whenGranted(ask, { seconds: 20 });

      // The reader's node learns of the record from the ledger.
      const deadline = Date.now() + 20_000;
      while ((await reader.record(recordId).catch(() => undefined)) === undefined && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
      const access = await reader.open({ recordIds: [recordId], claims: ['entry'], purpose: 'credit-check', grant });
      const records = await reader.read(access);
      await reader.receipt(access);
      const evidence = await reader.evidence(access.ticket);
      const presentations = records.map(({ presentation }) => presentation);
      const report = await verifyEvidence(evidence, { ...trust, presentations });
      const tampered = await verifyEvidence({ ...evidence, jweDigest: '0'.repeat(64) }, trust);
      const again = await reader.open({ recordIds: [recordId], claims: ['entry'], purpose: 'credit-check', grant }).then(() => 'opened', (error: Error) => error.message);
      await me.revoke(grantDigest(grant.domain, grant.grant));
      const { entries } = await me.trail();
      return { durable, recordId, words: shown.words.claims.map((claim) => claim.zh), claims: records.map((record) => record.claims), ok: report.ok, held: report.checks.filter(({ result }) => result === 'holds').length, tampered: tampered.ok, again, trail: entries.map(({ what }) => what) };
    }, terms);
    expect(done).toMatchObject({
      recordId: expect.stringMatching(/^guangzhou\/credit\/[a-z2-7]{26}$/) as string,
      claims: [{ entry: { code: 'CR-FROM-A-PAGE', category: 'award' } }],
      ok: true,
      held: 9,
      tampered: false,
      again: expect.stringMatching(/^GRANT_EXHAUSTED/) as string,
    });
    expect(done.durable).toBeGreaterThan(0);
    expect(done.words).toEqual([expect.stringContaining('信用条目')]);
    expect(done.trail).toEqual(expect.arrayContaining(['registered', 'published', 'opened', 'grant-revoked']));
    // A browser reports each answer that is no success: the refusal that was asked for, and records not indexed yet.
    expect(faults.filter((text) => !text.includes('404'))).toEqual([expect.stringContaining('403')]);
  }, 60_000);

  it('is kept away by the browser where its origin is not named', async () => {
    const stranger = await open(unnamed);
    const outcome = await stranger.evaluate(async ({ keys, node }) => {
      const { MemberClient } = (globalThis as unknown as InPage).huilian;
      const client = await MemberClient.connect(node, keys, { patienceSeconds: 0 });
      return await client.consortium().then(() => 'answered', (error: Error) => error.message);
    }, memberOf('sample-bank'));
    expect(outcome).toMatch(/^EXCHANGE_FAILED .*no-answer/);
  }, 30_000);

  it('takes no wildcard for an origin', () => {
    for (const origins of ['*', 'https://example.org/']) {
      const check = spawnSync(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), 'config', 'check', '--json', '--state', path.join(state.dir, 'nodes', 'guangzhou')], { encoding: 'utf8', env: { ...process.env, HUILIAN_ALLOWED_ORIGINS: origins } });
      expect(check.stderr, origins).toContain('"code":"CONFIG_INVALID"');
    }
  }, 30_000);

  it('names the origin it was told of and no other, also in a preflight', async () => {
    const preflight = async (origin: string): Promise<Response> => await fetch(`${nodes[0] ?? ''}/v1/asks`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } });
    const good = await preflight(originOf(named));
    expect(good.status).toBe(204);
    expect(good.headers.get('access-control-allow-origin')).toBe(originOf(named));
    expect(good.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(good.headers.get('access-control-allow-credentials')).toBeNull();
    for (const origin of [originOf(unnamed), 'null', `${originOf(named)}0`]) expect((await preflight(origin)).headers.get('access-control-allow-origin'), origin).toBeNull();
  });
});
