import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { flagCodes, kindDefinition, type Flag, type JsonObject } from '@huilian/protocol';
import { systemClock } from '../src/adapters/system/system-clock.js';
import { CheckLinks } from '../src/core/links/check-links.js';
import type { Clock } from '../src/core/ports.js';
import { ViewOwner } from '../src/core/owner-view/view-owner.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { qualification, stream } from './sample-lines.js';

const [company, other] = ['91440105MA6NNHC07C', '91440106MABAY5U732'];
const today = Date.parse('2026-11-30T12:00:00+08:00');

/** The data of an invented record of the vectors, changed where a case needs it. */
function like(kind: string, changes: Readonly<Record<string, JsonObject>> = {}, name = `${kind} 1`): JsonObject {
  const { cases } = JSON.parse(readFileSync(new URL(`../../tests/vectors/valid/kind-${kind}.json`, import.meta.url), 'utf8')) as { cases: { name: string; input: Record<string, JsonObject> }[] };
  const data = (cases.find((entry) => entry.name === name) ?? cases[0])?.input ?? {};
  return { ...data, ...Object.fromEntries(Object.entries(changes).map(([claim, fields]) => [claim, { ...data[claim], ...fields }])) };
}

const section = 'A4401067922390781001001';
const notice = (award: JsonObject, code = 'A4401067922390781'): JsonObject => {
  const { investmentCode: _code, ...project } = like('project')['project'] as JsonObject;
  return { ...like('project'), project: { ...project, code }, tender: { code: `${code}001`, type: 'A07' }, section: { code: `${code}001001`, name: '示例标段' }, award: { winner: company, winnerName: '示例企业（虚构）', amount: '4001682200', awardedOn: '2022-10-01', ...award } };
};
const employed = (employer: string, onJob = true): JsonObject => like('personnel', { employment: { employer, onJob } });
const credit = (entry: JsonObject, more: JsonObject): JsonObject => ({ entry, body: { uscc: company, name: '示例企业（虚构）' }, disclosure: { scope: '2' }, ...more });
const finding = { reason: '示例处罚', recordedAt: '2025-01-02T10:00:00+08:00', authority: '示例行政监督部门' };
const withdrawal = (blacklistCode: string, uscc = company): JsonObject => ({ ...credit({ category: 'withdrawal', code: blacklistCode }, { withdrawal: { blacklistCode, reason: '示例：已完成信用修复', proposer: '示例部门', appliedOn: '2025-06-20' } }), body: { uscc, name: '示例企业（虚构）' } });
const expired = (index: number, change: JsonObject = {}): JsonObject => ({ ...qualification(index), certificate: { ...(qualification(index)['certificate'] as JsonObject), ...change } });

let folder: string;
let consortium: Consortium;
let node: PublishingNode;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-links-'));
  consortium = await startConsortium(folder, ['credit', 'performance', 'personnel', 'project', 'qualification']);
  node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As many ids as records. */
async function publish<const R extends readonly (readonly [kind: string, data: object])[]>(...records: R): Promise<{ -readonly [K in keyof R]: string }> {
  const answers = await node.publish(stream(...records.map(([kind, data]) => ({ kind, data }))));
  const ids = answers.flatMap((answer) => ('recordId' in answer ? [answer.recordId] : []));
  expect(ids, JSON.stringify(answers)).toHaveLength(records.length);
  await node.drained();
  return ids as { -readonly [K in keyof R]: string };
}

function checker(now = today, waiting = 0): CheckLinks {
  const clock: Clock = { ...systemClock, now: () => now };
  const { readModel, store, vault } = node;
  return new CheckLinks({ clock, find: kindDefinition, keys: { localIdKey: new Uint8Array(32).fill(7), memberId: 'river' }, onFault: (error) => { throw error; }, readModel, store, vault, waiting: () => Promise.resolve(waiting) });
}

async function through(links: CheckLinks): Promise<void> {
  while (await links.step()) { /* goes on where it stopped */ }
}

async function flagsOf(links: CheckLinks): Promise<Flag[]> {
  const found: Flag[] = [];
  for await (const [, { code, recordIds }] of links.flags()) found.push({ code, recordIds });
  return found;
}

async function rows(): Promise<string> {
  let text = '';
  for await (const [key, value] of node.store.entries({ gte: 'links/', lt: 'links/~' })) text += `${key} ${Buffer.from(value).toString('utf8')}\n`;
  return text;
}

