import { describe, expect, it } from 'vitest';
import { canonicalBytes, canonicalize, isCanonicalText, limits, parseCanonical, parseCanonicalObject, parseStrict, ProtocolError, type JsonValue } from '@huilian/protocol';

/** Reads what a refusal says; anything else that is thrown fails the test. */
function reasonOf(refused: () => unknown): unknown {
  try {
    refused();
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'CANONICAL_INVALID') return error.details['reason'];
    throw error;
  }
  return 'accepted';
}

// The test data that was published with RFC 8785, less what the restriction refuses: fractions, and one key that is not NFC.
const published: readonly (readonly [name: string, source: string, canonical: string])[] = [
  ['arrays', '[\n  56,\n  {\n    "d": true,\n    "10": null,\n    "1": [ ]\n  }\n]', '[56,{"1":[],"10":null,"d":true}]'],
  [
    'french',
    '{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}',
    '{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}',
  ],
  [
    'structures',
    '{"1":{"f":{"f":"hi","F":5},"\\n":56},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],"A":{}}',
    '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}',
  ],
  [
    'weird',
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\u000a":"Newline","1":"One","\\u0080":"Control\\u007f","\\ud83d\\ude02":"Smiley","\\u00f6":"Latin Small Letter O With Diaeresis","</script>":"Browser Challenge"}',
    '{"\\n":"Newline","\\r":"Carriage Return","1":"One","</script>":"Browser Challenge","\u0080":"Control\u007f","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😂":"Smiley"}',
  ],
  ['values', '{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}', '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'],
];

describe('published canonical JSON', () => {
  it.each(published)('%s', (_name, source, canonical) => {
    expect(canonicalize(parseStrict(source))).toBe(canonical);
    expect(parseCanonical(canonical)).toEqual(JSON.parse(source));
  });

  it('writes UTF-8', () => {
    const [, , literals = ''] = published[4] ?? [];
    expect(Buffer.from(canonicalBytes(parseStrict(literals)))).toEqual(Buffer.from(literals, 'utf8'));
    expect(Buffer.from(canonicalBytes('€')).toString('hex')).toBe('22e282ac22');
  });
});

