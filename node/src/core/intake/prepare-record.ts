import {
  buildPayload,
  canonicalize,
  checkUscc,
  factsOf,
  localId,
  organisationId,
  ProtocolError,
  recordId as recordIdOf,
  valueAt,
  type BuiltPayload,
  type CompiledKind,
  type Header,
  type RecordProblem,
} from '@huilian/protocol';
import { AdoptedKinds, type ExaminingTerms } from '../catalog/adopted-kinds.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Clock, Keys, Random } from '../ports.js';
import type { OwnRecord, OwnRecords } from '../vault/own-records.js';
import type { SealedContent } from '../vault/sealed-row.js';
import type { Vault } from '../vault/vault.js';
import type { MappingLookup } from '../mapping/held-mappings.js';
import { describeRecord, headerOf, importLine, readData, RefusedLine, schemaOf, type DescribedRecord, type ExaminedLine, type ReadingTerms } from './examine-line.js';
import { readOwnRecordId, type Submission } from './read-submission.js';

/** A new version of a record, ready to be sealed and queued. */
export interface PreparedVersion {
  readonly recordId: string;
  readonly header: Header;
  /** Absent for a revocation, which carries no data, and where the content is sealed already. */
  readonly payload?: BuiltPayload;
  readonly sealed?: SealedContent;
  /** The record's row, but for the outbox row of this version and the cover over the digest of its data. */
  readonly record: OwnRecord;
  /** The record was erased before, and this version is asked for all the same. */
  readonly afterErasure?: true;
}

export type Prepared =
  | { readonly what: 'version'; readonly version: PreparedVersion; readonly warnings: readonly RecordProblem[] }
  | { readonly what: 'unchanged'; readonly recordId: string; readonly version: number };

/** Hears which record a line is about, whether its data is what the record holds already, and the digest of it. @throws RefusedLine to refuse the line */
export type Admit = (recordId: string, isSame: boolean, digest: string) => void;

/** Which record a line means, as far as it can be told of one that was refused. */
export interface NamedRecord {
  readonly recordId: string;
  readonly owner?: string;
}

/** A record as it stands now: on disk, or accepted and on its way there. */
interface KnownRecord {
  readonly record: OwnRecord;
  readonly version: number;
}

export interface PrepareParts {
  readonly clock: Clock;
  readonly keys: Keys;
  readonly readModel: ReadModel;
  readonly outbox: Outbox;
  readonly records: OwnRecords;
  readonly random: Random;
  readonly vault: Vault;
  readonly mappings: MappingLookup;
}

/** From a line to a new version of a record: which kind, which record, what changed, payload, header. */
export class RecordPreparation {
  private readonly kinds: AdoptedKinds;
  /** Versions that are prepared and not on disk yet. */
  private readonly underWay = new Map<string, PreparedVersion>();

  public constructor(private readonly parts: PrepareParts) {
    this.kinds = new AdoptedKinds(parts.readModel, parts.clock);
  }

  /** Nothing is written. `admit` hears which record it is before anything is made, and may refuse. @throws RefusedLine */
  public prepare(submission: Submission, admit: Admit): Prepared {
    try {
      const prepared = submission.revoke ? this.revocation(submission) : this.publication(submission, admit);
      if (prepared.what === 'version') this.underWay.set(prepared.version.recordId, prepared.version);
      return prepared;
    } catch (error) {
      throw error instanceof ProtocolError ? RefusedLine.of(error) : error;
    }
  }

  /** The version is on disk (or never will be): from now on the disk answers for it. */
  public finished(version: PreparedVersion): void {
    if (this.underWay.get(version.recordId) === version) this.underWay.delete(version.recordId);
  }

  /** Id of the record a submission is about. */
  private idOf(kind: string, naturalKey: string): string {
    const { localIdKey, memberId } = this.parts.keys;
    return recordIdOf(memberId, kind, localId(localIdKey, kind, naturalKey));
  }

