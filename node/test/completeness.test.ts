// Which centre is late with what, over blocks that a test writes by hand and a clock that it sets.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beijingDay, bundledKind, canonicalBytes, dayStart, documentDigest, proposalId, stateKey, type JsonObject, type JsonValue } from '@huilian/protocol';
import { Catalogue } from '../src/core/catalog/catalogue.js';
import { Completeness } from '../src/core/completeness/completeness.js';
import { completenessCsv } from '../src/core/completeness/completeness-csv.js';
import type { CompletenessReport } from '../src/core/completeness/completeness-report.js';
import { fillDays } from '../src/core/completeness/fill-days.js';
import type { BlockTransaction, Clock } from '../src/core/ports.js';
import { batch, member, now, World } from './block-world.js';

type Written = Pick<BlockTransaction, 'time' | 'writes'>;

const day = 86_400;
const hour = 3600;
const founding = now - 100 * day;
const [today, yesterday] = [beijingDay(now), beijingDay(now - day)];

function row(key: string, value: JsonValue): { readonly key: string; readonly value: Uint8Array } {
  return { key, value: canonicalBytes(value) };
}

/** Adopted by a vote that was proposed so long ago. */
function adopted(action: 'publish-schema' | 'rule-set', content: JsonObject, at: number): Written {
  const proposal = proposalId({ action, content, round: 1 });
  const document = content['document'] as JsonObject;
  const common = { digest: documentDigest(document), document, proposal };
  const state = action === 'rule-set'
    ? row(stateKey('ruleSet', String(content['name']), Number(content['version'])), { ...common, name: String(content['name']), version: Number(content['version']) })
    : row(stateKey('schema', String(content['kind']), 1), { ...common, kind: String(content['kind']), version: 1 });
  return { time: at, writes: [row(stateKey('proposal', proposal), { action, approvals: [], content, id: proposal, proposedAt: at, proposer: 'river', rejections: [], round: 1, status: 'adopted' }), state] };
}

function declared(publisher: string, kind: string, on: string, expected: number): Written {
  return { time: now, writes: [row(stateKey('declaration', publisher, kind, on), { day: on, declaredAt: now, expected, kind, publisher })] };
}

function acknowledged(by: string, kind: string, at: number): Written {
  const digest = documentDigest(documentOf(kind));
  return { time: at, writes: [row(stateKey('acknowledgement', by, 'schema', kind, 1), { at, digest, id: kind, member: by, of: 'schema', version: 1 })] };
}

function documentOf(kind: string): JsonObject {
  return bundledKind(kind, 1)?.document ?? {};
}

/** Two centres and a bank, two kinds in force, seen by `river`. */
class Counted {
  public readonly world = new World();
  public time = now;
  public readonly completeness: Completeness;

  private constructor() {
    const clock: Clock = { now: () => this.time * 1000, sleep: () => Promise.resolve() };
    const { readModel } = this.world;
    this.completeness = new Completeness({ catalogue: new Catalogue(readModel, clock, 30), clock, memberId: 'river', readModel, arrivedOn: () => ({ received: 0, refused: 0, published: 0 }) });
  }

  public static async open(): Promise<Counted> {
    const counted = new Counted();
    const admittedAt = founding;
    await counted.world.block({ time: founding, writes: [member('river', 'centre', { admittedAt }), member('hill', 'centre', { admittedAt }), member('bank', 'institution', { admittedAt })] });
    for (const kind of ['credit', 'qualification']) await counted.world.block(adopted('publish-schema', { document: documentOf(kind), kind }, founding));
    return counted;
  }

  public async rules(document: JsonObject, at = now - 10 * day): Promise<void> {
    await this.world.block(adopted('rule-set', { document, name: 'completeness', version: 1 }, at));
  }

  /** State and missing rows of a day, `-` where the report has no such day. */
  public async on(centre: string, kind: string, of: string): Promise<string> {
    const { days } = await this.completeness.report({ centre, kind });
    const found = days.find((one) => one.day === of);
    return found === undefined ? '-' : `${found.state} ${String(found.missing)}`;
  }
}