/** A fixed sequence of numbers below 2^32 (xorshift), so that a failure comes again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const letters = ['a', 'B', '0', '"', '\\', '\n', '\u0000', '\u007f', ' ', '/', '\u2028', 'é', '中', '🀄', '\ufb00'];

function randomText(next: () => number): string {
  return Array.from({ length: next() % 6 }, () => letters[next() % letters.length] ?? '').join('');
}

function randomValue(next: () => number, depth: number): JsonValue {
  const kind = next() % (depth === 0 ? 4 : 6);
  const count = next() % 5;
  if (kind === 0) return randomText(next);
  if (kind === 1) return (next() % 2 === 0 ? 1 : -1) * (next() % 7 === 0 ? Number.MAX_SAFE_INTEGER : (next() % 1000) + 1);
  if (kind === 2) return next() % 2 === 0;
  if (kind === 3) return null;
  if (kind === 4) return Array.from({ length: count }, () => randomValue(next, depth - 1));
  return Object.fromEntries(Array.from({ length: count }, () => [randomText(next), randomValue(next, depth - 1)]));
}

/** RFC 8785 as naively as can be. */
function naive(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => naive(item)).join(',')}]`;
  const entries = Object.entries(value as Record<string, JsonValue>).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${naive(item)}`).join(',')}}`;
}

describe('any value', () => {
  it('has one canonical text, which both readers read back', () => {
    const next = numbers(20_261_123);
    for (let round = 0; round < 3000; round += 1) {
      const value = randomValue(next, 4);
      const text = canonicalize(value);
      expect(text).toBe(naive(value));
      expect(reasonOf(() => parseCanonical(text)), text).toBe('accepted');
      expect(parseCanonical(text)).toEqual(value);
      expect(parseStrict(JSON.stringify(value, undefined, '\t'))).toEqual(value);
    }
  });

  it('is refused where one character of its text is changed to another value or spelling', () => {
    const text = '{"amount":"100","items":[1,2,{"a":null}],"name":"示例"}';
    const value = parseCanonical(text);
    for (let at = 0; at < text.length; at += 1) {
      const blank = `${text.slice(0, at)} ${text.slice(at)}`;
      const outcome = reasonOf(() => (parseCanonical(blank) === value ? 'same' : canonicalize(parseCanonical(blank))));
      // A blank inside a string is another value; anywhere else it is another spelling, which is refused.
      if (outcome === 'accepted') expect(parseCanonical(blank)).not.toEqual(value);
    }
  });
});

describe('what no JSON text means', () => {
  const date = new Date(0);
  class Named {
    public readonly name = 'x';
  }
  const hole: unknown[] = new Array<unknown>(2);
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  it.each([
    ['undefined', undefined, 'not-json'],
    ['a field that is undefined', { a: undefined }, 'not-json'],
    ['a hole in a list', hole, 'not-json'],
    ['a function', () => 1, 'not-json'],
    ['a symbol', Symbol('a'), 'not-json'],
    ['a bigint', 1n, 'not-json'],
    ['NaN', Number.NaN, 'number-not-integer'],
    ['infinity', Number.POSITIVE_INFINITY, 'number-not-integer'],
    ['2^53', 2 ** 53, 'number-not-integer'],
    ['a date', date, 'not-plain-object'],
    ['a map', new Map(), 'not-plain-object'],
    ['bytes', new Uint8Array(1), 'not-plain-object'],
    ['an instance', new Named(), 'not-plain-object'],
    ['an object with another prototype', Object.create({ a: 1 }), 'not-plain-object'],
    ['an own key __proto__', JSON.parse('{"__proto__":{"a":1}}'), 'key-not-allowed'],
    ['a value that holds itself', loop, 'too-deep'],
  ])('refuses %s', (_name, value, reason) => {
    expect(reasonOf(() => canonicalize(value))).toBe(reason);
  });

  it('takes an object without prototype', () => {
    expect(canonicalize(Object.assign(Object.create(null) as object, { a: 1 }))).toBe('{"a":1}');
  });

  it('asks a document for an object', () => {
    expect(reasonOf(() => parseCanonicalObject('[]'))).toBe('not-an-object');
    expect(reasonOf(() => parseCanonicalObject('null'))).toBe('not-an-object');
  });
});

describe('escaped keys', () => {
  // JSON.parse of V8 in Node.js 24 and 26 answers a backslash for each of these keys after it has read the first text.
  it.each(['\\n', '\\"', '\\u0000', '\\\\n'])('reads the key %s whatever was read before', (key) => {
    JSON.parse('{"a":0,"\\\\":1}');
    JSON.parse('{"b":[],"\\\\\\\\":1}');
    for (const first of ['a', 'b']) {
      const text = `{"${first}":0,"${key}":1}`;
      const sorted = canonicalize(parseStrict(text));
      const name = JSON.parse(`"${key}"`) as string;
      expect(Object.keys(parseStrict(text) as object)).toEqual([first, name]);
      expect(Object.keys(parseCanonical(sorted) as object).sort()).toEqual([first, name].sort());
    }
  });
});

describe('keys that pollute prototypes', () => {
  it.each(['{"__proto__":{"polluted":1}}', '{"a":{"__proto__":1}}', '{"\\u005f_proto__":1}'])('refuses %s', (text) => {
    expect(reasonOf(() => parseStrict(text))).toBe('key-not-allowed');
    expect(reasonOf(() => parseCanonical(text))).not.toBe('accepted');
  });

  it('reads constructor and prototype as keys like any other', () => {
    const value = parseStrict('{"constructor":{"prototype":{"polluted":1}},"toString":1}') as Record<string, JsonValue>;
    expect(Object.keys(value)).toEqual(['constructor', 'toString']);
    expect((Object.prototype as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(canonicalize(value)).toBe('{"constructor":{"prototype":{"polluted":1}},"toString":1}');
  });
});

describe('inputs made to be costly', () => {
  const wide = `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${String(index)}":0`).join()}}`;
  const inputs: readonly (readonly [name: string, text: string, reason: string])[] = [
    ['100,000 lists inside one another', '['.repeat(100_000) + ']'.repeat(100_000), 'too-deep'],
    ['100,000 objects inside one another', '{"a":'.repeat(100_000), 'too-deep'],
    ['a million keys', wide, 'too-many-values'],
    ['a million values', `[${'0,'.repeat(999_999)}0]`, 'too-many-values'],
    ['a number of a million digits', '1'.repeat(1_000_000), 'number-not-integer'],
    ['a text of 8 MB that never ends', `"${'a'.repeat(8_000_000)}`, 'not-json'],
    ['4 million escapes that never end', `"${'\\n'.repeat(4_000_000)}`, 'not-json'],
    ['8 MB of blanks', ' '.repeat(8_000_000), 'not-json'],
  ];

  // The time is for a machine that does other things too; alone it is a tenth of it.
  it.each(inputs)('refuses %s at once', (_name, text, reason) => {
    const start = performance.now();
    expect(reasonOf(() => parseStrict(text))).toBe(reason);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each(inputs)('refuses %s where only canonical text is read', (_name, text) => {
    const start = performance.now();
    expect(reasonOf(() => parseCanonical(text))).not.toBe('accepted');
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('reads a long text, plain or all escapes, without running out of stack', () => {
    const plain = `"${'a'.repeat(20_000_000)}"`;
    expect(parseStrict(plain)).toHaveLength(20_000_000);
    expect(parseStrict(`"${'\\n'.repeat(4_000_000)}"`)).toHaveLength(4_000_000);
  });

  it('counts the commas between values only', () => {
    const commas = JSON.stringify(','.repeat(limits.jsonSeparators + 1));
    expect(parseCanonical(commas)).toBe(parseStrict(commas));
    const most = `[${'0,'.repeat(limits.jsonSeparators)}0]`;
    expect(parseCanonical(most)).toEqual(parseStrict(most));
    expect(reasonOf(() => parseCanonical(most.replace('[', '[0,')))).toBe('too-many-values');
    expect(reasonOf(() => parseStrict(most.replace('[', '[0,')))).toBe('too-many-values');
  });

  it('refuses a text of many combining marks in a row, which cost the square of their number to sort', () => {
    const marks = `a${'\u0301\u0316'.repeat(400_000)}`;
    const start = performance.now();
    expect(isCanonicalText(marks)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(isCanonicalText('\u4e2d' + '\u0301'.repeat(30))).toBe(true);
    expect(isCanonicalText('\u4e2d' + '\u0301'.repeat(31))).toBe(false);
  });
});
