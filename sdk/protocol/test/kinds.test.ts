import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import type { JsonObject, JsonValue, KindDefinition } from '@huilian/protocol';

const generated = new URL('../src/generated/', import.meta.url);
const kinds = protocol.bundledKinds();
const named = kinds.map((definition) => [definition.kind, definition] as const);

type Shape = Record<string, JsonValue> & { properties?: Record<string, Shape>; items?: Shape };

function claimsOf({ document }: KindDefinition): Record<string, Shape> {
  return document['properties'] as unknown as Record<string, Shape>;
}

function fieldsOf(claim: Shape | undefined): Record<string, Shape> {
  return claim?.properties ?? claim?.items?.properties ?? {};
}

describe('what is generated', () => {
  it.each(named)('%s is the document in its folder (else: npm run generate)', (kind, definition) => {
    const file = new URL(`../kinds/${kind}/1/schema.json`, import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(definition.document);
  });

  it('needs neither code generation nor a module loader, so it runs under any content security policy', () => {
    const forbidden = /\brequire\s*\(|\bFunction\s*\(|\beval\s*\(|^\s*import\b|\bimport\s*\(|\bawait\s/m;
    for (const name of ['validators.js', 'documents.js']) {
      expect(forbidden.exec(readFileSync(new URL(name, generated), 'utf8'))?.[0], name).toBeUndefined();
    }
  });
});

describe('bundled kinds', () => {
  it.each(named)('%s has titles in both languages for itself, every claim and every field', (_, definition) => {
    expect(definition.title.zh).toMatch(/\p{Script=Han}/u);
    for (const [claim, shape] of Object.entries(claimsOf(definition))) {
      const described = protocol.describeClaim(definition.kind, claim);
      expect(described).toMatchObject({ zh: definition.claims[claim]?.zh, en: definition.claims[claim]?.en, kind: definition.title });
      for (const [field, rule] of Object.entries(fieldsOf(shape))) {
        expect(rule['title'], `${claim}.${field}`).toMatch(/^[A-Z]/);
        expect(rule['x-title-zh'], `${claim}.${field}`).toBeTruthy();
      }
    }
  });

  it.each(named)('%s marks what names or reaches a person', (_, definition) => {
    // By the fields' own titles: names of persons, their numbers, phones, e-mail and addresses, bank accounts.
    const tells = /姓名|法定代表人|联系人|电话|邮箱|身份证件号|通讯地址|出生日期|账号|资格证书编号|投诉人/;
    for (const [claim, shape] of Object.entries(claimsOf(definition))) {
      const personal = Object.entries(fieldsOf(shape)).filter(([, rule]) => tells.test(String(rule['x-title-zh']))).map(([field]) => field);
      expect(definition.claims[claim]?.personal, claim).toEqual(expect.arrayContaining(personal));
    }
  });

  it.each(named)('%s states an owner that every record has, or none', (_, definition) => {
    expect(definition.rights.includes('owner')).toBe(definition.owner !== null);
    if (definition.owner === null) return;
    const [claim = '', field = ''] = definition.owner.split('.');
    expect(definition.requiredClaims).toContain(claim);
    expect(claimsOf(definition)[claim]?.['required']).toContain(field);
  });

  it.each(named)('%s knows no floating point number', (_, definition) => {
    for (const shape of Object.values(claimsOf(definition))) {
      for (const rule of Object.values(fieldsOf(shape))) expect(rule['type']).not.toBe('number');
    }
  });

  it('a person who changes employer has a record with each, since a record never changes owner', () => {
    const [first] = (JSON.parse(readFileSync(new URL('../../../tests/vectors/valid/kind-personnel.json', import.meta.url), 'utf8')) as { cases: { input: JsonObject }[] }).cases;
    const before = first?.input as JsonObject;
    const after = { ...before, employment: { ...(before['employment'] as JsonObject), employer: '91440101MA5CK8T02A' } };
    const [one, two] = [before, after].map((data) => protocol.recordFacts('personnel', 1, data));
    expect(two?.owner).not.toBe(one?.owner);
    expect(two?.naturalKey).not.toBe(one?.naturalKey);
  });

  it('ask for what a category needs only where there is a category', () => {
    const asked = (kind: string): string[] => protocol.validateRecord(kind, 1, {}).problems.map(({ path }) => path);
    expect(asked('credit').sort()).toEqual(['/body', '/entry']);
    expect(asked('supervision').sort()).toEqual(['/authority', '/item', '/section']);
  });

  it('refuse what they do not know', () => {
    expect(() => protocol.validateRecord('entity', 2, {})).toThrow('SCHEMA_UNKNOWN');
    expect(() => protocol.recordFacts('nothing', 1, {})).toThrow('SCHEMA_UNKNOWN');
    expect(protocol.kindDefinition('constructor', 1)).toBeUndefined();
    expect(protocol.describeClaim('entity', 'nothing')).toBeUndefined();
    expect(protocol.describeClaim('nothing', 'identity')).toBeUndefined();
  });
});

describe('a document before its adoption', () => {
  const entity = protocol.kindDefinition('entity', 1)?.document as JsonObject;

  /** The entity document with one thing changed at a path of keys. */
  function changed(path: readonly string[], value: JsonValue | undefined): JsonObject {
    const copy = structuredClone(entity) as Record<string, JsonValue>;
    let place = copy;
    for (const key of path.slice(0, -1)) place = place[key] as Record<string, JsonValue>;
    const last = path.at(-1) ?? '';
    if (value === undefined) delete place[last];
    else place[last] = value;
    return copy;
  }

  it('is read when nothing is wrong with it', () => {
    expect(protocol.kindFromDocument(entity)).toEqual(protocol.kindDefinition('entity', 1));
  });

  const facts = ['x-huilian'] as const;
  const name = ['properties', 'identity', 'properties', 'name'] as const;
  it.each<readonly [string, readonly string[], JsonValue | undefined]>([
    ['a fact nobody knows', [...facts, 'surprise'], 1],
    ['a fact missing', [...facts, 'linkChecks'], undefined],
    ['claims without words', [...facts, 'claims', 'identity'], null],
    ['a claim the properties lack', [...facts, 'claims', 'extra'], { en: 'Extra', personal: [], zh: '额外' }],
    ['a personal field that is none', [...facts, 'claims', 'identity', 'personal'], ['nothing']],
    ['an unknown transform', [...facts, 'import', 'LEGAL_NAME'], { path: 'identity.name', transform: 'constructor' }],
    ['an import path that leads nowhere', [...facts, 'import', 'LEGAL_NAME'], { path: 'identity.constructor', transform: 'text' }],
    ['a rule on rights that leads nowhere', [...facts, 'rightsWhen'], [{ equals: 1, path: 'no.such', rights: 'owner' }]],
    ['rights by rule that the kind does not allow', [...facts, 'rightsWhen'], [{ equals: '1', path: 'identity.codeType', rights: 'public' }]],
    ['owner’s rights without an owner', [...facts, 'owner'], null],
    ['an unknown link check', [...facts, 'linkChecks'], [{ code: 'whatever', en: 'x', paths: ['identity.name'], severity: 'error', zh: '某' }]],
    ['an unknown fact to fill', [...facts, 'importFill'], [{ column: 'A', path: 'identity.name' }]],
    ['a version that is no whole number', [...facts, 'version'], '1'],
    ['the reserved kind', [...facts, 'kind'], 'sealed'],
    ['an open claim', ['properties', 'identity', 'additionalProperties'], undefined],
    ['an open document', ['additionalProperties'], true],
    ['an open list', ['properties', 'attachments', 'maxItems'], undefined],
    ['an open entry of a list', ['properties', 'attachments', 'items', 'additionalProperties'], undefined],
    ['a field that may be anything', [...name], { title: 'Anything' }],
    ['a floating point number', [...name, 'type'], 'number'],
    ['a remote reference', [...name, '$ref'], 'https://sample.invalid/schema'],
    ['a keyword outside the vocabulary', [...name, 'format'], 'email'],
    ['an unknown code check', [...name, 'x-code'], 'constructor'],
    ['a code check in a list', ['properties', 'attachments', 'items', 'properties', 'name', 'x-code'], 'uscc'],
    ['a code check limited by a field that is none', [...name], { type: 'string', 'x-code': 'uscc', 'x-code-when': { equals: '1', field: 'nothing' } }],
    ['a pattern hidden in a nested choice', ['properties', 'identity', 'allOf'], [{ properties: { name: { pattern: '^(a{1,99}){1,99}$' } } }]],
    ['a pattern hidden in a condition', ['allOf'], [{ if: { properties: { identity: { properties: { name: { pattern: '^a+$' } } } } } }]],
    ['a condition hidden beside a field', [...name, 'if'], { pattern: '^a+$' }],
    ['a list of required fields that is none', ['properties', 'identity', 'required'], 'name'],
    ['a required field that the claim lacks', ['properties', 'identity', 'required'], ['nothing']],
    ['a bound that is no number', ['properties', 'attachments', 'maxItems'], '9'],
    ['a list of values that is none', [...name], { enum: 'a', title: 'A', type: 'string' }],
    ['a title that is none', [...name, 'title'], 1],
    ['properties that are none', ['properties', 'identity', 'properties'], 'x'],
  ])('is refused with %s', (_, path, value) => {
    expect(() => protocol.kindFromDocument(changed(path, value))).toThrow('SCHEMA_INVALID');
  });

  it.each(['status', 'version', 'iss', 'sub', 'vct'])('is refused with the claim %s, whose disclosure no reader would take', (claim) => {
    const document = changed(['properties', claim], claimsOf(protocol.kindDefinition('entity', 1) as KindDefinition)['identity']);
    expect(() => protocol.kindFromDocument(document)).toThrow('SCHEMA_INVALID {"reason":"claim-name"}');
  });

  it.each(['_sd', '...'])('is refused with the field %s, which a credential would read as something else', (field) => {
    const document = structuredClone(entity) as { properties: { identity: { properties: object } } };
    Object.defineProperty(document.properties.identity.properties, field, { value: { title: 'A', type: 'string' }, enumerable: true });
    expect(() => protocol.kindFromDocument(document as unknown as JsonObject)).toThrow('SCHEMA_INVALID {"reason":"field-name"}');
  });

  it('is refused with a claim name that no grant could carry', () => {
    const { identity, ...rest } = claimsOf(protocol.kindDefinition('entity', 1) as KindDefinition);
    const document = { ...entity, properties: { ...rest, 'Identity/all': identity as JsonObject } } as unknown as JsonObject;
    expect(() => protocol.kindFromDocument(document)).toThrow('SCHEMA_INVALID');
  });

  it('is refused when it is too large for a proposal', () => {
    expect(() => protocol.kindFromDocument(changed([...name, 'description'], 'x'.repeat(protocol.limits.schemaDocumentBytes)))).toThrow('SCHEMA_INVALID {"reason":"too-large"}');
  });

  it.each(['^(a{1,99}){1,99}$', '^(a|b){1,9}$', '^a+$', '^.*$', '^a{1,}$', '^(?=a)b$', '^(?<!a)b$', '^(a)\\1$', '([', 'a', '^a', 'a$', '^a|b$', '^a{1,999}b{1,999}$', '^((a?){1,9})?$', '^(a{1,9}?){1,9}$', '^a{1,99999}c{1,99999}$'])(
    'is refused with pattern %s',
    (pattern) => {
      expect(() => protocol.kindFromDocument(changed([...name, 'pattern'], pattern))).toThrow('SCHEMA_INVALID {"reason":"pattern"}');
    },
  );

  it.each(['^[a-z]{1,64}@[a-z.]{1,120}$', '^(?:0|[1-9][0-9]{0,17})$', '^[^\\u0000-\\u001f*+(|]{1,600}$', '^\\d{3}(?:\\d{3}(?:\\d{3})?)?$', '^\\(\\+\\)$', '^(?:[A-Z][0-9]){1,4}$'])(
    'is read with pattern %s',
    (pattern) => {
      expect(protocol.kindFromDocument(changed([...name, 'pattern'], pattern)).kind).toBe('entity');
    },
  );
});
