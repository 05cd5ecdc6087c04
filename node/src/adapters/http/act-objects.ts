import { isJsonObject, ownerIdShape, proposalId, proposeArgumentShape, type JsonValue } from '@huilian/protocol';
import type { ActCall } from './declare-route.js';

/** Ids of what acts are about, for the audit log. Bodies may be anything: who may not call a route sends what he likes. */

function field(value: unknown, ...path: readonly string[]): JsonValue | undefined {
  let found = value as JsonValue | undefined;
  for (const name of path) found = isJsonObject(found) ? found[name] : undefined;
  return found;
}

function textIn(value: unknown, ...path: readonly string[]): string | undefined {
  const found = field(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A parameter of the address. */
export function parameter(name: string): (call: ActCall) => string | undefined {
  return ({ params }) => params[name];
}

/** A text of the body. */
export function inBody(...path: readonly string[]): (call: ActCall) => string | undefined {
  return ({ body }) => textIn(body, ...path);
}

/** A text of the answer, known once it is done. */
export function inAnswer(...path: readonly string[]): (call: ActCall) => string | undefined {
  return ({ answer }) => textIn(answer, ...path);
}

/** The id that a proposal gets on the ledger. */
export function proposed({ body }: ActCall): string {
  return proposalId(proposeArgumentShape.read(body));
}

/** What an erasure takes: the owner, or the one record, else how many; a natural key may be personal and is left out. */
export function erased({ answer, body }: ActCall): string | undefined {
  const owner = textIn(body, 'owner');
  if (owner !== undefined) return ownerIdShape.read(owner);
  const records = field(body, 'recordIds') ?? field(answer, 'recordIds');
  if (!Array.isArray(records)) return undefined;
  return records.length === 1 && typeof records[0] === 'string' ? records[0] : `${String(records.length)}-records`;
}