describe('declared days', () => {
  test('are complete, waiting or late, to the second of their deadline', async () => {
    const counted = await Counted.open();
    await counted.world.block(declared('hill', 'credit', today, 3), declared('hill', 'qualification', today, 2));
    await counted.world.block(batch('hill', 1, 1, now, 'credit'), batch('hill', 2, 2, now, 'qualification'));
    expect([await counted.on('hill', 'credit', today), await counted.on('hill', 'qualification', today)]).toEqual(['waiting 2', 'complete 0']);
    // Without a rule set: the end of the next day in Beijing.
    counted.time = dayStart(today) + 2 * day;
    expect(await counted.on('hill', 'credit', today)).toBe('waiting 2');
    counted.time += 1;
    expect(await counted.on('hill', 'credit', today)).toBe('late 2');
    await counted.world.block(batch('hill', 3, 2, counted.time, 'credit'));
    expect(await counted.on('hill', 'credit', today)).toBe('complete 0');
  });

  test('have the deadline that a vote set for their kind', async () => {
    const counted = await Counted.open();
    await counted.rules({ kinds: { credit: { days: 0, hour: 20 } }, default: { days: 3, hour: 23 } });
    await counted.world.block(declared('hill', 'credit', today, 1), declared('hill', 'qualification', today, 1));
    const { days } = await counted.completeness.report();
    expect(days.map(({ deadline, kind }) => [kind, deadline])).toEqual([['credit', dayStart(today) + 21 * hour], ['qualification', dayStart(today) + 4 * day]]);
  });

  test('are owed where the rules say so: a centre that declares nothing is late by name, one that is suspended owes nothing', async () => {
    const counted = await Counted.open();
    await counted.rules({ kinds: { credit: { daily: true, days: 0, hour: 8 } } }, now - 2 * day);
    await counted.world.block(declared('river', 'credit', yesterday, 0), declared('river', 'credit', today, 0));
    // 16:00 of today: both days are over at 9:00. The day before yesterday had begun when the rules came.
    expect((await counted.completeness.report({ state: 'late' })).days.map(({ centre, day: on, expected }) => [centre, on, expected])).toEqual([['hill', today, undefined], ['hill', yesterday, undefined]]);
    // Both schemas are long out; the 48 hours of the rules themselves end this second.
    expect((await counted.completeness.report()).late).toEqual([
      { member: 'bank', days: 0, rows: 0, documents: 2 }, { member: 'hill', days: 2, rows: 0, documents: 2 }, { member: 'river', days: 0, rows: 0, documents: 2 },
    ]);
    expect(await counted.completeness.late()).toEqual({ own: { days: 0, documents: 2 }, others: { days: 2, documents: 4 } });
    await counted.world.block({ time: now, writes: [member('hill', 'centre', { admittedAt: founding, status: 'suspended' })] });
    expect((await counted.completeness.report({ centre: 'hill' })).late).toEqual([]);
    expect((await counted.completeness.late()).others).toEqual({ days: 0, documents: 2 });
  });

  test('that nobody declared are named as that once rows of them came', async () => {
    const counted = await Counted.open();
    // Three more make up for a day of before, and are none of today.
    await counted.world.block(batch('hill', 1, 5, now - day), declared('hill', 'credit', beijingDay(now - 2 * day), 3), batch('hill', 2, 3, now, 'credit'));
    expect((await counted.completeness.report({ kind: 'credit' })).days.map(({ confirmed, day: on }) => [on, confirmed])).toEqual([[beijingDay(now - 2 * day), 3]]);
    expect((await counted.completeness.report({ kind: 'qualification' })).days).toEqual([{ centre: 'hill', kind: 'qualification', day: yesterday, confirmed: 5, missing: 0, deadline: dayStart(today) + day, state: 'undeclared' }]);
  });

  test('are judged alike whatever days are shown, and not shown where 92 days do not reach', async () => {
    const counted = await Counted.open();
    const old = beijingDay(now - 20 * day);
    await counted.world.block(declared('hill', 'credit', old, 4), declared('hill', 'credit', today, 2));
    await counted.world.block(batch('hill', 1, 5, now, 'credit'));
    // Today's two come first; three make up for the old day, which still lacks one.
    for (const from of [old, today]) expect((await counted.completeness.report({ from })).days.map(({ confirmed, day: on, missing }) => [on, confirmed, missing])).toEqual([[today, 2, 0], ...(from === old ? [[old, 3, 1]] : [])]);
    expect((await counted.completeness.report()).late).toContainEqual({ member: 'hill', days: 1, rows: 1, documents: 2 });
    await expect(counted.completeness.report({ from: beijingDay(now - 93 * day) })).rejects.toMatchObject({ code: 'BAD_FIELD', details: { reason: 'too-many-days' } });
    await expect(counted.completeness.report({ from: today, to: yesterday })).rejects.toMatchObject({ code: 'BAD_FIELD', details: { reason: 'before-from' } });
  });
});