describe('link checks', () => {
  it('flag an invented case of each check, and nothing where records agree', async () => {
    const [right, agreeing] = await publish(['performance', like('performance')], ['project', notice({})]);
    const links = checker();
    await through(links);
    expect(await flagsOf(links)).toEqual([]);

    const [wrongAmount, lateContract, lateNotice, wrongWinner, otherWinner] = await publish(
      ['performance', like('performance', { section: { tenderProjectCode: 'A4401067922390782001', sectionCode: 'A4401067922390782001001' }, contract: { amount: '1' } })],
      ['performance', like('performance', { section: { tenderProjectCode: 'A4401067922390783001', sectionCode: 'A4401067922390783001001' } })],
      ['project', notice({ awardedOn: '2022-12-24' }, 'A4401067922390783')],
      ['performance', like('performance', { section: { tenderProjectCode: 'A4401067922390784001', sectionCode: 'A4401067922390784001001' } })],
      ['project', notice({ winner: other }, 'A4401067922390784')],
    );
    const [noticeOfAmount] = await publish(['project', notice({}, 'A4401067922390782')]);
    const [first, second, past] = await publish(
      ['qualification', qualification(1)],
      ['qualification', qualification(1, { uscc: other })],
      ['qualification', expired(2, { end: '2026-11-29' })],
    );
    const [here, there] = await publish(['personnel', employed(company)], ['personnel', employed(other)]);
    const [listed, ended, unknown, ofAnother] = await publish(
      ['credit', credit({ category: 'blacklist', code: 'BL-1' }, { finding })],
      ['credit', withdrawal('BL-1')],
      ['credit', withdrawal('BL-2')],
      ['credit', withdrawal('BL-1', other)],
    );
    await through(links);
    const pair = (...ids: string[]): string[] => ids.sort();
    const expected: Flag[] = [
      { code: 'award-amount-differs', recordIds: pair(wrongAmount, noticeOfAmount) },
      { code: 'award-winner-differs', recordIds: pair(wrongWinner, otherWinner) },
      { code: 'certificate-expired', recordIds: [past] },
      { code: 'certificate-under-two-holders', recordIds: pair(first, second) },
      { code: 'contract-before-award', recordIds: pair(lateContract, lateNotice) },
      { code: 'two-employers', recordIds: pair(here, there) },
      { code: 'withdrawal-of-another', recordIds: pair(ofAnother, listed) },
      { code: 'withdrawal-without-entry', recordIds: [unknown] },
    ];
    const found = await flagsOf(links);
    expect([...found].sort((left, right) => left.code.localeCompare(right.code))).toEqual(expected);
    expect(found.flatMap(({ recordIds }) => recordIds).filter((id) => [right, agreeing, ended].includes(id))).toEqual([]);
    expect([...(await links.counts()).entries()].every(([code, count]) => count === 1 && code in flagCodes)).toBe(true);
    // A whole run comes to what came record by record.
    await links.restart();
    await through(links);
    expect(await flagsOf(links)).toEqual(found);
    expect(links.ofRecords([here]).map(({ code }) => code)).toEqual(['two-employers']);
  });

  it('keep keyed hashes and no value of a record', async () => {
    const kept = await rows();
    const { certificate, person } = employed(company) as Record<string, JsonObject>;
    for (const value of [person?.['idNumber'], certificate?.['number'], qualification(1)['certificate'], section, 'BL-1', '2026-11-29', company]) expect(kept).not.toContain(typeof value === 'object' ? String((value as JsonObject)['number']) : String(value));
    expect(kept).toMatch(/links\/g\/employer\/[0-9a-f]{32}\//);
  });

  it('take a flag back when the record is mended, and see a certificate run out by itself', async () => {
    const links = checker();
    const [past] = await publish(['qualification', expired(2, { end: '2027-01-01' })]);
    await publish(['personnel', employed(other, false)]);
    await through(links);
    const codes = (await flagsOf(links)).map(({ code }) => code);
    expect(codes).not.toContain('certificate-expired');
    expect(codes).not.toContain('two-employers');
    // The next day with a reason to look is one on which the certificate has run out.
    const later = checker(Date.parse('2027-01-02T00:30:00+08:00'));
    await through(later);
    expect((await flagsOf(later)).filter(({ code }) => code === 'certificate-expired')).toContainEqual({ code: 'certificate-expired', recordIds: [past] });
  });

  it('stand in the view of an owner, with certificates as of a day', async () => {
    const links = checker();
    await through(links);
    const view = new ViewOwner(node.readModel, node.vault, 'river', kindDefinition, links, { ...systemClock, now: () => today });
    const { asOf, flags, partial, things, unreadable } = await view.view(`org:${company}`);
    expect({ asOf, partial, unreadable }).toEqual({ asOf: '2026-11-30', partial: false, unreadable: [] });
    expect(flags.map(({ code }) => code)).toEqual(expect.arrayContaining(['award-amount-differs', 'certificate-under-two-holders', 'withdrawal-without-entry']));
    expect(things.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['credit', 'performance', 'personnel', 'qualification']));
    const { flags: future } = await view.view(`org:${company}`, 'qualification', '2030-01-01');
    expect(future.filter(({ code }) => code === 'certificate-expired').length).toBeGreaterThan(1);
  });

  it('go with a record that is erased', async () => {
    const links = checker();
    await through(links);
    const [recordId = ''] = (await flagsOf(links)).filter(({ code }) => code === 'certificate-under-two-holders').flatMap(({ recordIds }) => recordIds);
    expect(await rows()).toContain(recordId);
    await node.erasing.erase({ recordIds: [recordId] });
    await links.forgetErased();
    expect(await rows()).not.toContain(recordId);
    const view = new ViewOwner(node.readModel, node.vault, 'river', kindDefinition, links, systemClock);
    const owner = node.readModel.record(recordId)?.header.owner ?? '';
    const { unreadable } = await view.view(owner);
    expect(unreadable.map(({ recordId: id, unreadable: why }) => [id, why])).toEqual([[recordId, 'erased']]);
  });

  it('give way to publishing after each transaction, and lose no place', async () => {
    const before = await flagsOf(checker());
    const links = checker(today, 1001);
    await links.restart();
    expect([await links.step(), links.progress().day]).toEqual([true, '']);
    const { block, transaction } = links.progress();
    expect([await links.step(), links.progress().day]).toEqual([true, '']);
    expect([links.progress().block, links.progress().transaction]).not.toEqual([block, transaction]);
    await through(checker());
    expect(await flagsOf(checker())).toEqual(before);
  });

  it('run beside publishing, and stop', async () => {
    const links = checker();
    links.start();
    onTestFinished(async () => { await links.stop(); });
    const [past] = await publish(['qualification', expired(7, { end: '2025-01-01' })]);
    const deadline = performance.now() + 20_000;
    while (links.ofRecords([past]).length === 0 && performance.now() < deadline) await new Promise((resolve) => { setTimeout(resolve, 20); });
    expect(links.ofRecords([past]).map(({ code }) => code)).toEqual(['certificate-expired']);
  });
});
