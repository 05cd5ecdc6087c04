import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import { integer, object, optional } from '@huilian/protocol';
import { describe, expect, it } from 'vitest';
import { readQuery } from '../src/adapters/http/declared-guard.js';
import { Declare } from '../src/adapters/http/declare-route.js';
import { Cursors } from '../src/adapters/http/cursors.js';
import { declaredRoutes, openApi } from '../src/adapters/http/open-api.js';

@Controller('v1')
class Described {
  @Declare({ id: 'thing', en: 'a thing', zh: '事物', who: 'operator', query: object({ limit: optional(integer(1, 5)) }), answer: { type: 'object' } })
  @Get('things/:id')
  public thing(): object {
    return {};
  }
}

@Controller('v1')
class Bare {
  @Get('things')
  public things(): object {
    return {};
  }
}

describe('declared routes', () => {
  it('are what the document holds', () => {
    const document = openApi(declaredRoutes([Described]), 'http://node.invalid');
    expect(Object.keys(document['paths'] as object)).toEqual(['/v1/things/{id}']);
  });

  it('a route without a declaration is not served', () => {
    expect(() => declaredRoutes([Described, Bare])).toThrow(/GET things of Bare/);
  });

  it('a query is read by its shape: integers as written, each name once, none that is not declared', () => {
    const query = object({ limit: optional(integer(1, 5)) });
    expect(readQuery({ query }, { limit: '5' })).toEqual({ limit: 5 });
    for (const limit of ['6', '0', '05', '1.0', '1e0', ' 1', '-1', '']) expect(() => readQuery({ query }, { limit }), limit).toThrow(/BAD_FIELD/);
    expect(() => readQuery({ query }, { limit: ['1', '2'] })).toThrow(/BAD_FIELD/);
    expect(() => readQuery({ query }, { constructor: '1' })).toThrow(/UNKNOWN_FIELD/);
    expect(() => readQuery({}, { limit: '1' })).toThrow(/UNKNOWN_FIELD/);
  });
});

describe('cursors', () => {
  const cursors = new Cursors('operator-token-of-this-test');

  it('lead through a list, and nowhere else', () => {
    const first = cursors.page('members', ['a', 'b', 'c'], { limit: 2 });
    expect(first.items).toEqual(['a', 'b']);
    const cursor = first.cursor ?? '';
    expect(new Cursors('operator-token-of-this-test').page('members', ['a', 'b', 'c'], { cursor })).toEqual({ items: ['c'] });
    expect(() => cursors.page('proposals', ['a', 'b', 'c'], { cursor })).toThrow(/BAD_FIELD/);
    expect(() => new Cursors('another token').page('members', ['a'], { cursor })).toThrow(/BAD_FIELD/);
    for (let at = 0; at < cursor.length; at += 1) {
      const spoilt = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
      expect(() => cursors.page('members', ['a', 'b', 'c'], { cursor: spoilt }), spoilt).toThrow(/BAD_FIELD/);
    }
  });
});
