import { isJsonObject, kindFromDocument, readCodes, splitStateKey, termState, versionInForce, type AdoptedReference, type JsonObject, type KindDefinition, type LedgerState, type Retirable, type Term, type TermState, type Title } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, LedgerBlock } from '../ports.js';

/** A version of something that a vote adopted. Times are Unix seconds. */
export interface CatalogueVersion extends Term {
  readonly version: number;
  readonly digest: string;
  readonly proposal: string;
  readonly state: TermState;
}

export interface CatalogueKind {
  readonly kind: string;
  readonly title: Title;
  /** Version that new records follow; absent where none is in force. */
  readonly inForce?: number;
  readonly versions: readonly CatalogueVersion[];
  /** Of the version in force, else of the newest. */
  readonly rights: readonly string[];
  readonly sealed: boolean;
  readonly claims: readonly (Title & { readonly claim: string; readonly personal: boolean })[];
  readonly migrations: readonly { readonly from: number; readonly to: number; readonly digest: string }[];
}

export interface CatalogueDocument {
  readonly name: string;
  readonly title?: Title;
  readonly inForce?: number;
  readonly versions: readonly CatalogueVersion[];
  /** How many codes the version in force lists; absent for a document that lists none. */
  readonly codes?: number;
}

interface CatalogueCa extends Term {
  readonly fingerprint: string;
  readonly name: Title;
  readonly proposal: string;
  readonly state: TermState;
}

/** What ends soon: which version follows it then, if any. */
export interface CatalogueEnd {
  readonly of: Retirable;
  /** Kind, name or fingerprint. */
  readonly id: string;
  readonly version?: number;
  readonly retires: number;
  readonly followedBy?: number;
}

export interface CatalogueView {
  readonly kinds: readonly CatalogueKind[];
  readonly codeSets: readonly CatalogueDocument[];
  readonly ruleSets: readonly CatalogueDocument[];
  readonly cas: readonly CatalogueCa[];
  readonly endsSoon: readonly CatalogueEnd[];
}

interface Adopted {
  readonly schemas: readonly LedgerState['schema'][];
  readonly codeSets: readonly LedgerState['codeSet'][];
  readonly ruleSets: readonly LedgerState['ruleSet'][];
  readonly cas: readonly LedgerState['ca'][];
  readonly migrations: readonly LedgerState['migration'][];
}

const governed: ReadonlySet<string> = new Set(['ca', 'codeSet', 'migration', 'ruleSet', 'schema']);
const day = 86_400;

/** What the consortium agreed to by vote, as of now: what is in force, what comes, what ends. */
export class Catalogue {
  private adopted: Promise<Adopted> | undefined;
  private readonly listeners = new Set<() => void>();

  public constructor(
    private readonly readModel: ReadModel,
    private readonly clock: Clock,
    /** How long before an end it is told. */
    private readonly warnDays: number,
  ) {
    readModel.onBlock((block) => {
      if (!changesCatalogue(block)) return;
      this.adopted = undefined;
      for (const listener of this.listeners) listener();
    });
  }

  public async view(): Promise<CatalogueView> {
    const at = this.now();
    const { cas, codeSets, migrations, ruleSets, schemas } = await this.read();
    return {
      kinds: groups(schemas, ({ kind }) => kind).map((versions) => kindOf(versions, migrations, at)),
      codeSets: groups(codeSets, ({ name }) => name).map((versions) => documentOf(versions, at)),
      ruleSets: groups(ruleSets, ({ name }) => name).map((versions) => documentOf(versions, at)),
      cas: cas.map((ca) => ({ fingerprint: ca.fingerprint, name: ca.name, proposal: ca.proposal, state: termState(ca, at), ...datesOf(ca) })),
      endsSoon: await this.endsSoon(),
    };
  }

  /** Every version of a kind with its document, newest first; empty for a kind that was never adopted. */
  public async documentsOf(kind: string): Promise<readonly (CatalogueVersion & { readonly document: JsonObject })[]> {
    const { schemas } = await this.read();
    return schemas.filter((schema) => schema.kind === kind).map((schema) => ({ ...versionOf(schema, this.now()), document: schema.document })).reverse();
  }

  /** Calls back when a block may have changed what was adopted. Answers the way to stop. */
  public onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Every kind that was ever adopted, in order. */
  public async kindNames(): Promise<readonly string[]> {
    return [...new Set((await this.read()).schemas.map(({ kind }) => kind))].sort();
  }

  /** Everything adopted that has not ended, as members acknowledge it, and the proposal that brought it. */
  public async references(): Promise<readonly (AdoptedReference & { readonly proposal: string })[]> {
    const at = this.now();
    const { cas, codeSets, ruleSets, schemas } = await this.read();
    const live = <T extends Term>(rows: readonly T[]): readonly T[] => rows.filter((row) => termState(row, at) !== 'retired');
    return [
      ...live(cas).map(({ fingerprint, proposal }) => ({ of: 'ca' as const, id: fingerprint, version: 0, digest: fingerprint, proposal })),
      ...live(codeSets).map(({ digest, name, proposal, version }) => ({ of: 'code-set' as const, id: name, version, digest, proposal })),
      ...live(ruleSets).map(({ digest, name, proposal, version }) => ({ of: 'rule-set' as const, id: name, version, digest, proposal })),
      ...live(schemas).map(({ digest, kind, proposal, version }) => ({ of: 'schema' as const, id: kind, version, digest, proposal })),
    ];
  }

