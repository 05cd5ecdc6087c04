import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import { list, object, optional, ProtocolError, sortedSet, text, type JsonObject, type JsonValue, type Shape } from '@huilian/protocol';

const schemas = Object.entries(protocol).flatMap(([name, value]) => (name.endsWith('Shape') && typeof value === 'object' && 'schema' in value ? [value.schema] : []));

/** Every pattern inside a schema. */
function patternsOf(schema: JsonValue): string[] {
  if (Array.isArray(schema)) return schema.flatMap((item: JsonValue) => patternsOf(item));
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema as JsonObject).flatMap(([key, value]) => (key === 'pattern' && typeof value === 'string' ? [value] : patternsOf(value)));
}

const patterns = [...new Set(schemas.flatMap(patternsOf))];

describe('patterns', () => {
  const pieces = ['a', 'A', '0', '-', '/', '.', ':', '=', '~', '\n', '_', 'a.', 'a/', 'a-', '/ip4/a', 'tel:0', 'org:9', '-----BEGIN CERTIFICATE-----\nA\n', '1.2', '1.22'];
  const ends = ['', '!', '\n', 'a!', '.'];

  it('are found', () => expect(patterns.length).toBeGreaterThan(20));

  it.each(patterns)('%s decides at once, whatever the text', (source) => {
    const pattern = new RegExp(source, 'u');
    expect(source.startsWith('^') && source.endsWith('$')).toBe(true);
    for (const piece of pieces) {
      for (const end of ends) {
        const hostile = `${piece.repeat(Math.ceil(60_000 / piece.length))}${end}`;
        const start = performance.now();
        pattern.test(hostile);
        // 50 ms is the bound; the machine may do other things at the same time.
        expect(performance.now() - start, `${piece} … ${end}`).toBeLessThan(200);
      }
    }
  });
});

/** Inputs of an item's vectors. */
function inputs(side: 'valid' | 'invalid', item: string): readonly { readonly name: string; readonly input: unknown }[] {
  return (JSON.parse(readFileSync(new URL(`../../../tests/vectors/${side}/${item}.json`, import.meta.url), 'utf8')) as { cases: { name: string; input: unknown }[] }).cases;
}

const schemaItems: readonly (readonly [item: string, shape: Shape<unknown>, pick: (input: never) => unknown])[] = [
  ['header', protocol.headerShape, (input) => input],
  ['ticket-shape', protocol.ticketShape, (input) => input],
  ['policy', protocol.policyShape, (input) => input],
  ['charter', protocol.charterShape, (input) => input],
  ['member', protocol.memberDocumentShape, (input) => input],
  ['proposal-id', protocol.proposeArgumentShape, (input) => input],
  ['registration-statement', protocol.signedStatementShape, (input) => input],
  ['grant', protocol.grantEnvelopeShape, ({ envelope }: { envelope: unknown }) => envelope],
  ['revocation', protocol.revocationEnvelopeShape, ({ envelope }: { envelope: unknown }) => envelope],
  ['release', protocol.releaseEnvelopeShape, ({ envelope }: { envelope: unknown }) => envelope],
];

describe.each(schemaItems)('the JSON Schema of %s', (item, shape, pick) => {
  const validate = new Ajv2020({ strict: true, allErrors: false, strictTypes: false }).compile(shape.schema);
  const reads = (value: unknown): boolean => {
    try {
      shape.read(value);
      return true;
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
  };

  it.each(inputs('valid', item))('takes $name', ({ input }) => {
    expect(validate(pick(input as never))).toBe(true);
  });

  // A schema cannot say everything (check characters, order), but it never refuses what the shape reads.
  it.each(inputs('invalid', item))('refuses nothing that the shape takes: $name', ({ input }) => {
    const value = pick(input as never);
    if (!validate(value)) expect(reads(value)).toBe(false);
  });
});

describe('shapes', () => {
  const refusal = (call: () => unknown): unknown => {
    try {
      return call();
    } catch (error) {
      return error instanceof ProtocolError ? `${error.code} ${String(error.details['path'])}` : String(error);
    }
  };
  const inner = object({ constructor: text(/[a-z]+/), note: optional(text(/[a-z]+/)) });

  it('read own fields only', () => {
    expect(refusal(() => inner.read({}))).toBe('BAD_FIELD /constructor');
    expect(refusal(() => object({ toString: optional(text(/a/)) }).read({}))).toEqual({});
    expect(refusal(() => inner.read(Object.create({ constructor: 'a' })))).toBe('BAD_FIELD /constructor');
  });

  it('answer objects without what prototypes bring along', () => {
    const read = inner.read(JSON.parse('{"constructor":"a"}'));
    expect(Object.keys(read)).toEqual(['constructor']);
  });

  it('never repeat a stranger’s words', () => {
    const stranger = '\u001b[31m<script>';
    expect(refusal(() => inner.read({ constructor: 'a', [stranger]: 1 }))).toBe('UNKNOWN_FIELD /?');
    expect(refusal(() => inner.read({ constructor: stranger }))).toBe('BAD_FIELD /constructor');
    expect(refusal(() => inner.read(JSON.parse('{"constructor":"a","__proto__":1}')))).toBe('UNKNOWN_FIELD /__proto__');
  });

  it('say where', () => {
    const nested = object({ items: list(object({ names: sortedSet(text(/[a-z]+/), 1, 3) }), 0, 2) });
    expect(refusal(() => nested.read({ items: [{ names: ['a'] }, { names: ['b', 'A'] }] }))).toBe('BAD_FIELD /items/1/names/1');
    expect(refusal(() => nested.read({ items: [{ names: ['b', 'a'] }] }))).toBe('BAD_FIELD /items/0/names');
    expect(refusal(() => nested.read({ items: [{ names: ['a', 'a'] }] }))).toBe('BAD_FIELD /items/0/names');
    expect(refusal(() => nested.read({ items: [{}, {}, {}] }))).toBe('BAD_FIELD /items');
    expect(refusal(() => nested.read({ items: {} }))).toBe('BAD_FIELD /items');
    expect(refusal(() => nested.read(null))).toBe('BAD_FIELD ');
  });

  it('take a pattern for the whole text', () => {
    for (const value of ['ab', 'a\n', '\na', ' a', 'a '] as const) expect(refusal(() => text(/a|b/).read(value, '/a'))).toBe('BAD_FIELD /a');
    expect(text(/a|b/).read('b')).toBe('b');
  });
});