describe('adopted documents', () => {
  test('wait for every member, and are late after the time that a vote gives', async () => {
    const counted = await Counted.open();
    await counted.rules({ acknowledge: { hours: 2 } }, now - day);
    await counted.world.block(acknowledged('river', 'credit', now), acknowledged('hill', 'credit', now + 5));
    const credit = async (): Promise<CompletenessReport['documents'][number] | undefined> => (await counted.completeness.report()).documents.find(({ id }) => id === 'credit');
    counted.time = now + 2 * hour;
    expect(await credit()).toMatchObject({ of: 'schema', version: 1, acknowledged: [{ member: 'hill', at: now + 5 }, { member: 'river', at: now }], missing: ['bank'], deadline: now + 2 * hour, late: false });
    counted.time += 1;
    expect(await credit()).toMatchObject({ missing: ['bank'], late: true });
    await counted.world.block(acknowledged('bank', 'credit', counted.time));
    expect(await credit()).toMatchObject({ missing: [], late: false });
  });

  test('and days are one list as CSV', async () => {
    const counted = await Counted.open();
    await counted.world.block(declared('hill', 'credit', today, 3), acknowledged('hill', 'credit', now - 3 * day), acknowledged('bank', 'credit', now));
    expect(completenessCsv(await counted.completeness.report({ kind: 'credit' })).split('\r\n')).toEqual([
      '\u{feff}what,member,kind,day,expected,received,refused,published,confirmed,missing,deadline,state',
      `rows,hill,credit,${today},3,,,,0,3,2027-01-16T16:00:00.000Z,waiting`,
      'document,river,schema/credit/1,,,,,,,,2027-01-14T08:00:00.000Z,late',
      '',
    ]);
  });
});

describe('rows laid against declared days', () => {
  const counts = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 9 });
  const named = (numbers: readonly number[]): ReadonlyMap<string, number> => new Map(numbers.map((count, at) => [`2027-01-0${String(at + 1)}`, count]));

  test('none is lost or counted twice, and none counts for a day that had not come', () => {
    fc.assert(fc.property(counts, counts, (expected, published) => {
      const filled = [...fillDays(named(expected), named(published))].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one);
      const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
      expect(sum(filled.map(({ confirmed }) => confirmed))).toBe(sum(published));
      filled.forEach(({ confirmed, missing }, at) => {
        expect(missing).toBe(Math.max(0, (expected[at] ?? 0) - confirmed));
        // Up to any day no more is confirmed of it and what follows than was published since it began.
        expect(sum(filled.slice(at).map((one) => one.confirmed))).toBeLessThanOrEqual(sum(published.slice(at)));
      });
    }), { seed: 20261201 });
  });

  test('a day gets its own rows first, and what is over goes to the oldest that lacks some', () => {
    const filled = fillDays(named([5, 4, 3]), named([2, 4, 9]));
    expect([...filled.values()]).toEqual([{ confirmed: 5, missing: 0 }, { confirmed: 4, missing: 0 }, { confirmed: 6, missing: 0 }]);
    expect([...fillDays(named([5, 4, 3]), named([9, 0, 4])).values()]).toEqual([{ confirmed: 9, missing: 0 }, { confirmed: 1, missing: 3 }, { confirmed: 3, missing: 0 }]);
  });
});
