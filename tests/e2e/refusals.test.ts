// Every refusal, on every surface it has. The cases stand in tests/vectors/refusals.json: name, code, the attacks it
// answers, and for each of the four surfaces 'driven' or the reason why there is none. How to add one: write it into the
// file, and write its drivers under the same name in one of tests/e2e/refusals/*-cases.ts. A new code of the catalogue
// needs a case, or an entry under `elsewhere` that names the test in which the code is seen, or says why no caller meets it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '@huilian/protocol';
import { readJson, root } from './main-job.js';
import { PersonalScan } from './privacy/personal-scan.js';
import { inventedIds } from './privacy/try-out-hashes.js';
import { RunningConsortium } from './running-consortium.js';
import { AccessDoor } from './refusals/access-door.js';
import { batchCases } from './refusals/batch-cases.js';
import { grantCases } from './refusals/grant-cases.js';
import { governanceCases } from './refusals/governance-cases.js';
import { httpCases } from './refusals/http-cases.js';
import { ownerCases } from './refusals/owner-cases.js';
import { recordCases } from './refusals/record-cases.js';
import { requestCases } from './refusals/request-cases.js';
import { suspendedCases } from './refusals/suspended-cases.js';
import { toldApart } from './refusals/told-apart.js';
import { ticketCases } from './refusals/ticket-cases.js';
import { expectRefused, surfaces, type RefusalCase, type Surface, type World } from './refusals/surfaces.js';

interface WrittenCase {
  readonly case: string;
  readonly code: string;
  readonly attacks?: readonly string[];
  /** `driven`, or a key of `reasons`. */
  readonly surfaces: Readonly<Record<Surface, string>>;
}

interface Elsewhere {
  readonly reason: string;
  /** Of an attack that has no case: for each surface `seen`, or a key of `reasons`. */
  readonly surfaces?: Readonly<Record<Surface, string>>;
  /** Tests in which it is seen. */
  readonly seen?: readonly string[];
}

const written = readJson<{
  readonly cases: readonly WrittenCase[];
  readonly reasons: Readonly<Record<string, string>>;
  readonly elsewhere: { readonly codes: Readonly<Record<string, Elsewhere>>; readonly attacks: Readonly<Record<string, Elsewhere>> };
}>(path.join(root, 'tests', 'vectors', 'refusals.json'));

