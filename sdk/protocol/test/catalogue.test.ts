import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import type { JsonObject, JsonValue } from '@huilian/protocol';

const example = (name: string): JsonObject => JSON.parse(readFileSync(new URL(`../../../examples/kinds/${name}`, import.meta.url), 'utf8')) as JsonObject;

/** A document with one thing changed at a path of keys. */
function changed(document: JsonObject, path: readonly string[], value: JsonValue | undefined): JsonObject {
  const copy = structuredClone(document) as Record<string, JsonValue>;
  let place = copy;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string, JsonValue>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete place[last];
  else Object.defineProperty(place, last, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

function reasonOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof protocol.ProtocolError)) throw error;
    const { path, reason } = error.details;
    return path === undefined ? reason : `${String(reason)} ${String(path)}`;
  }
}

describe('the term of what a vote adopted', () => {
  const versions = [{ version: 1 }, { version: 2, effective: 100, retires: 300 }, { version: 3, effective: 200 }];

  it.each([[50, 1], [100, 2], [199, 2], [200, 3], [400, 3]])('at %i version %i is the one that counts: of those in force the newest', (at, version) => {
    expect(protocol.versionInForce(versions, at)?.version).toBe(version);
  });

  it('has a beginning, an end, and none in force outside them', () => {
    expect([99, 100, 299, 300].map((at) => protocol.termState({ effective: 100, retires: 300 }, at))).toEqual(['coming', 'in-force', 'in-force', 'retired']);
    expect(protocol.versionInForce([{ version: 1, effective: 100, retires: 300 }], 300)).toBeUndefined();
  });
});

describe('an example kind, and what is refused of such a document', () => {
  const document = example('forest-right-1.json');
  const place = ['properties', 'parcel', 'properties', 'place'] as const;
  const nested = (depth: number): JsonObject => (depth === 0 ? { type: 'string', pattern: '^a$' } : { type: 'object', additionalProperties: false, properties: { inner: nested(depth - 1) } });

  it('is read, and fit for use', () => {
    const kind = protocol.kindFromDocument(document);
    protocol.checkUsableKind(kind);
    expect(protocol.namedCodes(kind)).toEqual(['date', 'forest-type', 'project-code', 'region', 'uscc']);
    expect(protocol.namedCodes(kind).filter(protocol.needsCodeSet)).toEqual(['forest-type']);
  });

  it.each<readonly [string, readonly string[], JsonValue | undefined, string]>([
    ['a field __proto__', ['properties', 'parcel', 'properties', '__proto__'], { type: 'string' }, 'key-not-allowed'],
    ['a field constructor', ['properties', 'parcel', 'properties', 'constructor'], { type: 'string' }, 'field-name'],
    ['a claim toString', ['properties', 'toString'], { type: 'object', additionalProperties: false, properties: {} }, 'claim-name'],
    ['a kind constructor', ['x-huilian', 'kind'], 'constructor', 'kind'],
    ['a column __proto__', ['x-huilian', 'import', '__proto__'], { path: 'parcel.place', transform: 'text' }, 'key-not-allowed'],
    ['a field with a space', ['properties', 'parcel', 'properties', 'a b'], { type: 'string' }, 'field-name'],
    ['boxes in boxes in boxes', [...place], nested(9), 'too-deep'],
    ['an unbounded pattern', [...place, 'pattern'], '^.*$', 'pattern'],
    ['a pattern of Unicode properties', [...place, 'pattern'], '^\\p{Lu}{1,9}$', 'pattern'],
    ['a pattern without end', [...place, 'pattern'], `^${'a'.repeat(600)}$`, 'pattern'],
    ['a reference', [...place, '$ref'], '#/properties/holder', 'keyword'],
    ['a dynamic reference', [...place, '$dynamicRef'], '#x', 'keyword'],
    ['a title that clears the screen', [...place, 'title'], '\u001b[2J', 'title'],
    ['a title turned around', ['x-huilian', 'title'], { zh: '林\u202e权', en: 'Forest' }, 'title'],
    ['a negative bound', [...place, 'maxLength'], -1, 'maxLength'],
    ['an empty list of values', [...place, 'enum'], [], 'enum'],
    ['a list of lists of values', [...place, 'enum'], [['a']], 'enum'],
    ['a value twice', [...place, 'enum'], ['a', 'a'], 'enum'],
    ['a required field twice', ['properties', 'parcel', 'required'], ['code', 'code'], 'required'],
    ['a condition on a field that is none', ['allOf'], [{ if: { properties: { nothing: { const: 1 } } }, then: { required: ['deal'] } }], 'condition-properties'],
    ['a condition that asks for a claim that is none', ['allOf'], [{ if: { required: ['deal'] }, then: { required: ['nothing'] } }], 'condition-required'],
    ['half a condition', ['allOf'], [{ if: { required: ['deal'] } }], 'if'],
    ['dates that are none', ['x-huilian', 'dated'], 'parcel.place', 'dated'],
  ])('is refused with %s', (_, path, value, reason) => {
    expect(reasonOf(() => protocol.kindFromDocument(changed(document, path, value)))).toBe(reason);
  });

  it.each<readonly [string, readonly string[], JsonValue, string]>([
    ['an owner that is any text', ['x-huilian', 'owner'], 'holder.name', 'owner'],
    ['an owner that may be missing', ['properties', 'holder', 'required'], ['name'], 'owner'],
    ['a natural key that may be missing', ['x-huilian', 'naturalKey'], ['deal.projectCode'], 'natural-key'],
  ])('is not proposed with %s', (_, path, value, reason) => {
    expect(reasonOf(() => { protocol.checkUsableKind(protocol.kindFromDocument(changed(document, path, value))); })).toBe(reason);
  });
});

