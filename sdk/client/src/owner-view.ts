import { beijingDay, bundledKinds, checkLinks, kindDefinition, limits, mergeRecords, type FindKind, type Flag, type JsonObject, type KindDefinition, type MergedRecords, type ViewRecord } from '@huilian/protocol';

/** An owner's data as one viewer may see it, merged claim by claim from all centres. */
export interface OwnerView extends MergedRecords {
  readonly owner: string;
  /** The node did not name all records: ask for one kind at a time. */
  readonly partial: boolean;
  /** Records to look at: what the link checks find among the records that this viewer may read, today. */
  readonly flags: readonly Flag[];
}

/** Claims of one record version that this viewer read and verified. */
export interface ReadClaims {
  readonly recordId: string;
  readonly version: number;
  readonly claims: JsonObject;
}

/** What a view is made with. */
interface ViewTerms {
  /** Adopted kinds that this software does not bring along (`adoptedKinds`): by their natural key records of one thing are found. */
  readonly kinds?: readonly KindDefinition[];
  readonly partial?: boolean;
  readonly wholeKinds?: ReadonlySet<string>;
}

/**
 * Puts what was read beside what the ledger says of it. A record of which nothing was read stays a header; one that was read
 * in an older version is shown as superseded. `wholeKinds` are those of which every claim was granted.
 */
export function viewOf(owner: string, notes: readonly ViewRecord[], reads: readonly ReadClaims[], { kinds = [], partial = false, wholeKinds = new Set<string>() }: ViewTerms = {}): OwnerView {
  const find: FindKind = (kind, version) => kindDefinition(kind, version) ?? kinds.find((definition) => definition.kind === kind && definition.version === version);
  const records = notes.map((note): ViewRecord => {
    const own = reads.filter(({ recordId, version }) => recordId === note.recordId && version === note.version);
    if (own.length === 0) return { ...note, unreadable: note.unreadable ?? reasonOf(note) };
    const claims: JsonObject = Object.assign({}, ...own.map((read) => read.claims)) as JsonObject;
    return { ...note, claims, ...(wholeKinds.has(note.recordId.split('/')[1] ?? '') ? { whole: true } : {}) };
  });
  return { owner, partial, ...mergeRecords(records, find), flags: checkLinks(records, beijingDay(Date.now() / 1000), find) };
}

function reasonOf({ contested, rights, status }: ViewRecord): NonNullable<ViewRecord['unreadable']> {
  if (contested || status === 'revoked') return 'not-released';
  return rights === 'owner' ? 'ask-owner' : rights === 'public' ? 'public' : 'ask-publisher';
}

/**
 * Every claim of the kinds whose owner must authorise, as grants name them: as many grants as their number needs, each kind in
 * one of them; of one kind where it is given.
 */
export function ownClaims(adopted: readonly KindDefinition[], kind?: string): readonly (readonly string[])[] {
  const definitions = [...bundledKinds(), ...adopted].filter((definition) => definition.rights.includes('owner') && (kind === undefined || definition.kind === kind));
  const names = [...new Set(definitions.map((definition) => definition.kind))].sort();
  const grants: string[][] = [];
  for (const name of names) {
    const claims = [...new Set(definitions.filter((definition) => definition.kind === name).flatMap((definition) => Object.keys(definition.claims)))].map((claim) => `${name}/${claim}`);
    const last = grants.at(-1);
    if (last !== undefined && last.length + claims.length <= limits.grantClaims) last.push(...claims);
    else grants.push(claims);
  }
  return grants.map((claims) => claims.sort());
}
