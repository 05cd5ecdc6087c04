// The console in real Chromium before a real node of a running consortium: pages in both languages, questions, votes, roles, keyboard, axe.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium as playwright, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { beijingDay, canonicalBytes, errorBody, parseCanonicalObject, ProtocolError, proposalId } from '@huilian/protocol';
import { chromium } from '../../scripts/ensure-chromium.mjs';
import { ConsoleTab, type Look } from './console/console-tab.js';
import { joinRequest } from './join-request.js';
import { root } from './main-job.js';
import { RunningConsortium } from './running-consortium.js';

// The first run on a machine installs the browser.
const FIRST_RUN_MS = 360_000;
const password = 'eleven green bridges by the river';
const people = { administrator: 'chen', auditor: 'lin', operator: 'wu' } as const;
type Role = keyof typeof people;

describe('the console', () => {
  const consortium = new RunningConsortium();
  let browser: Browser;
  const consoleUrl = (): string => `${consortium.api('guangzhou').url}/console/`;

  beforeAll(async () => {
    await consortium.start();
    for (const [role, name] of Object.entries(people)) expect((await consortium.call('guangzhou', 'POST', '/v1/accounts', { name, password, role }, 'operator')).status).toBe(201);
    browser = await playwright.launch(await chromium());
  }, FIRST_RUN_MS);

  afterAll(async () => {
    await browser?.close();
    await consortium.stop();
  }, 60_000);

  async function open(look: Look = {}): Promise<ConsoleTab> {
    const tab = await ConsoleTab.open(browser, consoleUrl(), look);
    onTestFinished(async () => { await tab.close(); });
    return tab;
  }

  async function signedIn(role: Role, look: Look = {}): Promise<ConsoleTab> {
    const tab = await open(look);
    await tab.signIn(people[role], password);
    await tab.page.getByRole('navigation').first().waitFor();
    await tab.settled();
    // The browser says of each call that was refused that it was: before signing in one is.
    tab.faults.length = 0;
    tab.takeCalls();
    return tab;
  }

  /** A record that somebody read, for its whole life. */
  async function readRecord(): Promise<string> {
    const { body } = await consortium.call('guangzhou', 'GET', '/v1/accesses?publisher=guangzhou&limit=1', undefined, 'operator');
    const [access] = body['items'] as { records: { recordId: string }[] }[];
    return access?.records[0]?.recordId ?? '';
  }

  it('lets nobody in without the right password, and says why in the language of the page', async () => {
    const { message, next } = errorBody(new ProtocolError('SIGN_IN_FAILED'));
    for (const language of ['en', 'zh'] as const) {
      const tab = await open({ language });
      await tab.signIn(people.operator, 'quite another password');
      const alert = tab.page.getByRole('alert');
      await alert.waitFor();
      const said = await alert.innerText();
      for (const words of ['SIGN_IN_FAILED', message[language], next[language]]) expect(said).toContain(words);
    }
  });

  it('signs in, shows who is there, and signs out', async () => {
    const tab = await signedIn('operator');
    await tab.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await tab.page.getByRole('link', { name: /wu.*operator/ }).waitFor();
    await tab.page.getByRole('button', { name: 'Sign out' }).click();
    await tab.page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await tab.page.reload();
    await tab.page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  });

  it.each<readonly [string, Look]>([
    ['in Chinese', { language: 'zh' }],
    ['in English and dark', { language: 'en', scheme: 'dark' }],
    ['in Chinese on a phone', { language: 'zh', width: 360 }],
    ['in English on a phone and dark', { language: 'en', scheme: 'dark', width: 360 }],
  ])('shows every page %s: no fault, nothing blocked, nothing beyond the window, nothing serious for axe', async (_name, look) => {
    const tab = await open(look);
    await tab.page.getByRole('heading', { level: 1 }).waitFor();
    expect(await tab.axe()).toEqual([]);
    await tab.signIn(people.administrator, password);
    await tab.page.getByRole('heading', { level: 1, name: /^(Overview|概览)$/ }).waitFor();
    tab.faults.length = 0;
    const own = look.language === 'zh' ? /[\u3400-\u9fff]/ : /^[^\u3400-\u9fff]+$/;
    for (const [page, place] of Object.entries(await places())) {
      await tab.go(place);
      expect(await tab.page.getByRole('heading', { level: 1 }).innerText(), page).toMatch(own);
      if (page === 'overview') await expect.poll(async () => await tab.isPainted(), { timeout: 10_000 }).toBe(true);
      expect([page, await tab.axe(), await tab.overflow(), tab.faults]).toEqual([page, [], expect.toBeOneOf([0, -1]), []]);
    }
  }, 120_000);

  async function places(): Promise<Readonly<Record<string, string>>> {
    return {
      overview: '/', records: '/records', record: `/records/${await readRecord()}`, accesses: '/accesses', 'dead-letters': '/dead-letters', members: '/members', proposals: '/proposals',
      mappings: '/mappings', catalogue: '/catalogue', sources: '/sources', source: '/sources/sample-folder', owners: '/owners', flags: '/flags', owner: `/owners/${consortium.owner.slice(4)}`, completeness: '/completeness', months: '/months', health: '/health', accounts: '/accounts', account: '/account', 'audit-log': '/audit-log',
    };
  }

  it('asks of the node what page-requests.json says of each page, and no more', async () => {
    const listed = JSON.parse(readFileSync(path.join(root, 'node', 'console', 'page-requests.json'), 'utf8')) as Readonly<Record<string, readonly string[]>>;
    const { always = [], 'sign-in': signIn = [], ...pages } = listed;
    const stranger = await open();
    await stranger.page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await stranger.page.waitForLoadState('networkidle');
    expect([...new Set(stranger.takeCalls())].sort()).toEqual([...signIn].sort());
    const at = await places();
    expect(Object.keys(at).sort()).toEqual(Object.keys(pages).sort());
    const record = await readRecord();
    const tab = await signedIn('administrator');
    for (const [page, expected] of Object.entries(pages)) {
      await tab.go(at[page] ?? '');
      tab.takeCalls();
      // Afresh: what another page asked for is remembered for a while.
      await tab.page.reload();
      await tab.settled();
      const asked = new Set(tab.takeCalls().map((call) => decodeURIComponent(call).replace(/since=\d+/, 'since={since}').replace(/publisher=guangzhou/, 'publisher={member}').replace(/from=\d{4}-\d{2}/, 'from={month}').replaceAll(record, '{record}').replaceAll(consortium.owner, '{owner}').replaceAll('sample-folder', '{source}')));
      expect([page, [...asked].sort()]).toEqual([page, [...always, ...expected].sort()]);
    }
  }, 120_000);

  it('answers in three clicks who read this centre’s records last week', async () => {
    const tab = await signedIn('operator');
    await tab.page.getByRole('link', { name: 'Who read our records last week?' }).click();
    await tab.settled();
    const row = tab.page.getByRole('row').filter({ hasText: /Bank|bank|platform/i }).nth(0);
    expect(await row.innerText()).toMatch(/\d{4}-\d{2}-\d{2}/);
    await row.getByRole('link').first().click();
    await tab.settled();
    expect(tab.page.url()).toContain('owner=');
    expect(tab.faults).toEqual([]);
  });

  it('answers in three clicks which centre published what this month, and leads to the records', async () => {
    const tab = await signedIn('auditor');
    await tab.page.getByRole('navigation').first().getByRole('link', { name: 'By month' }).click();
    await tab.page.getByRole('heading', { level: 1, name: 'Publications by month' }).waitFor();
    await tab.settled();
    const row = tab.page.getByRole('row').filter({ hasText: 'Zhuhai' }).filter({ hasText: 'Credit' });
    const { body } = await consortium.call('guangzhou', 'GET', '/v1/aggregates?by=month&publisher=zhuhai&kind=credit', undefined, 'operator');
    const [group] = body['groups'] as { records: number }[];
    expect((await row.getByRole('cell').allInnerTexts()).at(-1)).toBe(String(group?.records));
    await row.getByRole('link').click();
    await tab.page.getByRole('heading', { level: 1, name: 'Records' }).waitFor();
    expect(tab.faults).toEqual([]);
  });

  it('answers in three clicks which centre is late with what', async () => {
    const yesterday = beijingDay(Date.now() / 1000 - 86_400);
    // What came today without a declaration makes up for yesterday.
    const { body: before } = await consortium.call('guangzhou', 'GET', '/v1/completeness?centre=zhuhai&kind=supervision', undefined, 'operator');
    const came = (before['days'] as { confirmed: number }[]).reduce((sum, { confirmed }) => sum + confirmed, 0);
    expect((await consortium.call('zhuhai', 'POST', '/v1/declarations', { days: [{ kind: 'supervision', day: yesterday, expected: came + 7 }] }, 'operator')).status).toBe(200);
    const content = { document: { default: { days: 0, hour: 0 } }, name: 'completeness', version: 1 };
    const { body } = await consortium.call('guangzhou', 'POST', '/v1/governance/propose', { action: 'rule-set', content, round: 1 }, 'operator');
    await consortium.whenLevel();
    expect((await consortium.call('zhuhai', 'POST', '/v1/governance/approve', { proposal: (body['response'] as { proposal: string }).proposal }, 'operator')).status).toBe(200);
    await consortium.whenLevel();

    const tab = await signedIn('auditor');
    await tab.page.getByRole('link', { name: 'Which centre is late with what?' }).click();
    await tab.page.getByRole('heading', { level: 1, name: 'Completeness' }).waitFor();
    await tab.page.getByRole('region', { name: 'Who is late' }).getByRole('link', { name: /Zhuhai/ }).click();
    await tab.settled();
    const row = tab.page.getByRole('region', { name: 'Day by day' }).getByRole('row').filter({ hasText: yesterday }).filter({ hasText: 'Supervision' });
    await row.waitFor();
    expect((await row.getByRole('cell').allInnerTexts()).map((text) => text.trim().split('\n')[0])).toMatchObject([yesterday, expect.stringContaining('Zhuhai'), 'late', String(came + 7), '–', '–', '–', String(came), '7']);
    expect(await row.innerText()).toContain(`until ${yesterday} 01:00:00`);
    const file = await tab.page.evaluate(async (address) => await (await fetch(address)).text(), await tab.page.getByRole('link', { name: 'Export as CSV' }).getAttribute('href') ?? '');
    expect(file).toContain(`rows,zhuhai,supervision,${yesterday},${String(came + 7)},,,,${String(came)},7,`);
    expect([await tab.axe(), await tab.overflow(), tab.faults]).toEqual([[], 0, []]);
  });

  it('answers in three clicks why a row was refused', async () => {
    const tab = await signedIn('operator');
    await tab.page.getByRole('link', { name: 'Why was this row refused?' }).click();
    await tab.settled();
    const { body } = await consortium.call('guangzhou', 'GET', '/v1/dead-letters?limit=1', undefined, 'operator');
    const [letter] = body['items'] as { problems: { en: string }[]; line: number }[];
    const row = tab.page.getByRole('row').filter({ hasText: `line ${String(letter?.line)}` }).first();
    expect(await row.innerText()).toContain(letter?.problems[0]?.en);
  });

  it('corrects a refused row and tries it again: it is published and leaves the list', async () => {
    const wanted = { kind: 'entity', field: 'identity.name' };
    const list = async (): Promise<{ items: { id: string; file: string; line: number }[] }> => (await consortium.call('guangzhou', 'GET', `/v1/dead-letters?${new URLSearchParams(wanted).toString()}`, undefined, 'operator')).body as never;
    const [letter] = (await list()).items;
    const tab = await signedIn('operator');
    await tab.page.getByRole('link', { name: 'Why was this row refused?' }).click();
    await tab.settled();
    const row = tab.page.getByRole('row').filter({ hasText: letter?.file ?? '' }).filter({ hasText: `line ${String(letter?.line)}` });
    await row.getByRole('button', { name: /^Correct/ }).click();
    const dialog = tab.page.getByRole('dialog');
    // First an attempt that mends nothing: the row stays, with its reasons.
    await dialog.getByRole('button', { name: 'Correct and try again' }).click();
    await dialog.getByText('The corrected row is refused still').waitFor();
    await dialog.getByText('look at this column').first().waitFor();
    await dialog.locator('input[aria-describedby]').first().fill('示例更正公司（虚构）');
    await dialog.getByRole('button', { name: 'Correct and try again' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(async () => (await list()).items.some(({ id }) => id === letter?.id), { timeout: 10_000 }).toBe(false);
    await row.waitFor({ state: 'detached' });
    expect(tab.faults).toEqual([]);
  });

  it('runs a source on trial and shows how it went; an auditor sees it and is offered nothing', async () => {
    const tab = await signedIn('operator');
    await tab.go('/sources/sample-file');
    await tab.page.getByRole('button', { name: 'Try out' }).click();
    // There is no file yet: the run fails, and says by which code. A trial is kept nowhere but as the last run.
    await tab.page.getByRole('region', { name: 'State' }).filter({ hasText: 'trial' }).filter({ hasText: /SOURCE_[A-Z]+/ }).waitFor();
    expect(tab.faults).toEqual([]);
    const auditor = await signedIn('auditor');
    await auditor.go('/sources/sample-file');
    await auditor.page.getByRole('region', { name: 'State' }).filter({ hasText: 'trial' }).waitFor();
    expect(await auditor.page.getByRole('button', { name: /Try out|Run now/ }).count()).toBe(0);
  });

  it('shows rows beside what becomes of them, and drafts a mapping from a header', async () => {
    const tab = await signedIn('operator');
    await tab.go('/mappings');
    await tab.page.getByRole('combobox', { name: 'Kind' }).selectOption('qualification');
    await tab.page.getByRole('textbox', { name: 'Header and rows' }).fill('企业名称\t统一社会信用代码\t证书编号\n示例公司（虚构）\t91440105MA6NNHC07C\tD-SAMPLE-1\n');
    await tab.page.getByRole('button', { name: 'Preview' }).click();
    const row = tab.page.getByRole('article', { name: 'Row 1' });
    await row.waitFor();
    expect(await row.innerText()).toContain('D-SAMPLE-1');
    expect(await tab.axe()).toEqual([]);
    await tab.page.getByRole('button', { name: 'Draft a mapping' }).click();
    await tab.page.getByRole('row').filter({ hasText: '证书编号' }).filter({ hasText: '%' }).waitFor();
    expect([await tab.axe(), await tab.overflow(), tab.faults]).toEqual([[], 0, []]);
  });

  it('shows one record’s whole life: header, place on the ledger, course, accesses', async () => {
    const tab = await signedIn('auditor');
    const id = await readRecord();
    const { body } = await consortium.call('guangzhou', 'GET', `/v1/records/${id}`, undefined, 'operator');
    const { batch, record } = body as { batch: { root: string; transactionId: string }; record: { header: { digest: string } } };
    await tab.go(`/records/${id}`);
    const shown = await tab.page.getByRole('main').innerText();
    for (const fact of [id, record.header.digest, batch.root, batch.transactionId]) expect(shown).toContain(fact);
    for (const step of ['Accepted', 'On the ledger and indexed', 'Subscribers told']) expect(shown).toContain(step);
    await tab.page.getByRole('region', { name: 'Accesses' }).getByRole('row').nth(1).waitFor();
  });

  it('casts a vote that is on the ledger then; an auditor is not offered one and would be refused', async () => {
    const content = { document: { codes: [] }, name: 'invented-codes', version: 1 };
    const proposal = proposalId({ action: 'code-set', content: parseCanonicalObject(canonicalBytes(content)), round: 1 });
    expect((await consortium.call('zhuhai', 'POST', '/v1/governance/propose', { action: 'code-set', content, round: 1 }, 'operator')).status).toBe(200);
    await consortium.whenLevel();

    const auditor = await signedIn('auditor');
    await auditor.go('/proposals');
    const seen = auditor.page.getByRole('article').filter({ hasText: 'invented-codes' });
    await seen.getByText('Your role does not vote.').waitFor();
    expect(await seen.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    const refused = await auditor.page.evaluate(async (id) => {
      const answer = await fetch('/v1/governance/approve', { method: 'POST', headers: { 'content-type': 'application/json', 'x-huilian-request': 'console' }, body: JSON.stringify({ proposal: id }) });
      return [answer.status, ((await answer.json()) as { code: string }).code];
    }, proposal);
    expect(refused).toEqual([403, 'FORBIDDEN']);

    const tab = await signedIn('administrator');
    await tab.page.getByRole('link', { name: /Open proposals/ }).click();
    await tab.page.getByRole('article').filter({ hasText: 'invented-codes' }).getByRole('button', { name: 'Approve' }).click();
    await tab.page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await tab.page.getByRole('dialog').waitFor({ state: 'detached' });
    const { body } = await consortium.call('guangzhou', 'GET', '/v1/governance/proposals', undefined, 'operator');
    expect((body['items'] as { id: string; status: string }[]).find(({ id }) => id === proposal)?.status).toBe('adopted');
    expect(tab.faults).toEqual([]);
  });

  it('shows who asks to join, and turns a request away with a reason that the applicant reads', async () => {
    const { body: { id } } = await consortium.call('guangzhou', 'POST', '/v1/joins', await joinRequest(consortium));
    const tab = await signedIn('administrator');
    await tab.page.getByRole('link', { name: 'Members' }).click();
    const requests = tab.page.getByRole('region', { name: 'Requests to join' });
    await requests.getByRole('button', { name: 'Turn away' }).click();
    const dialog = tab.page.getByRole('dialog');
    await dialog.getByLabel('Reason').selectOption('identity-unverified');
    await dialog.getByLabel(/A word to the applicant/).fill('the page of contact does not open');
    await dialog.getByRole('button', { name: 'Turn away' }).click();
    await dialog.waitFor({ state: 'detached' });
    await requests.getByText('turned away').waitFor();
    const { body } = await consortium.call('guangzhou', 'GET', `/v1/joins/${String(id)}`);
    expect(body).toMatchObject({ status: 'turned-away', answer: { reason: 'identity-unverified', note: 'the page of contact does not open' } });
    expect(tab.faults).toEqual([]);
  });

  it('shows an operator neither accounts nor the audit log, and an administrator its own acts', async () => {
    const operator = await signedIn('operator');
    expect(await operator.page.getByRole('navigation').first().getByRole('link', { name: /Accounts|Audit log/ }).count()).toBe(0);
    await operator.go('/audit-log');
    await operator.page.getByText('FORBIDDEN').first().waitFor();

    const administrator = await signedIn('administrator');
    await administrator.go('/audit-log?act=session');
    await administrator.page.getByRole('row').filter({ hasText: 'chen' }).filter({ hasText: 'sign-in' }).first().waitFor();
  });

  it('is worked by the keyboard alone: in, past the navigation, into a record and back', async () => {
    const tab = await open();
    const { keyboard } = tab.page;
    await tab.page.getByRole('heading', { level: 1 }).waitFor();
    await keyboard.type(people.operator);
    await keyboard.press('Tab');
    await keyboard.type(password);
    await keyboard.press('Enter');
    await tab.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const reach = async (name: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        const text = await tab.page.evaluate(() => document.activeElement?.textContent ?? '');
        if (name.test(text)) return;
        await keyboard.press('Tab');
      }
      throw new Error(`the keyboard does not reach ${String(name)}`);
    };
    await tab.page.evaluate(() => { (document.activeElement as HTMLElement | null)?.blur(); });
    await reach(/^Skip to content$/);
    await reach(/^Records$/);
    await keyboard.press('Enter');
    await tab.page.getByRole('heading', { level: 1, name: 'Records' }).waitFor();
    await tab.settled();
    // The heading has the focus now, and the list is behind it.
    await reach(/^(Entity|Qualification|Performance|Personnel|Credit|Supervision|Project)/);
    await keyboard.press('Enter');
    await tab.page.getByRole('heading', { level: 1, name: 'Life of a record' }).waitFor();
    await reach(/^Back to the records$/);
    await keyboard.press('Enter');
    await tab.page.getByRole('heading', { level: 1, name: 'Records' }).waitFor();
  });

  it('says what to do where the node does not answer, and where a session has ended', async () => {
    const tab = await signedIn('administrator');
    await tab.page.route('**/v1/records?**', async (route) => { await route.abort(); });
    await tab.go('/records');
    const alert = tab.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/The node does not answer[^]*Next step[^]*EXCHANGE_FAILED/);
    await tab.page.unroute('**/v1/records?**');
    await alert.getByRole('button', { name: 'Try again' }).click();
    await tab.page.getByRole('row').nth(1).waitFor();

    const { body } = await consortium.call('guangzhou', 'GET', '/v1/sessions', undefined, 'operator');
    for (const { handle } of (body['items'] as { handle: string }[])) await fetch(`${consortium.api('guangzhou').url}/v1/sessions/${handle}`, { method: 'DELETE', headers: { authorization: `Bearer ${consortium.operatorToken('guangzhou')}` } });
    await tab.page.getByRole('navigation').first().getByRole('link', { name: 'Health and doctor' }).click();
    await tab.page.getByText('The session has ended. Please sign in again.').waitFor();
  });
});