const numbered = (letter: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${letter}${String(at + 1)}`);
/** The attacks of the threat model: forged grants, replays, other domains, privileges, injection, exhaustion, leaks. */
const attacks = [['G', 12], ['R', 10], ['C', 6], ['P', 12], ['J', 8], ['X', 8], ['L', 7]].flatMap(([letter, count]) => numbered(String(letter), Number(count)));

describe('the list of refusals', () => {
  const codes = new Set(written.cases.map(({ code }) => code));

  it('names each case once', () => {
    expect(new Set(written.cases.map((one) => one.case)).size).toBe(written.cases.length);
  });

  it('has every code of the catalogue, in a case or with the place where it is seen', () => {
    const missing = Object.keys(errorCatalogue).filter((code) => !codes.has(code) && !Object.hasOwn(written.elsewhere.codes, code));
    expect(missing).toEqual([]);
    expect([...codes, ...Object.keys(written.elsewhere.codes)].filter((code) => !Object.hasOwn(errorCatalogue, code))).toEqual([]);
  });

  it('has every attack, in a case or with a reason', () => {
    const known = new Set(written.cases.flatMap((one) => one.attacks ?? []));
    expect(attacks.filter((attack) => !known.has(attack) && !Object.hasOwn(written.elsewhere.attacks, attack))).toEqual([]);
    expect([...known, ...Object.keys(written.elsewhere.attacks)].filter((attack) => !attacks.includes(attack))).toEqual([]);
  });

  it('names tests that there are, and codes that stand in them', () => {
    for (const [code, { seen = [], reason }] of Object.entries(written.elsewhere.codes)) {
      expect(reason.length, code).toBeGreaterThan(10);
      for (const file of seen) expect(readFileSync(path.join(root, file), 'utf8'), `${code} in ${file}`).toContain(code);
    }
    for (const [attack, { seen = [], reason }] of Object.entries(written.elsewhere.attacks)) {
      expect(reason.length, attack).toBeGreaterThan(10);
      expect(seen.length, `${attack} is seen nowhere`).toBeGreaterThan(0);
      for (const file of seen) expect(existsSync(path.join(root, file)), `${attack}: ${file}`).toBe(true);
    }
  });

  it('says of each surface of an attack without a case where it is seen or why it is not there', () => {
    const inCases = new Set(written.cases.flatMap((one) => one.attacks ?? []));
    for (const attack of attacks.filter((one) => !inCases.has(one))) {
      for (const surface of surfaces) expect(['seen', ...Object.keys(written.reasons)], `${attack} ${surface}`).toContain(written.elsewhere.attacks[attack]?.surfaces?.[surface]);
    }
  });

  it('says of each surface that it is driven or why not', () => {
    for (const one of written.cases) for (const surface of surfaces) expect(['driven', ...Object.keys(written.reasons)], `${one.case} ${surface}`).toContain(one.surfaces[surface]);
  });
});

describe('refusals', () => {
  const local = new RunningConsortium();
  const expected = new Map<string, number>();
  const world: World = { local, expectWrites: (name, count = 1) => { expected.set(name, (expected.get(name) ?? 0) + count); } };
  let door: AccessDoor;
  let cases: Readonly<Record<string, RefusalCase>> = {};
  let height = 0;

  beforeAll(async () => {
    await local.start();
    const [entity = ''] = await local.records('entity', 'guangzhou');
    door = new AccessDoor(local, entity);
    cases = {
      ...grantCases(world, door),
      ...requestCases(world, door),
      ...(await ownerCases(world, door)),
      ...(await governanceCases(world, door)),
      ...(await suspendedCases(world, door)),
      ...(await batchCases(world, door)),
      ...(await recordCases(world, door)),
      ...ticketCases(world, door),
      ...httpCases(world, door),
    };
    height = (await local.consortium()).height;
  }, 240_000);
  afterAll(async () => {
    await door.close();
    await local.stop();
  });

  it('have a driver for each surface that the list says is driven, and no other', () => {
    const driven = Object.fromEntries(Object.entries(cases).map(([name, { drivers }]) => [name, Object.keys(drivers).sort()]));
    const listed = Object.fromEntries(written.cases.map((one) => [one.case, surfaces.filter((surface) => one.surfaces[surface] === 'driven').sort()]));
    expect(driven).toEqual(listed);
  });

  it('have a good twin: what they change is what they are refused for', async () => {
    const grant = await local.grant({ maxUses: 4 });
    world.expectWrites('access:open', 4);
    expect(await door.bySdk({ grant })).toBeUndefined();
    expect(await door.byHttp({ grant })).toBeUndefined();
    expect(await door.byCommand({ grant })).toBeUndefined();
    expect(await door.byContract({ grant, slot: 4 })).toBeUndefined();
  }, 120_000);

  for (const one of written.cases) {
    it.concurrent(`${one.case}: ${one.code}`, async () => {
      const { drivers, hidden = [] } = cases[one.case] ?? { drivers: {} };
      const driven = surfaces.flatMap((surface) => (drivers[surface] === undefined ? [] : [{ driver: drivers[surface], surface }]));
      const answers = await Promise.all(driven.map(async ({ driver, surface }) => ({ refused: await driver(), surface })));
      for (const { refused, surface } of answers) expectRefused(refused, one.code, hidden, surface);
    }, 120_000);
  }

  it('left nothing on the ledger: every write is one that a preparation made', async () => {
    await local.whenLevel();
    const writing = (await local.transactionsSince(height)).filter(({ code, writes }) => code === 'VALID' && writes.length > 0);
    const found = new Map<string, number>();
    for (const { function: name, writes } of writing) {
      const tickets = writes.filter(({ key }) => key.startsWith('\u0000ticket\u0000')).length;
      found.set(name, (found.get(name) ?? 0) + Math.max(1, tickets));
    }
    // Nodes confirm receipts and acknowledge adopted documents by themselves.
    const byThemselves = new Set(['access:confirm', 'governance:acknowledge']);
    expect(Object.fromEntries([...found].filter(([name]) => !byThemselves.has(name)))).toEqual(Object.fromEntries(expected));
  }, 120_000);

  toldApart(local);

  it('leave nothing on the ledger by which one of 1,000 published identity numbers can be tried out', async () => {
    const [sample] = readJson<{ cases: { input: { person: object; certificate: object } }[] }>(path.join(root, 'tests', 'vectors', 'valid', 'kind-personnel.json')).cases;
    const ids = inventedIds(1000);
    const before = (await local.consortium()).height;
    const rows = ids.map(({ birthDate, id }, at) => JSON.stringify({ data: { ...sample?.input, certificate: { ...sample?.input.certificate, number: `SAMPLE-${String(at)}` }, person: { ...sample?.input.person, birthDate, idNumber: id } }, kind: 'personnel' }));
    const { body } = await local.call('guangzhou', 'POST', '/v1/records', `${rows.join('\n')}\n`, 'operator');
    expect((body['lines'] as object[]).at(-1)).toEqual({ summary: { accepted: 1000, lines: 1000, refused: 0, unchanged: 0 } });
    await local.whenLevel();
    const scan = new PersonalScan(ids.map(({ id }, at) => ({ name: String(at), value: id })));
    const transactions = (await local.transactionsSince(before)).filter(({ function: name }) => name === 'records:publish');
    expect(transactions.length).toBeGreaterThan(0);
    for (const { args, response, writes } of transactions) {
      for (const argument of args) scan.bytes('arguments', argument, true);
      for (const bytes of [response, ...writes.flatMap(({ key, value }) => [Buffer.from(key), value ?? new Uint8Array()])]) scan.bytes('results', bytes);
    }
    expect(scan.bytesScanned).toBeGreaterThan(100_000);
    expect(scan.hits).toEqual([]);
  }, 120_000);
});
