import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beijingDay, bundledKinds, checkLinks, expiryFlags, flagCodes, linkKeys, mergeRecords, prefill, recordFacts, validateRecord, writeValue, type JsonObject, type ViewRecord } from '@huilian/protocol';

const owner = 'org:91440105MA6NNHC07C';
const centres = ['beijing', 'guangzhou', 'zhuhai'] as const;

function record(centre: string, kind: string, local: string, claims: JsonObject | undefined, more: Partial<ViewRecord> = {}): ViewRecord {
  return { attestations: [], ...(claims === undefined ? {} : { claims }), contested: false, digest: 'ab'.repeat(32), owner, publishedAt: 1_790_000_000, recordId: `${centre}/${kind}/${local.repeat(25)}a`, rights: 'owner', schema: 1, statements: [], status: 'active', subject: kind === 'personnel' ? '' : owner, version: 1, ...more };
}

const records = fc.array(
  fc.record({ centre: fc.constantFrom(...centres), name: fc.constantFrom('甲', '乙', '丙'), local: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 0, max: 3 }), status: fc.constantFrom('active' as const, 'active' as const, 'revoked' as const), version: fc.integer({ min: 1, max: 2 }), readable: fc.boolean() })
    .map(({ at, centre, local, name, readable, status, version }) => record(centre, 'entity', local, readable ? { identity: { name } } : undefined, { publishedAt: 1_790_000_000 + at, status, version })),
  { maxLength: 9 },
);

