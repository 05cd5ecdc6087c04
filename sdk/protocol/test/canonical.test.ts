import { describe, expect, it } from 'vitest';
import { canonicalBytes, canonicalize, parseCanonical, parseCanonicalObject, parseStrict, ProtocolError } from '@huilian/protocol';

const refusal = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return error instanceof ProtocolError ? error.code : `threw ${String(error)}`;
  }
  return 'nothing refused';
};
const milliseconds = (call: () => unknown): number => {
  const began = performance.now();
  call();
  return performance.now() - began;
};

describe('canonical JSON', () => {
  it('of what it wrote is the same again, whatever the order of keys', () => {
    const value = { b: [1, -7, { z: '', a: null }], '汇': '链', '€': true, a: { 2: 1, 10: 2 } };
    const reversed = Object.fromEntries(Object.entries(value).reverse());
    expect(canonicalize(reversed)).toBe(canonicalize(value));
    expect(parseCanonical(canonicalBytes(value))).toEqual(value);
    expect(parseStrict(JSON.stringify(value, undefined, 3))).toEqual(value);
  });

  it('sorts by UTF-16 code unit, so that an emoji stands before U+FB00', () => {
    expect(canonicalize({ '\ufb00': 1, '😀': 2, z: 3 })).toBe('{"z":3,"😀":2,"\ufb00":1}');
  });

  it.each([
    ['a fraction', 0.1], ['minus zero', -0], ['1e21', 1e21], ['NaN', NaN], ['Infinity', Infinity], ['2^53', 2 ** 53], ['a bigint', 1n],
    ['undefined', undefined], ['undefined in an object', { a: undefined }], ['a hole in a list', new Array(2)], ['a function', (): void => undefined],
    ['a symbol', Symbol('s')], ['a date', new Date(0)], ['a map', new Map()], ['bytes', new Uint8Array(1)], ['a boxed string', Object('a')],
    ['a lone surrogate', '\ud800'], ['a lone surrogate in a key', { '\udfff': 1 }], ['text not NFC', 'e\u0301'], ['a key not NFC', { 'e\u0301': 1 }],
    ['an own __proto__', JSON.parse('{"__proto__":1}')], ['an own __proto__ deep inside', JSON.parse('[{"a":{"__proto__":{}}}]')],
  ])('refuses %s', (_, value: unknown) => {
    expect(refusal(() => canonicalize(value))).toBe('CANONICAL_INVALID');
  });

  it('refuses a value that contains itself', () => {
    const circle: Record<string, unknown> = {};
    circle['a'] = circle;
    expect(refusal(() => canonicalize(circle))).toBe('CANONICAL_INVALID');
  });

  it.each([
    ['100,000 lists', '['.repeat(100_000)], ['100,000 lists, closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`], ['100,000 objects', '{"a":'.repeat(100_000)],
    ['a list that never ends', '[1,'.repeat(10)], ['a string that never ends', `"${'a'.repeat(100_000)}`], ['backslashes that never end', `"${'\\'.repeat(99_999)}`],
  ])('refuses %s at once, both readers', (_, text) => {
    const quick = milliseconds(() => {
      expect(refusal(() => parseStrict(text))).toBe('CANONICAL_INVALID');
      expect(refusal(() => parseCanonical(text))).toBe('CANONICAL_INVALID');
    });
    expect(quick).toBeLessThan(1000);
  });

  it('reads a string of 16 MiB', () => {
    expect(parseStrict(`"${'a'.repeat(16 * 1024 * 1024)}"`)).toHaveLength(16 * 1024 * 1024);
    expect(parseStrict(`"${'\\n'.repeat(8 * 1024 * 1024)}"`)).toHaveLength(8 * 1024 * 1024);
  });

  it('refuses a million keys at once, both readers', () => {
    const text = `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${String(index).padStart(7, '0')}":0`).join(',')}}`;
    for (const read of [parseStrict, parseCanonical]) {
      const quick = milliseconds(() => expect(refusal(() => read(text))).toBe('CANONICAL_INVALID'));
      expect(quick).toBeLessThan(2000);
    }
  });

  it.each(['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"x":{"a":1,"b":2,"a":3}}]', '{"":0,"":0}'])('refuses duplicate keys: %s', (text) => {
    expect(refusal(() => parseStrict(text))).toBe('CANONICAL_INVALID');
    expect(refusal(() => parseCanonical(text))).toBe('CANONICAL_INVALID');
  });

  it.each(['1.0', '1e0', '-0', '1E2', '0.5', '01', '+1', '.5', '0x1', '1_0', '9007199254740993', '-', 'tru', 'nulll', 'undefined', "'a'", '{a:1}', '[1,]', '{"a":1,}', '\u00a01', '1//', '\ufeff1'])('refuses %s', (text) => {
    expect(refusal(() => parseStrict(text))).toBe('CANONICAL_INVALID');
  });

  it('takes only objects where an object must stand', () => {
    for (const text of ['[]', '"a"', 'null', '1']) expect(refusal(() => parseCanonicalObject(text))).toBe('CANONICAL_INVALID');
    expect(parseCanonicalObject('{}')).toEqual({});
  });

  it('leaves Object’s prototype alone', () => {
    expect(refusal(() => parseStrict('{"constructor":{"prototype":{"polluted":1}},"__proto__":{"polluted":1}}'))).toBe('CANONICAL_INVALID');
    expect(canonicalize(parseStrict('{"constructor":{"prototype":{"polluted":1}}}'))).toBe('{"constructor":{"prototype":{"polluted":1}}}');
    expect('polluted' in {}).toBe(false);
  });
});
