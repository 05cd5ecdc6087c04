import { bundledKinds, describeClaim, kindDefinition, kindFromDocument, ProtocolError, type JsonObject, type KindDefinition } from '@huilian/protocol';
import type { HttpDoor } from './http-door.js';

/**
 * The kinds of claims (`kind/claim`, or a kind alone) that this software does not bring along, as a node says the consortium adopted them: newest
 * version first. For titles only. A kind that is known keeps its own words, whatever a node says; of another the words are the
 * node's, as the names of members are. What the node does not tell of has no words here, and a wallet does not sign it.
 */
export async function adoptedKinds(door: Pick<HttpDoor, 'get'>, claims: readonly string[]): Promise<readonly KindDefinition[]> {
  const bundled = new Set(bundledKinds().map(({ kind }) => kind));
  const unknown = claims.map((qualified) => qualified.split('/')).filter(([kind = '', claim]) => (claim === undefined ? !bundled.has(kind) : describeClaim(kind, claim) === undefined));
  const asked = new Set(unknown.map(([kind = '']) => kind));
  const found: KindDefinition[] = [];
  for (const kind of asked) found.push(...(await definitionsOf(door, kind)));
  return found;
}

/**
 * The same by the node's catalogue, of all kinds or of those named: every version of each kind of which this software lacks one.
 */
export async function catalogueKinds(door: Pick<HttpDoor, 'get'>, names?: readonly string[]): Promise<readonly KindDefinition[]> {
  const { kinds } = await door.get<{ readonly kinds: readonly { readonly kind: string; readonly versions: readonly { readonly version: number }[] }[] }>('/v1/catalogue');
  const lacking = kinds.filter(({ kind, versions }) => (names === undefined || names.includes(kind)) && versions.some(({ version }) => kindDefinition(kind, version) === undefined));
  return (await Promise.all(lacking.map(async ({ kind }) => await definitionsOf(door, kind)))).flat();
}

async function definitionsOf(door: Pick<HttpDoor, 'get'>, kind: string): Promise<readonly KindDefinition[]> {
  try {
    const { items } = await door.get<{ items: readonly { readonly document: JsonObject }[] }>(`/v1/catalogue/kinds/${encodeURIComponent(kind)}`);
    return items.map(({ document }) => kindFromDocument(document)).filter((definition) => definition.kind === kind);
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}
