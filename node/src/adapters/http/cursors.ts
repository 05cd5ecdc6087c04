import { canonicalBytes, concatBytes, fromBase64url, fromUtf8, hmacSha256, object, ProtocolError, toBase64url, utf8, type Read } from '@huilian/protocol';
import { pageQuery } from './answer-schemas.js';
import { readQuery } from './declared-guard.js';

const macBytes = 12;

/**
 * Cursors of lists: where a page ended, sealed for this list and this filter. One that this node did not hand out for the
 * very same question is refused. They outlive a restart, for the key comes from the operator's token.
 */
export class Cursors {
  private readonly key: Uint8Array;

  public constructor(operatorToken: string) {
    this.key = hmacSha256(utf8(operatorToken), utf8('huilian cursor'));
  }

  public seal(list: string, filter: object, place: string): string {
    return toBase64url(concatBytes(this.mac(list, filter, place), utf8(place)));
  }

  /** @throws BAD_FIELD */
  public open(list: string, filter: object, cursor: string): string {
    const { mac, place } = readCursor(cursor);
    const expected = this.mac(list, filter, place);
    if (!expected.every((byte, index) => byte === mac[index])) refuse();
    return place;
  }

  /** A page of a list whose order does not change. */
  public page<T>(list: string, items: readonly T[], { cursor, limit = 500 }: { readonly cursor?: string; readonly limit?: number }): { readonly items: readonly T[]; readonly cursor?: string } {
    const from = cursor === undefined ? 0 : Number(this.open(list, {}, cursor));
    const end = from + limit;
    return { items: items.slice(from, end), ...(end < items.length ? { cursor: this.seal(list, {}, String(end)) } : {}) };
  }

  private mac(list: string, filter: object, place: string): Uint8Array {
    return hmacSha256(this.key, canonicalBytes({ filter, list, place })).subarray(0, macBytes);
  }
}

function refuse(): never {
  throw new ProtocolError('BAD_FIELD', { path: '/cursor', reason: 'not-of-this-list' });
}

function readCursor(cursor: string): { readonly mac: Uint8Array; readonly place: string } {
  try {
    const bytes = fromBase64url(cursor);
    if (bytes.length > macBytes) return { mac: bytes.subarray(0, macBytes), place: fromUtf8(bytes.subarray(macBytes)) };
  } catch {
    // Falls through to the one refusal below.
  }
  return refuse();
}

/** Query of every list that comes in pages. */
export const listQuery = object(pageQuery);

/** @throws UNKNOWN_FIELD, BAD_FIELD */
export function readPage(query: Record<string, string>): Read<typeof listQuery> {
  return readQuery({ query: listQuery }, query) as Read<typeof listQuery>;
}
