import {
  amendableCodes,
  beijingDay,
  bundledKind,
  bundledKinds,
  documentDigest,
  GovernedCodes,
  namedCodes,
  ProtocolError,
  termState,
  versionInForce,
  type CodesInUse,
  type CompiledKind,
  type JsonObject,
  type LedgerState,
} from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock } from '../ports.js';
import { compileKind } from './compile-kind.js';

type Schema = LedgerState['schema'];
type CodeSet = LedgerState['codeSet'];

/** What examining threads must know to work a line through as this thread would. */
export interface ExaminingTerms {
  /** Version of each kind that new records follow. */
  readonly newest: Readonly<Record<string, number>>;
  /** Documents of kinds that this software does not bring along, by `kind/version`. */
  readonly documents: ReadonlyMap<string, JsonObject>;
  /** All versions of the code sets that records are checked against; another list whenever something changed. */
  readonly codeSets: readonly CodeSet[];
  /** The day in Beijing, YYYY-MM-DD. */
  readonly today: string;
}

export const noTerms: ExaminingTerms = { codeSets: [], documents: new Map(), newest: {}, today: '1970-01-01' };

/**
 * The kinds that the consortium adopted, by the ledger's documents: those this software brings along with the validator that
 * came with it, every other compiled here. Versions of a kind are adopted one after the other, so they are found by counting.
 */
export class AdoptedKinds {
  /** By `kind/version`; an adopted document never changes. */
  private readonly compiled = new Map<string, CompiledKind>();
  /** Kinds that were asked for and found. */
  private readonly asked = new Set<string>(bundledKinds().map(({ kind }) => kind));
  private readonly schemas: CountedVersions<Schema>;
  private readonly codeSets: CountedVersions<CodeSet>;
  private codes: { readonly sets: readonly CodeSet[]; readonly governed: GovernedCodes } = { governed: new GovernedCodes([]), sets: [] };
  private codesAt = -2;

  public constructor(
    private readonly readModel: Pick<ReadModel, 'codeSet' | 'height' | 'schema'>,
    private readonly clock: Clock,
  ) {
    this.schemas = new CountedVersions(readModel, (kind, version) => readModel.schema(kind, version));
    this.codeSets = new CountedVersions(readModel, (name, version) => readModel.codeSet(name, version));
  }

  /**
   * The kind as a new record follows it: the version named, or the one in force.
   * @throws SCHEMA_UNKNOWN {kind, version, reason: not-adopted | not-effective | not-usable}, SCHEMA_RETIRED {kind, version}
   */
  public find(kind: string, version?: number): CompiledKind {
    const versions = this.schemas.of(kind);
    const at = Math.floor(this.clock.now() / 1000);
    const schema = version === undefined ? versionInForce(versions, at) : versions[version - 1];
    if (schema === undefined) throw noVersion(kind, version, versions);
    const state = termState(schema, at);
    if (state === 'retired') throw new ProtocolError('SCHEMA_RETIRED', { kind, version: schema.version });
    if (state === 'coming') throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version: schema.version, reason: 'not-effective' });
    return this.compiledOf(schema);
  }

  /** An adopted kind, whatever its dates: what records of before were made under. @throws SCHEMA_UNKNOWN */
  public adopted(kind: string, version: number): CompiledKind {
    const schema = this.schemas.of(kind)[version - 1];
    if (schema === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version, reason: 'not-adopted' });
    return this.compiledOf(schema);
  }

  /** As `adopted`, for those who look at records of any kind: undefined where this node knows no such kind, or cannot use it. */
  public known(kind: string, version: number): CompiledKind | undefined {
    try {
      return this.adopted(kind, version);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'SCHEMA_UNKNOWN') return undefined;
      throw error;
    }
  }

  /** What records that come in now are checked against beside their kind. */
  public codesInUse(): CodesInUse {
    return { governed: this.readCodes().governed, today: beijingDay(this.clock.now() / 1000) };
  }

  /** For examining threads: kinds that were asked for so far. Of any other the first lines are worked through here. */
  public terms(): ExaminingTerms {
    const newest: Record<string, number> = {};
    const documents = new Map<string, JsonObject>();
    const at = Math.floor(this.clock.now() / 1000);
    for (const kind of this.asked) {
      const versions = this.schemas.of(kind);
      const current = versionInForce(versions, at);
      if (current !== undefined) newest[kind] = current.version;
      // A version that ended, or has not begun, is for this thread to refuse.
      for (const schema of versions) {
        if (termState(schema, at) === 'in-force' && !isBundled(schema)) documents.set(`${kind}/${String(schema.version)}`, schema.document);
      }
    }
    return { codeSets: this.readCodes().sets, documents, newest, today: beijingDay(this.clock.now() / 1000) };
  }

  private compiledOf(schema: Schema): CompiledKind {
    const { kind, version } = schema;
    const key = `${kind}/${String(version)}`;
    const before = this.compiled.get(key);
    if (before !== undefined) return before;
    const compiled = compiledFrom(schema);
    this.compiled.set(key, compiled);
    this.asked.add(kind);
    // Its fields may name code sets that no kind named before.
    this.codesAt = -2;
    return compiled;
  }

  private readCodes(): { readonly sets: readonly CodeSet[]; readonly governed: GovernedCodes } {
    const height = this.readModel.height();
    if (height === this.codesAt) return this.codes;
    const names = new Set([...amendableCodes, ...[...this.compiled.values()].flatMap(namedCodes)]);
    const sets = [...names].flatMap((name) => this.codeSets.of(name));
    if (sets.length !== this.codes.sets.length || sets.some(({ digest, effective, retires }, at) => !isSame({ digest, effective, retires }, this.codes.sets[at]))) {
      this.codes = { governed: new GovernedCodes(sets), sets };
    }
    this.codesAt = height;
    return this.codes;
  }
}

