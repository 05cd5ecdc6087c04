import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import type { CodeCheck, JsonObject } from '@huilian/protocol';

// The vectors of codes and kinds; the other items run in vectors.test.ts.
interface ValidFile {
  readonly item: string;
  readonly cases: readonly { readonly name: string; readonly input: unknown; readonly expect: { readonly ok: true; readonly warnings?: readonly string[] } }[];
}
interface InvalidFile {
  readonly item: string;
  readonly cases: readonly { readonly name: string; readonly input: unknown; readonly code: string; readonly reason?: string; readonly problem?: string }[];
}

const folder = new URL('../../../tests/vectors/', import.meta.url);
const checks: Readonly<Record<string, (code: string) => CodeCheck>> = {
  uscc: protocol.checkUscc,
  'organisation-code': protocol.checkOrganisationCode,
  'id-number': protocol.checkIdNumber,
  region: protocol.checkRegion,
  'project-code': protocol.checkAnyProjectCode,
  'investment-project-code': protocol.checkInvestmentProjectCode,
  'unified-transaction-code': protocol.checkUnifiedTransactionCode,
  industry: protocol.checkIndustry,
  currency: protocol.checkCurrency,
};
const items = [...Object.keys(checks), ...protocol.bundledKinds().map(({ kind }) => `kind-${kind}`)];

function read<T>(where: 'valid' | 'invalid', item: string): T {
  return JSON.parse(readFileSync(new URL(`${where}/${item}.json`, folder), 'utf8')) as T;
}

describe.each(items)('vectors of %s', (item) => {
  const valid = read<ValidFile>('valid', item);
  const invalid = read<InvalidFile>('invalid', item);
  const check = checks[item];
  const kind = item.slice('kind-'.length);

  it('has at least 5 valid and 10 invalid cases', () => {
    expect(valid.cases.length).toBeGreaterThanOrEqual(5);
    expect(invalid.cases.length).toBeGreaterThanOrEqual(10);
  });

  it.each(valid.cases)('accepts $name', ({ input, expect: expected }) => {
    if (check !== undefined) expect(check(input as string)).toEqual(expected);
    else {
      const { ok, problems, warnings } = protocol.validateRecord(kind, 1, input);
      expect({ ok, problems, warnings: warnings.map(({ code }) => code) }).toEqual({ ok: true, problems: [], warnings: expected.warnings ?? [] });
    }
  });

  it.each(invalid.cases)('refuses $name', ({ input, reason, problem }) => {
    if (check !== undefined) {
      expect(check(input as string)).toEqual({ ok: false, reason });
    } else {
      const outcome = protocol.validateRecord(kind, 1, input);
      expect(outcome.ok).toBe(false);
      expect(outcome.problems.map(({ code }) => code)).toContain(problem);
    }
  });
});

describe('kinds', () => {
  it('bundles seven, each within the limit of a proposal, each with 4 to 8 claims', () => {
    expect(protocol.bundledKinds().map(({ kind }) => kind).sort()).toEqual(['credit', 'entity', 'performance', 'personnel', 'project', 'qualification', 'supervision']);
    for (const definition of protocol.bundledKinds()) {
      expect(protocol.canonicalBytes(definition.document).length).toBeLessThanOrEqual(protocol.limits.schemaDocumentBytes);
      expect(Object.keys(definition.claims).length).toBeGreaterThanOrEqual(4);
      expect(Object.keys(definition.claims).length).toBeLessThanOrEqual(8);
    }
  });

  it('names no claim that a kind does not have, prototype names included', () => {
    expect(protocol.describeClaim('credit', 'entry')).toMatchObject({ en: 'Entry' });
    for (const claim of ['constructor', '__proto__', 'toString', 'nothing']) expect(protocol.describeClaim('credit', claim)).toBeUndefined();
  });

  it('keeps natural persons out of the header', () => {
    const [personnel] = read<ValidFile>('valid', 'kind-personnel').cases;
    const facts = protocol.recordFacts('personnel', 1, personnel?.input as JsonObject);
    expect(facts.subject).toBe('');
    expect(facts.owner).toMatch(/^org:/);
  });

  it('says credit in the public scope is public and the rest the company’s own', () => {
    const cases = read<ValidFile>('valid', 'kind-credit').cases.map(({ input }) => input as { disclosure: { scope: string } });
    for (const data of cases) {
      expect(protocol.recordFacts('credit', 1, data as unknown as JsonObject).rights).toBe(data.disclosure.scope === '1' ? 'public' : 'owner');
    }
    expect(new Set(cases.map(({ disclosure }) => disclosure.scope)).size).toBe(2);
  });

  it('refuses a document whose facts do not fit it', () => {
    const document = protocol.kindDefinition('entity', 1)?.document as JsonObject;
    const facts = document['x-huilian'] as JsonObject;
    const spoilt = [{ ...facts, naturalKey: ['identity.nothing'] }, { ...facts, rights: ['everyone'] }, { ...facts, kind: 'sealed' }, { ...facts, owner: 7 }];
    for (const facts of spoilt) {
      expect(() => protocol.kindFromDocument({ ...document, 'x-huilian': facts as unknown as JsonObject })).toThrow('SCHEMA_INVALID');
    }
  });
});

describe('sample rows', () => {
  it('there are exactly the vectors this file knows', () => {
    const known = new Set(items.map((item) => `${item}.json`));
    const national = readdirSync(new URL('valid/', folder)).filter((name) => name.startsWith('kind-'));
    expect(national.filter((name) => !known.has(name))).toEqual([]);
  });
});
