import { fromBase64url, fromUtf8, type JsonObject, type JsonValue } from '@huilian/protocol';
import type { SealedRecord } from './vault.js';

/** Data of a record out of its vault, claim by claim; only some of its claims where they are named. It was checked when it was sealed. */
export function heldData({ disclosures }: SealedRecord, claims?: ReadonlySet<string>): JsonObject {
  const wanted = Object.entries(disclosures).filter(([claim]) => claims === undefined || claims.has(claim));
  return Object.fromEntries(wanted.map(([claim, disclosure]) => {
    const [, , value] = JSON.parse(fromUtf8(fromBase64url(disclosure))) as [salt: string, name: string, value: JsonValue];
    return [claim, value];
  }));
}