describe('merging records', () => {
  it('comes to the same in every order, names every record once and invents nothing', () => {
    fc.assert(
      fc.property(records, fc.func(fc.integer()), (given, order) => {
        // Two different contents under one id and version are for the ledger to expose.
        const distinct = [...new Map(given.map((entry) => [`${entry.recordId} ${String(entry.version)}`, entry])).values()];
        const merged = mergeRecords(distinct);
        expect(mergeRecords([...distinct].sort((left, right) => order(left) - order(right)))).toEqual(merged);
        const named = [...merged.things.flatMap((thing) => thing.records), ...merged.unreadable].map(({ recordId }) => recordId);
        expect(named.sort()).toEqual([...new Set(distinct.map(({ recordId }) => recordId))].sort());
        for (const { alternatives, disagree } of merged.things.flatMap(({ claims }) => claims)) {
          const names = alternatives.map(({ value }) => JSON.stringify(value));
          expect(new Set(names).size).toBe(names.length);
          const standing = alternatives.filter(({ from }) => from.some((source) => source.standing === 'current'));
          expect(disagree).toBe(standing.length > 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('knows one thing by its natural key, as the publisher made its id of it', () => {
    for (const kind of ['entity', 'performance', 'qualification']) {
      const definition = bundledKinds().find((known) => known.kind === kind);
      expect(definition?.naturalKey.length).toBeGreaterThan(0);
    }
    const data = { bidder: { uscc: owner.slice(4) }, section: { tenderProjectCode: 'A4401067922390781001', sectionCode: 'A4401067922390781001001', tenderProjectName: '示例', sectionName: '示例' }, contract: { amount: '1', currency: 'CNY', signedAt: '2022-10-21T09:30:00+08:00', tradeType: 'A07' } };
    const [thing] = mergeRecords([record('guangzhou', 'performance', 'a', data), record('zhuhai', 'performance', 'b', data)]).things;
    expect(Object.values(thing?.key ?? {})).toEqual(JSON.parse(recordFacts('performance', 1, data).naturalKey));
    expect(thing?.records).toHaveLength(2);
  });
});

describe('link checks over what a viewer may read', () => {
  const person = { idNumber: '440103198508031522' };
  const at = (centre: string, local: string, employer: string, onJob: boolean): ViewRecord => record(centre, 'personnel', local, { person, employment: { employer, onJob } }, { owner: `org:${employer}` });

  it('compare records of different centres', () => {
    const [here, there] = [at('guangzhou', 'a', '91440105MA6NNHC07C', true), at('zhuhai', 'b', '91440106MABAY5U732', true)];
    expect(checkLinks([here, there], '2026-11-30')).toEqual([{ code: 'two-employers', recordIds: [here.recordId, there.recordId] }]);
    expect(checkLinks([here, at('zhuhai', 'b', '91440106MABAY5U732', false)], '2026-11-30')).toEqual([]);
    expect(checkLinks([here, { ...there, status: 'revoked' }], '2026-11-30')).toEqual([]);
  });

  it('guess nothing of what is withheld', () => {
    const withheld = record('zhuhai', 'personnel', 'b', { employment: { employer: '91440106MABAY5U732', onJob: true } }, { owner: 'org:91440106MABAY5U732' });
    expect(checkLinks([at('guangzhou', 'a', '91440105MA6NNHC07C', true), withheld], '2026-11-30')).toEqual([]);
    const alone = record('zhuhai', 'credit', 'b', { entry: { category: 'withdrawal', code: 'BL-1' }, withdrawal: { blacklistCode: 'BL-1' } });
    expect(checkLinks([alone], '2026-11-30')).toEqual([]);
  });

  it('end a certificate after its last day, in Beijing', () => {
    const data = { certificate: { number: 'D1', end: '2026-11-30' } };
    const expired = (day: string): readonly string[] => expiryFlags({ recordId: 'r', kind: 'qualification', data }, day).map(({ code }) => code);
    expect([expired('2026-11-30'), expired('2026-12-01')]).toEqual([[], ['certificate-expired']]);
    expect(beijingDay(Date.parse('2026-11-30T16:00:00Z') / 1000)).toBe('2026-12-01');
    fc.assert(fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (moment) => { expect(beijingDay(moment)).toBe(new Date((moment + 8 * 3600) * 1000).toISOString().slice(0, 10)); }));
  });

  it('say every flag in two languages, and read what kinds declare', () => {
    for (const { en, zh } of Object.values(flagCodes)) expect([/^[ -~]+$/.test(en), /[\u4e00-\u9fff]/.test(zh)]).toEqual([true, true]);
    const paths = ['section.sectionCode', 'certificate.number', 'person.idNumber', 'withdrawal.blacklistCode'];
    const known = bundledKinds().flatMap(({ document }) => Object.entries(document['properties'] as JsonObject).flatMap(([claim, shape]) => Object.keys((shape as JsonObject)['properties'] ?? {}).map((field) => `${claim}.${field}`)));
    expect(paths.filter((path) => !known.includes(path))).toEqual([]);
    expect(linkKeys({ recordId: 'r', kind: 'entity', data: {} }, undefined)).toEqual([]);
  });
});

describe('writing values for a form', () => {
  it('rounds nothing', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (fen) => {
      const yuan = String(writeValue(fen.toString(), 'yuan'));
      const tenThousand = String(writeValue(fen.toString(), 'wan-yuan'));
      const [whole = '', part = ''] = tenThousand.split('.');
      expect(BigInt(yuan.replace('.', ''))).toBe(fen);
      expect(BigInt(whole + part.padEnd(6, '0'))).toBe(fen);
    }));
    expect(['yuan', 'wan-yuan', 'date-zh'].map((transform) => writeValue('示例', transform as 'yuan'))).toEqual([undefined, undefined, undefined]);
  });

  it('fills nothing from a record that does not stand', () => {
    const map = { format: 'field-map/1', form: '表（虚构）', fields: { name: { from: ['entity/identity.name'] } } };
    const gone = record('guangzhou', 'entity', 'a', { identity: { name: '甲' } }, { status: 'revoked' });
    const { fields, report } = prefill(mergeRecords([gone, { ...gone, recordId: gone.recordId.replace('guangzhou', 'zhuhai'), status: 'active', contested: true }]), map);
    expect({ fields, filled: report.filled, missing: report.missing }).toEqual({ fields: {}, filled: 0, missing: [{ field: 'name', why: 'empty' }] });
    expect(validateRecord('entity', 1, {}).ok).toBe(false);
  });
});