  /** What is in force and ends within the time of warning, soonest first. */
  public async endsSoon(): Promise<readonly CatalogueEnd[]> {
    const at = this.now();
    const { cas, codeSets, ruleSets, schemas } = await this.read();
    const soon = ({ retires, ...term }: Term): boolean => retires !== undefined && retires - at < this.warnDays * day && termState({ ...term, retires }, at) === 'in-force';
    const numbered = <T extends Term & { readonly version: number }>(of: Retirable, all: readonly T[], idOf: (entry: T) => string): CatalogueEnd[] =>
      all.filter(soon).map((entry) => {
        const id = idOf(entry);
        const next = versionInForce(all.filter((other) => idOf(other) === id), entry.retires ?? 0);
        return { of, id, version: entry.version, retires: entry.retires ?? 0, ...(next === undefined ? {} : { followedBy: next.version }) };
      });
    return [
      ...numbered('schema', schemas, ({ kind }) => kind),
      ...numbered('code-set', codeSets, ({ name }) => name),
      ...numbered('rule-set', ruleSets, ({ name }) => name),
      ...cas.filter(soon).map(({ fingerprint, retires = 0 }): CatalogueEnd => ({ of: 'ca', id: fingerprint, retires })),
    ].sort((left, right) => left.retires - right.retires);
  }

  private async read(): Promise<Adopted> {
    // Documents are large and seldom change: what was read once serves until a block changes one.
    this.adopted ??= readAdopted(this.readModel);
    const reading = this.adopted;
    return await reading.catch((error: unknown) => {
      if (this.adopted === reading) this.adopted = undefined;
      throw error;
    });
  }

  private now(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

async function readAdopted(readModel: ReadModel): Promise<Adopted> {
  return {
    schemas: await readModel.schemas(),
    codeSets: await readModel.codeSets(),
    ruleSets: await readModel.ruleSets(),
    cas: await readModel.trustedCas(),
    migrations: await readModel.migrations(),
  };
}

/** Whether a block may change what was adopted. */
function changesCatalogue({ transactions }: LedgerBlock): boolean {
  return transactions.some(({ writes }) => writes.some(({ key }) => governed.has(splitStateKey(key)?.type ?? '')));
}

/** Rows come sorted by their keys, so versions of one thing come together and in order. */
function groups<T>(rows: readonly T[], nameOf: (row: T) => string): readonly (readonly [T, ...T[]])[] {
  const found = new Map<string, [T, ...T[]]>();
  for (const row of rows) {
    const before = found.get(nameOf(row));
    if (before === undefined) found.set(nameOf(row), [row]);
    else before.push(row);
  }
  return [...found.values()];
}

function datesOf({ effective, retires }: Term): Term {
  return { ...(effective === undefined ? {} : { effective }), ...(retires === undefined ? {} : { retires }) };
}

function versionOf(row: Term & { readonly digest: string; readonly proposal: string; readonly version: number }, at: number): CatalogueVersion {
  const { digest, proposal, version } = row;
  return { version, digest, proposal, state: termState(row, at), ...datesOf(row) };
}

function kindOf(versions: readonly [LedgerState['schema'], ...LedgerState['schema'][]], migrations: Adopted['migrations'], at: number): CatalogueKind {
  const current = versionInForce(versions, at);
  const shown = current ?? versions.at(-1) ?? versions[0];
  const { kind } = shown;
  return {
    kind,
    ...wordsOf(shown.document),
    ...(current === undefined ? {} : { inForce: current.version }),
    versions: versions.map((version) => versionOf(version, at)),
    migrations: migrations.filter((migration) => migration.kind === kind).map(({ digest, from, to }) => ({ from, to, digest })),
  };
}

/** Every adopted document was read in full before its adoption. */
function wordsOf(document: JsonObject): Pick<CatalogueKind, 'claims' | 'rights' | 'sealed' | 'title'> {
  const { claims, rights, sealed, title }: KindDefinition = kindFromDocument(document);
  return { title, rights, sealed, claims: Object.entries(claims).map(([claim, { en, personal, zh }]) => ({ claim, en, zh, personal: personal.length > 0 })) };
}

function documentOf(versions: readonly [LedgerState['codeSet'], ...LedgerState['codeSet'][]], at: number): CatalogueDocument {
  const current = versionInForce(versions, at);
  const { document, name } = current ?? versions.at(-1) ?? versions[0];
  const { title } = document;
  const codes = codesOf(document);
  return {
    name,
    ...(isJsonObject(title) && typeof title['zh'] === 'string' && typeof title['en'] === 'string' ? { title: { zh: title['zh'], en: title['en'] } } : {}),
    ...(current === undefined ? {} : { inForce: current.version }),
    ...(codes === undefined ? {} : { codes }),
    versions: versions.map((version) => versionOf(version, at)),
  };
}

/** Only code sets are held against the shape of codes when they are adopted. */
function codesOf(document: JsonObject): number | undefined {
  try {
    return readCodes(document)?.size;
  } catch {
    return undefined;
  }
}