  private publication(submission: Submission, admit: Admit): Prepared {
    const definition = this.definitionOf(submission);
    const { data, warnings } = readData(definition, submission, this.reading());
    const described = describeRecord(definition, data, submission.rights, this.parts.keys.localIdKey);
    const { digest, facts } = described;
    const id = recordIdOf(this.parts.keys.memberId, definition.kind, described.localId);
    const known = this.known(id);
    admit(id, known?.record.data === digest, digest);
    const erased = this.isErased(id, known);
    if (known !== undefined && this.isUnchanged(id, known, digest, erased)) return { what: 'unchanged', recordId: id, version: known.version };
    checkChange(id, known?.record, described, submission, erased);
    const version = (known?.version ?? 0) + 1;
    const payload = buildPayload(
      { recordId: id, version, schema: definition.version, subject: described.subject, data, claimNames: facts.claimNames, claimTexts: described.claimTexts },
      (length) => this.parts.random.bytes(length),
    );
    const header = headerOf(definition, described, version, payload.digest);
    return { what: 'version', version: { recordId: id, header, payload, record: ownRecord(header, digest, known?.record.versions), ...(erased ? { afterErasure: true } : {}) }, warnings };
  }

  /**
   * The same for a line that was examined elsewhere; nothing of it is done twice. Undefined where it must go the usual way
   * after all: a fault, another version of a known record, a kind that is not adopted as it was examined.
   */
  public prepareExamined({ dataDigest, header, named, sealed, warnings }: ExaminedLine, admit: Admit): Prepared | undefined {
    try {
      if (this.kinds.find(header.kind, named).version !== header.schema) return undefined;
      const id = recordIdOf(this.parts.keys.memberId, header.kind, header.localId);
      const known = this.known(id);
      if (this.isErased(id, known)) return undefined;
      if (known !== undefined) return this.knownUnchanged(id, known, dataDigest, admit);
      admit(id, false, dataDigest);
      const version = { recordId: id, header, sealed, record: ownRecord(header, dataDigest) };
      this.underWay.set(id, version);
      return { what: 'version', version, warnings };
    } catch (error) {
      // The usual way finds the same fault, and says it to whom it concerns.
      if (error instanceof ProtocolError || error instanceof RefusedLine) return undefined;
      throw error;
    }
  }

  private knownUnchanged(id: string, { record, version }: KnownRecord, digest: string, admit: Admit): Prepared | undefined {
    if (record.status === 'revoked' || record.data !== digest || this.isContested(id)) return undefined;
    admit(id, true, digest);
    return { what: 'unchanged', recordId: id, version };
  }

  private definitionOf(submission: Submission): CompiledKind {
    return this.kinds.find(submission.kind, schemaOf(submission, this.parts.mappings));
  }

  private reading(): ReadingTerms {
    return { codes: this.kinds.codesInUse(), mappings: this.parts.mappings };
  }