function isSame(one: Pick<CodeSet, 'digest'> & { readonly effective: number | undefined; readonly retires: number | undefined }, other: CodeSet | undefined): boolean {
  return one.digest === other?.digest && one.effective === other.effective && one.retires === other.retires;
}

function noVersion(kind: string, version: number | undefined, versions: readonly Schema[]): ProtocolError {
  // Without a version named there may be some, of which none is in force: the newest says why.
  const last = version === undefined ? versions.at(-1) : undefined;
  if (last === undefined) return new ProtocolError('SCHEMA_UNKNOWN', { kind, ...(version === undefined ? {} : { version }), reason: 'not-adopted' });
  if (last.retires !== undefined) return new ProtocolError('SCHEMA_RETIRED', { kind, version: last.version });
  return new ProtocolError('SCHEMA_UNKNOWN', { kind, version: last.version, reason: 'not-effective' });
}

const bundledDigests = new Map<string, string>();

function isBundled({ digest, kind, version }: Schema): boolean {
  const bundled = bundledKind(kind, version);
  if (bundled === undefined) return false;
  const key = `${kind}/${String(version)}`;
  const known = bundledDigests.get(key) ?? documentDigest(bundled.document);
  bundledDigests.set(key, known);
  return known === digest;
}

/** The ledger's document binds, also where this software brings another of that name along. @throws SCHEMA_UNKNOWN {reason: not-usable} */
function compiledFrom(schema: Schema): CompiledKind {
  const { document, kind, version } = schema;
  const bundled = isBundled(schema) ? bundledKind(kind, version) : undefined;
  if (bundled !== undefined) return bundled;
  try {
    return compileKind(document);
  } catch {
    throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version, reason: 'not-usable' });
  }
}

/** Versions of something, counted up from 1 until there is no next one; read again when a block came. */
class CountedVersions<T> {
  private readonly found = new Map<string, readonly T[]>();
  private height = -2;

  public constructor(
    private readonly readModel: Pick<ReadModel, 'height'>,
    private readonly read: (name: string, version: number) => T | undefined,
  ) {}

  public of(name: string): readonly T[] {
    const height = this.readModel.height();
    if (height !== this.height) this.found.clear();
    this.height = height;
    const known = this.found.get(name);
    if (known !== undefined) return known;
    const versions: T[] = [];
    for (let next = this.read(name, 1); next !== undefined; next = this.read(name, versions.length + 1)) versions.push(next);
    // Names come from lines that anyone who publishes writes.
    if (versions.length > 0) this.found.set(name, versions);
    return versions;
  }
}
