/** Terms of documents that votes adopted: one definition for contracts, nodes and pages. */

/** From when on and until when something is in force, Unix seconds; open where absent. */
export interface Term {
  readonly effective?: number;
  readonly retires?: number;
}

export type TermState = 'coming' | 'in-force' | 'retired';

export function termState({ effective = 0, retires = Infinity }: Term, at: number): TermState {
  if (at >= retires) return 'retired';
  return at < effective ? 'coming' : 'in-force';
}

/**
 * The version that new records and decisions follow at a time: of those in force the one with the highest number. So two
 * versions in force at once are no contradiction: the newer one counts, and the older one is what earlier records were made
 * under.
 */
export function versionInForce<T extends Term & { readonly version: number }>(versions: readonly T[], at: number): T | undefined {
  return versions
    .filter((version) => termState(version, at) === 'in-force')
    .reduce<T | undefined>((newest, next) => (newest === undefined || next.version > newest.version ? next : newest), undefined);
}