  /** The record that a refused line means, where all of its natural key could be read. */
  public namedBy(submission: Submission): NamedRecord | undefined {
    try {
      if (submission.recordId !== undefined) return { recordId: submission.recordId };
      const definition = this.definitionOf(submission);
      const { data, kind } = { data: importLine(definition, submission, this.parts.mappings)?.fields ?? submission.data ?? {}, kind: definition.kind };
      const uscc = definition.owner === null ? undefined : valueAt(data, definition.owner);
      const owner = typeof uscc === 'string' && checkUscc(uscc).ok ? { owner: organisationId(uscc) } : {};
      const [first] = definition.naturalKey;
      if (first === undefined || valueAt(data, first) === undefined) return undefined;
      return { recordId: this.idOf(kind, factsOf(definition, data).naturalKey), ...owner };
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  /** What examining threads must know of kinds and codes. */
  public terms(): ExaminingTerms {
    return this.kinds.terms();
  }

  /** The header of a revoked version names the digest before it: there is no new data to commit to. */
  private revocation(submission: Submission): Prepared {
    const id = this.revokedId(submission);
    const known = this.known(id);
    const before = known && this.currentHeader(id, known);
    if (known === undefined || before === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    if (known.record.status === 'revoked') return { what: 'unchanged', recordId: id, version: known.version };
    const { salt: _opened, ...kept } = before;
    const header: Header = { ...kept, status: 'revoked', version: known.version + 1 };
    return { what: 'version', version: { recordId: id, header, record: { ...known.record, status: 'revoked' } }, warnings: [] };
  }

  private revokedId(submission: Submission): string {
    const { kind, naturalKey, recordId } = submission;
    if (recordId !== undefined) return readOwnRecordId(recordId, this.parts.keys.memberId, kind);
    if (naturalKey !== undefined) return this.idOf(kind, canonicalize(naturalKey));
    // A record may be taken back under a version that has ended.
    const schema = schemaOf(submission, this.parts.mappings);
    const definition = schema === undefined ? this.kinds.find(kind) : this.kinds.adopted(kind, schema);
    const { data } = readData(definition, submission, this.reading());
    return this.idOf(kind, factsOf(definition, data).naturalKey);
  }

  private known(id: string): KnownRecord | undefined {
    const coming = this.underWay.get(id);
    if (coming !== undefined) return { record: coming.record, version: coming.header.version };
    const record = this.parts.records.read(id);
    const last = record?.versions.at(-1)?.[0] ?? 0;
    const lost = this.onLedger(id, last, record?.versions);
    if (lost !== undefined || record === undefined || last === 0) return lost;
    return { record: { ...record, data: this.parts.vault.dataDigest(id, record) }, version: last };
  }

  /** A record or version that this node published and knows no more, for its data was lost: the next version must follow what the ledger shows. */
  private onLedger(id: string, last: number, versions: OwnRecord['versions'] = []): KnownRecord | undefined {
    const isLost = this.parts.outbox.hasUnknownBatches || this.parts.vault.erasedVersion(id) !== undefined;
    const indexed = isLost ? this.parts.readModel.record(id) : undefined;
    if (indexed === undefined || indexed.versions <= last) return undefined;
    const { owner, rights, schema, status, subject } = indexed.header;
    return { record: { data: '', ...(owner === undefined ? {} : { owner }), rights, schema, status, subject, versions }, version: indexed.versions };
  }

  /** Whether the newest version was erased, and nothing was published after it. */
  private isErased(id: string, known: KnownRecord | undefined): boolean {
    const erased = this.parts.vault.erasedVersion(id);
    return erased !== undefined && (known?.version ?? 0) <= erased;
  }

  /** Whether a line says what the record holds already. @throws RECORD_REVOKED */
  private isUnchanged(id: string, { record }: KnownRecord, digest: string, erased: boolean): boolean {
    if (record.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { record: id });
    return !erased && record.data === digest && !this.isContested(id);
  }

  private currentHeader(id: string, { record, version }: KnownRecord): Header | undefined {
    const coming = this.underWay.get(id);
    if (coming !== undefined) return coming.header;
    const row = record.versions.find(([entry]) => entry === version)?.[1];
    const pending = row === undefined ? undefined : this.parts.outbox.pendingHeader(row);
    return pending ?? this.parts.readModel.recordVersion(id, version)?.header;
  }

  /** A contested version is replaced by a higher one even where the data is the same. */
  private isContested(id: string): boolean {
    return this.parts.readModel.record(id)?.contested === true;
  }
}

function ownRecord({ owner, rights, schema, subject }: Header, data: string, versions: OwnRecord['versions'] = []): OwnRecord {
  return { data, ...(owner === undefined ? {} : { owner }), rights, schema, status: 'active', subject, versions };
}

/** A source that still has the record does not bring it back: that takes a word of its own. */
function erasedLine(id: string): RefusedLine {
  return new RefusedLine(new ProtocolError('ERASED', { record: id }), [{
    path: '',
    code: 'ERASED',
    zh: '该记录已按要求删除，重新导入不会恢复；权属人再次要求发布时请用 huilian publish --supersede',
    en: 'the record was erased on request and importing it again does not bring it back; when its owner asks for it again: huilian publish --supersede',
  }]);
}

/** What stands against a new version. @throws RECORD_UNKNOWN, SUPERSEDE_CHANGES_OWNER, RefusedLine */
function checkChange(id: string, before: OwnRecord | undefined, described: DescribedRecord, { supersede }: Submission, erased: boolean): void {
  if (before === undefined && !erased && supersede) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
  if (before !== undefined) checkIdentity(id, before, described);
  if (erased && !supersede) throw erasedLine(id);
}

function checkIdentity(id: string, before: OwnRecord, { owner, subject }: DescribedRecord): void {
  if (before.owner !== owner || before.subject !== subject) throw new ProtocolError('SUPERSEDE_CHANGES_OWNER', { record: id });
}
