// The SDK in a real browser, as a bundle without Node's built-ins under a policy that forbids eval.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium as playwright, type Browser, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromium } from '../../../scripts/ensure-chromium.mjs';
import { Wallet } from 'ethers';
import * as sdkInNode from '../src/index.js';
import { makeAccess, makeConsortium, openedAt, subject, type Access } from './mini-consortium.js';

const firstRunMilliseconds = 300_000;
const entry = `import * as sdk from '@huilian/sdk';\nimport { Wallet } from 'ethers';\nglobalThis.huilian = { ...sdk, Wallet };`;
const verifierEntry = `export { verifyEvidence } from '@huilian/sdk';`;

/** What the bundle puts into the page. */
interface InPage {
  readonly huilian: typeof sdkInNode & { readonly Wallet: typeof Wallet };
}

interface Bundle {
  readonly code: string;
  readonly imports: readonly string[];
}

async function bundle(source: string): Promise<Bundle> {
  const warnings: string[] = [];
  const built = await rolldown({
    input: 'virtual:entry',
    cwd: import.meta.dirname,
    platform: 'browser',
    resolve: { conditionNames: ['@huilian/source', 'browser', 'import', 'default'] },
    plugins: [{
      name: 'entry',
      resolveId: (id) => (id === 'virtual:entry' ? id : undefined),
      load: (id) => (id === 'virtual:entry' ? { code: source, moduleType: 'js' } : undefined),
    }],
    onwarn: (warning) => {
      warnings.push(warning.message);
    },
  });
  const { output } = await built.generate({ format: 'esm', minify: true });
  await built.close();
  expect(warnings.filter((message) => /node:|external|unresolved/i.test(message))).toEqual([]);
  expect(output).toHaveLength(1);
  return { code: output[0].code, imports: output[0].imports };
}

describe('the SDK in a browser', () => {
  let access: Access;
  let browser: Browser;
  let server: Server;
  let page: Page;
  let sdk: Bundle;
  const faults: string[] = [];

  beforeAll(async () => {
    [access, sdk] = await Promise.all([makeConsortium().then(makeAccess), bundle(entry)]);
    server = createServer((request, response) => {
      const isScript = request.url === '/sdk.js';
      response.writeHead(200, {
        'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; script-src 'self'; img-src data:",
      });
      response.end(isScript ? sdk.code : '<!doctype html><title>SDK</title><link rel="icon" href="data:,"><script type="module" src="/sdk.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await playwright.launch(await chromium());
    page = await browser.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
  }, firstRunMilliseconds);

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  it('bundles without anything of Node.js', () => {
    expect(sdk.imports).toEqual([]);
    expect(sdk.code).not.toMatch(/from\s*["']node:|require\(["'](?:node:)?(?:crypto|fs|http|zlib)["']\)/);
  });

  it('verifies evidence, and refuses it with one byte changed', async () => {
    const file = JSON.stringify(access.evidence);
    const at = file.indexOf(access.evidence.jweDigest);
    const tampered = `${file.slice(0, at)}${file[at] === '0' ? '1' : '0'}${file.slice(at + 1)}`;
    const [report, refused] = await page.evaluate(
      async ([whole, changed, charterFingerprint, presentations]) => {
        const { verifyEvidence } = (globalThis as unknown as InPage).huilian;
        return [await verifyEvidence(whole, { charterFingerprint, presentations }), await verifyEvidence(changed, { charterFingerprint })] as const;
      },
      [file, tampered, access.consortium.fingerprint, access.presentations] as const,
    );
    expect(report.checks.filter(({ result }) => result === 'fails')).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.checks.filter(({ result }) => result === 'holds')).toHaveLength(9);
    expect(refused.ok).toBe(false);
  });

  it('decrypts and verifies a release', async () => {
    const records = await page.evaluate(
      async ([opened, key]) => {
        const { readRelease } = (globalThis as unknown as InPage).huilian;
        return await readRelease(opened, key);
      },
      [access.opened, access.bank.encryptionKey] as const,
    );
    expect(records.map(({ claims }) => Object.keys(claims))).toEqual([['entry', 'score'], ['entry', 'score']]);
  });

  it('says a grant in words and signs it the same as in Node.js', async () => {
    const grant = { owner: subject, grantee: 'sample-bank', claims: ['credit/entry'], purpose: 'credit-check', reference: `0x${'1'.repeat(64)}`, notBefore: openedAt, expires: openedAt + 1000, maxUses: 1, nonce: `0x${'2'.repeat(64)}` } as const;
    const signed = await page.evaluate(
      async ([domain, terms]) => {
        const { memoryPin, OwnerWallet, renderGrant, Wallet } = (globalThis as unknown as InPage).huilian;
        return { words: renderGrant(terms), envelope: await new OwnerWallet(new Wallet(`0x${'17'.repeat(32)}`), memoryPin()).signGrant(domain, terms) };
      },
      [access.consortium.domain, grant] as const,
    );
    const { memoryPin, OwnerWallet, renderGrant } = sdkInNode;
    expect(signed.words).toEqual(renderGrant(grant));
    expect(signed.envelope).toEqual(await new OwnerWallet(new Wallet(`0x${'17'.repeat(32)}`), memoryPin()).signGrant(access.consortium.domain, grant));
  });

  it('works under a policy that forbids eval, without a complaint', () => {
    expect(faults).toEqual([]);
  });

  it('keeps the verifier alone free of wallets and network clients', async () => {
    const { code } = await bundle(verifierEntry);
    expect(code).not.toContain('/v1/access-requests');
    expect(code).not.toContain('signTypedData');
  });
});
