import { describe, expect, it } from 'vitest';
import { errorBody, errorCatalogue, isErrorCode, parseErrorMessage, prose, ProtocolError, type ErrorCode } from '@huilian/protocol';

const codes = Object.keys(errorCatalogue) as ErrorCode[];

describe('the catalogue', () => {
  it('has for every code a status, words and a next step in both languages', () => {
    for (const [code, { http, stage, zh, en, next }] of Object.entries(errorCatalogue)) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]{2,40}$/);
      expect(http === 202 || (http >= 400 && http < 600), code).toBe(true);
      expect(['protocol', 'ledger', 'node', 'client']).toContain(stage);
      for (const words of [zh, next.zh]) expect(words, code).toMatch(/\p{Script=Han}/u);
      for (const words of [en, next.en]) expect(words, code).toMatch(/^[\x20-\x7e]{4,}$/);
    }
  });

  it('tells every two codes apart, and gives a step that is more than the message said again', () => {
    const entries = Object.entries(errorCatalogue);
    for (const language of ['en', 'zh'] as const) expect(new Set(entries.map(([, entry]) => entry[language])).size).toBe(entries.length);
    for (const [code, { en, next, zh }] of entries) {
      expect(next.zh.length, code).toBeGreaterThan(5);
      for (const [words, step] of [[en, next.en], [zh, next.zh]]) expect(step, code).not.toBe(words);
    }
  });

  it('knows its own codes and no others', () => {
    expect(codes.every(isErrorCode)).toBe(true);
    for (const code of ['constructor', '__proto__', 'toString', 'BAD_FIELDS', '']) expect(isErrorCode(code)).toBe(false);
  });
});

describe('an error that travels as text', () => {
  const carriers = ['%', 'chaincode response 500, %', '10 ABORTED: failed to endorse transaction, see attached details: %\n', 'Error: % (peer0.example.invalid:7051)'];

  it.each(codes)('%s comes out of every carrier as it went in', (code) => {
    const error = new ProtocolError(code, { path: '/headers/3/owner', count: 5001, complete: false });
    for (const carrier of carriers) {
      const found = parseErrorMessage(carrier.replace('%', error.message), [error.entry.stage]);
      expect(found).toBeInstanceOf(ProtocolError);
      expect(errorBody(found as ProtocolError)).toEqual(errorBody(error));
    }
  });

  it('is not mistaken for words of those who carry it', () => {
    const message = '13 INTERNAL: NOT_FOUND, chaincode response 500, RECORD_UNKNOWN {"recordId":"guangzhou/entity/aaaa"}';
    expect(parseErrorMessage(message, ['ledger', 'protocol'])).toMatchObject({ code: 'RECORD_UNKNOWN', details: { recordId: 'guangzhou/entity/aaaa' } });
    expect(parseErrorMessage(message)?.code).toBe('INTERNAL');
  });

  it.each(['', 'failed', '14 UNAVAILABLE: No connection established', 'MVCC_READ_CONFLICT', 'bad_field', 'XBAD_FIELD', 'BAD_FIELD_', '__proto__ CONSTRUCTOR'])('is not found in %j', (message) => {
    expect(parseErrorMessage(message)).toBeUndefined();
  });

  it.each(['BAD_FIELD {"path":{"deep":1}}', 'BAD_FIELD {"path":[1]}', 'BAD_FIELD {"__proto__":1}', 'BAD_FIELD {"path":null}', 'BAD_FIELD {path}', 'BAD_FIELD {"a b":1}', 'BAD_FIELD []'])('leaves strange details behind: %s', (message) => {
    const found = parseErrorMessage(message);
    expect(found?.code).toBe('BAD_FIELD');
    expect(found?.details).toEqual({});
  });

  it('is looked for in little time, whatever the text', () => {
    for (const text of ['A'.repeat(1_000_000), 'AAA {'.repeat(200_000), `BAD_FIELD {${'x'.repeat(1_000_000)}`, 'BAD_FIELDS '.repeat(100_000)]) {
      const start = performance.now();
      parseErrorMessage(text);
      expect(performance.now() - start).toBeLessThan(1000);
    }
  });
});

describe('titles', () => {
  const shape = prose(60);

  it.each(['广州交易中心（虚构）', 'Guangzhou centre', 'two\nlines', 'Ünïted', '𠮷野'])('may be %j', (text) => {
    expect(shape.read(text)).toBe(text);
  });

  it.each([
    ['terminal commands', '\u001b[31m'], ['terminal commands in one character', '\u009b31m'], ['a null', 'a\u0000'], ['a tab', 'a\tb'], ['a carriage return', 'a\rb'],
    ['text turned around', 'bank\u202eknab'], ['an isolate', 'a\u2066b'], ['a zero-width space', 'ba\u200bnk'], ['a joiner', 'a\u200db'], ['a byte order mark', '\ufeffa'],
    ['a soft hyphen', 'a\u00adb'], ['a line separator', 'a\u2028b'], ['text not NFC', 'e\u0301'], ['a lone surrogate', '\ud800'], ['nothing', ''], ['too much', 'a'.repeat(61)], ['a number', 7],
  ])('may not hold %s', (_, text) => {
    expect(() => shape.read(text)).toThrow('BAD_FIELD');
  });
});