it('days in Beijing come by arithmetic as a calendar has them', () => {
  for (let second = -4_000_000_000; second < 9_999_999_999; second += 86_400 * 30 + 1234) {
    const day = new Date((second + 8 * 3600) * 1000).toISOString().slice(0, 10);
    expect([protocol.beijingDay(second), protocol.dayStart(day)]).toEqual([day, Date.parse(`${day}T00:00:00+08:00`) / 1000]);
  }
});

describe('code sets adopted by vote', () => {
  const set = (version: number, codes: JsonObject, term: protocol.Term = {}, name = 'forest-type'): protocol.CodeSetVersion => ({ name, version, document: { codes }, ...term });
  const midnight = (day: string): number => Date.parse(`${day}T00:00:00+08:00`) / 1000;
  const governed = new protocol.GovernedCodes([
    set(2, { 110: '用材林', 120: '经济林', 150: { zh: '特种用途林', from: '2024-03-01' } }, { effective: midnight('2024-01-01') }),
    set(1, { 110: '用材林', 140: { zh: '薪炭林', until: '2020-07-01' } }),
    set(1, { 440199: '示例新区', 440106: { zh: '天河区', until: '2024-01-01' } }, {}, 'region'),
    set(1, { anything: '任意' }, {}, 'uscc'),
  ]);
  const check = (word: string, code: string, day?: string): string => {
    const found = governed.check(word, code, '2026-06-01', day);
    return found.ok ? ['ok', ...found.warnings].join(' ') : found.reason;
  };

  it.each([
    ['forest-type', '110', undefined, 'ok'],
    ['forest-type', '120', '2023-12-31', 'unlisted'],
    ['forest-type', '120', '2024-01-01', 'ok'],
    ['forest-type', '140', '2019-01-01', 'ok'],
    ['forest-type', '140', '2021-01-01', 'given-no-more'],
    ['forest-type', '150', '2024-02-29', 'not-given-yet'],
    ['forest-type', '999', undefined, 'unlisted'],
    ['nobody-voted', '1', undefined, 'set-unknown'],
    // The vote's additions, and what this software brings along behind them.
    ['region', '440199', undefined, 'ok'],
    ['region', '440105', undefined, 'ok'],
    ['region', '440106', undefined, 'ok code-retired'],
    ['region', '440106', '2023-01-01', 'ok'],
    ['region', '440106', '2025-01-01', 'given-no-more'],
    ['region', '999999', undefined, 'not-listed'],
    // Arithmetic is no list that a vote could add to.
    ['uscc', 'anything', undefined, 'format'],
    ['uscc', '91440105MA6NNHC07C', undefined, 'ok'],
  ])('%s %s on %s: %s', (word, code, day, outcome) => {
    const found = check(word, code, day);
    if (outcome === 'ok' || outcome.startsWith('ok ')) expect(found).toBe(outcome);
    else if (['not-listed', 'format'].includes(outcome)) expect(found).not.toMatch(/^ok/);
    else expect(found).toBe(outcome);
  });

  it('an old record is checked against the first version, not against one of after it', () => {
    expect(new protocol.GovernedCodes([set(1, { 110: '用材林' }, { effective: midnight('2024-01-01') })]).check('forest-type', '110', '2026-06-01', '2001-01-01')).toEqual({ ok: true, warnings: [] });
  });

  it.each<readonly [JsonObject, string | undefined]>([
    [{ codes: { 110: '用材林' } }, undefined],
    [{ codes: { 110: { zh: '用材林', en: 'Timber', from: '2020-01-01', until: '2021-01-01' } } }, undefined],
    [{ codes: { 110: 1 } }, 'code-entry'],
    [{ codes: { 110: { zh: '' } } }, 'code-title'],
    [{ codes: { 110: { zh: '林', more: 1 } } }, 'code-entry'],
    [{ codes: { 110: { zh: '林', from: '2020-02-30' } } }, 'code-day'],
    [{ codes: { 110: { zh: '林', from: '2021-01-01', until: '2020-01-01' } } }, 'code-term'],
    [{ codes: { 'a\u0007': '林' } }, 'code'],
  ])('%j is read, or refused with %s', (document, reason) => {
    expect(reasonOf(() => protocol.readCodes(document))).toBe(reason);
  });

  it('a document without codes is any document', () => {
    expect(protocol.readCodes({ regions: ['440100'] })).toBeUndefined();
  });
});

