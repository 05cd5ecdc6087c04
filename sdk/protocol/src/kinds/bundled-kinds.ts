import { documents } from '../generated/documents.js';
import { kindFromDocument, type KindDefinition, type Title } from './kind-definition.js';

let definitions: ReadonlyMap<string, KindDefinition> | undefined;

function table(): ReadonlyMap<string, KindDefinition> {
  definitions ??= new Map(
    documents.map((document) => {
      const definition = kindFromDocument(document);
      return [`${definition.kind}/${String(definition.version)}`, definition];
    }),
  );
  return definitions;
}

/** The kinds this software brings along. A node uses one only when the ledger adopted the same document. */
export function bundledKinds(): readonly KindDefinition[] {
  return [...table().values()];
}

export function kindDefinition(kind: string, version: number): KindDefinition | undefined {
  return table().get(`${kind}/${String(version)}`);
}

/**
 * Title of `kind/claim` for people; undefined for what nobody here knows. What this software brings along has its say first: a
 * kind that a node tells of (`adopted`) gives no other words to a claim that is known.
 */
export function describeClaim(kind: string, claim: string, adopted: readonly KindDefinition[] = []): (Title & { readonly kind: Title }) | undefined {
  const definition = kindOfClaim(kind, claim, adopted);
  const found = definition?.claims[claim];
  return definition && found && { zh: found.zh, en: found.en, kind: definition.title };
}

/** The definition that a claim's words are taken from: the newest bundled one that has it, else the newest of those adopted. */
export function kindOfClaim(kind: string, claim: string, adopted: readonly KindDefinition[] = []): KindDefinition | undefined {
  const newest = (all: readonly KindDefinition[]): KindDefinition | undefined =>
    // Own names only: `constructor` is a claim of no kind.
    all.filter((definition) => definition.kind === kind && Object.hasOwn(definition.claims, claim)).sort((left, right) => right.version - left.version)[0];
  return newest(bundledKinds()) ?? newest(adopted);
}
