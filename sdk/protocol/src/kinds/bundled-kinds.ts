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

/** Title of `kind/claim` for people, from the newest bundled version; undefined for what this software does not know. */
export function describeClaim(kind: string, claim: string): (Title & { readonly kind: Title }) | undefined {
  const newest = bundledKinds().filter((definition) => definition.kind === kind).at(-1);
  const found = newest !== undefined && Object.hasOwn(newest.claims, claim) ? newest.claims[claim] : undefined;
  return newest && found && { zh: found.zh, en: found.en, kind: newest.title };
}