describe('a migration between two versions of a kind', () => {
  const [from, to] = [protocol.kindFromDocument(example('forest-right-1.json')), protocol.kindFromDocument(example('forest-right-2.json'))];
  const document = example('forest-right-1-to-2.json');
  const fault = (path: readonly string[], value: JsonValue | undefined): unknown => reasonOf(() => { protocol.checkMigration(protocol.readMigration(changed(document, path, value)), from, to); });

  it('holds where every field has its place', () => {
    protocol.checkMigration(protocol.readMigration(document), from, to);
    const data = { holder: { uscc: '91440105MA6NNHC07C', name: '示例' }, certificate: { number: 'LQ-1', issued: '2021-03-16' }, parcel: { code: 'P', region: '440105', area: '1', forestType: '120', place: '北坡' }, right: { type: 'contract', start: '2021-04-01', end: '2051-03-31' }, remarks: { text: '备注' } };
    expect(protocol.migrateData(protocol.readMigration(document), to, data)).toEqual({
      holder: data.holder,
      certificate: { ...data.certificate, state: 'valid' },
      parcel: { code: 'P', region: '440105', area: '1', forestType: '120', address: '北坡' },
      right: { ...data.right, type: 'contracted-management' },
    });
  });

  it.each<readonly [string, readonly string[], JsonValue | undefined, string]>([
    ['a field that is nowhere any more', ['dropped'], {}, 'field-lost remarks.text'],
    ['a field left out', ['fields', 'contact.phone'], undefined, 'field-lost contact.phone'],
    ['a drop without a reason', ['dropped', 'remarks.text'], { zh: '', en: 'x' }, 'length /dropped/remarks.text/zh'],
    ['a field both mapped and dropped', ['dropped', 'deal.amount'], { zh: '无', en: 'none' }, 'mapped-and-dropped deal.amount'],
    ['a drop of what is not there', ['dropped', 'remarks.more'], { zh: '无', en: 'none' }, 'unknown-field remarks.more'],
    ['a required field that nothing feeds', ['fields', 'certificate.state'], undefined, 'not-fed certificate.state'],
    ['a required field fed by one that may be missing', ['fields', 'certificate.state'], { from: 'certificate.issuer', values: { a: 'valid' } }, 'not-fed certificate.state'],
    ['a value that the new list lacks', ['fields', 'right.type'], { from: 'right.type' }, 'value-lost right.type'],
    ['a value changed into none of the new list', ['fields', 'right.type', 'values', 'contract'], 'lease', 'value-lost right.type'],
    ['a field from nowhere', ['fields', 'parcel.address'], { from: 'parcel.nowhere' }, 'unknown-field parcel.nowhere'],
    ['a field to nowhere', ['fields', 'parcel.nowhere'], { from: 'parcel.place' }, 'unknown-field parcel.nowhere'],
    ['another natural key', ['fields', 'certificate.number'], { from: 'parcel.code' }, 'field-lost certificate.number'],
    ['a natural key with a default', ['fields', 'parcel.code'], { from: 'parcel.code', value: 'P' }, 'natural-key'],
    ['another owner', ['fields', 'holder.uscc'], { from: 'holder.uscc', values: { '91440105MA6NNHC07C': 'x' } }, 'subject'],
    ['a way back', ['to'], 1, 'migration-order'],
    ['a field of its own', ['extra'], 1, 'undefined'],
  ])('is refused with %s', (_, path, value, reason) => {
    expect(String(fault(path, value))).toMatch(reason === 'undefined' ? /undefined/ : reason);
  });

  it('an optional claim whose needed part is missing is refused', () => {
    expect(fault(['fields', 'deal.signedOn'], undefined)).toBe('field-lost deal.signedOn');
    const dropping = changed(changed(document, ['fields', 'deal.signedOn'], undefined), ['dropped', 'deal.signedOn'], { zh: '无', en: 'none' });
    expect(reasonOf(() => { protocol.checkMigration(protocol.readMigration(dropping), from, to); })).toBe('not-fed deal.signedOn');
  });
});
