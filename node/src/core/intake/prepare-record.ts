import {
  buildPayload,
  canonicalBytes,
  canonicalize,
  importRow,
  localId,
  organisationId,
  ProtocolError,
  recordFacts,
  recordId as recordIdOf,
  sha256Hex,
  validateRecord,
  valueAt,
  type BuiltPayload,
  type Header,
  type JsonObject,
  type KindDefinition,
  type RecordFacts,
  type RecordProblem,
  type RightsClass,
} from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Keys, Random } from '../ports.js';
import type { OwnRecord, OwnRecords } from '../vault/own-records.js';
import { AdoptedKinds } from './adopted-kinds.js';
import { readOwnRecordId, type Submission } from './read-submission.js';

/** A new version of a record, ready to be sealed and queued. */
export interface PreparedVersion {
  readonly recordId: string;
  readonly header: Header;
  /** Absent for a revocation, which carries no data. */
  readonly payload?: BuiltPayload;
  /** The record's row, but for the outbox row of this version. */
  readonly record: OwnRecord;
}

export type Prepared =
  | { readonly what: 'version'; readonly version: PreparedVersion; readonly warnings: readonly RecordProblem[] }
  | { readonly what: 'unchanged'; readonly recordId: string; readonly version: number };

/** A line that is refused, with everything that is wrong with it. */
export class RefusedLine extends Error {
  public constructor(
    public readonly error: ProtocolError,
    public readonly problems: readonly RecordProblem[],
  ) {
    super(error.message);
  }

  public static of(error: ProtocolError): RefusedLine {
    const { details, entry } = error;
    const reason = details['reason'];
    const path = typeof details['path'] === 'string' ? details['path'] : '';
    return new RefusedLine(error, [{ path, code: typeof reason === 'string' ? reason : error.code, zh: entry.zh, en: entry.en }]);
  }
}

/** A record as it stands now: on disk, or accepted and on its way there. */
interface KnownRecord {
  readonly record: OwnRecord;
  readonly version: number;
}

export interface PrepareParts {
  readonly keys: Keys;
  readonly readModel: ReadModel;
  readonly outbox: Outbox;
  readonly records: OwnRecords;
  readonly random: Random;
}

/** From a line to a new version of a record: which kind, which record, what changed, payload, header. */
export class RecordPreparation {
  private readonly kinds: AdoptedKinds;
  /** Versions that are prepared and not on disk yet. */
  private readonly underWay = new Map<string, PreparedVersion>();

  public constructor(private readonly parts: PrepareParts) {
    this.kinds = new AdoptedKinds(parts.readModel);
  }

  /** Nothing is written. `admit` hears which record it is before anything is made, and may refuse. @throws RefusedLine */
  public prepare(submission: Submission, admit: (recordId: string) => void): Prepared {
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

  private publication(submission: Submission, admit: (recordId: string) => void): Prepared {
    const definition = this.kinds.find(submission.kind, submission.schema);
    const { data, warnings } = readData(definition, submission);
    const facts = recordFacts(definition.kind, definition.version, data);
    const placed = placeOf(definition, facts, data, submission.rights);
    const id = this.idOf(definition.kind, facts.naturalKey);
    admit(id);
    const digest = sha256Hex(canonicalBytes({ data, rights: placed.rights, schema: definition.version }));
    const known = this.known(id);
    if (known === undefined && submission.supersede) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    if (known !== undefined) {
      if (known.record.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { record: id });
      if (known.record.data === digest && !this.isContested(id)) return { what: 'unchanged', recordId: id, version: known.version };
      checkIdentity(id, known.record, placed);
    }
    const version = (known?.version ?? 0) + 1;
    const payload = buildPayload(
      { recordId: id, version, schema: definition.version, subject: placed.subject, data, claimNames: facts.claimNames },
      (length) => this.parts.random.bytes(length),
    );
    const [, , local = ''] = id.split('/');
    const header: Header = { digest: payload.digest, kind: definition.kind, localId: local, ...placed, schema: definition.version, status: 'active', version };
    const record: OwnRecord = { data: digest, ...placed, schema: definition.version, status: 'active', versions: known?.record.versions ?? [] };
    return { what: 'version', version: { recordId: id, header, payload, record }, warnings };
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
    const definition = this.kinds.find(kind, submission.schema);
    const { data } = readData(definition, submission);
    return this.idOf(kind, recordFacts(kind, definition.version, data).naturalKey);
  }

  private known(id: string): KnownRecord | undefined {
    const coming = this.underWay.get(id);
    if (coming !== undefined) return { record: coming.record, version: coming.header.version };
    const record = this.parts.records.read(id);
    const last = record?.versions.at(-1);
    if (record !== undefined && last !== undefined) return { record, version: last[0] };
    return this.onLedger(id);
  }

  /** A record this node published and knows no more, for its data was lost: its next version must follow what the ledger shows. */
  private onLedger(id: string): KnownRecord | undefined {
    const indexed = this.parts.outbox.hasUnknownBatches ? this.parts.readModel.record(id) : undefined;
    if (indexed === undefined) return undefined;
    const { owner, rights, schema, status, subject } = indexed.header;
    return { record: { data: '', ...(owner === undefined ? {} : { owner }), rights, schema, status, subject, versions: [] }, version: indexed.versions };
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

function readData(definition: KindDefinition, submission: Submission): { data: JsonObject; warnings: readonly RecordProblem[] } {
  const imported = submission.row === undefined ? undefined : importRow(definition, submission.row);
  if (imported !== undefined && imported.data === undefined) throw refusal(definition, imported.problems);
  const data = imported?.data ?? submission.data ?? {};
  const check = validateRecord(definition.kind, definition.version, data);
  if (!check.ok) throw refusal(definition, check.problems);
  return { data, warnings: check.warnings };
}

function refusal({ kind, version }: KindDefinition, problems: readonly RecordProblem[]): RefusedLine {
  return new RefusedLine(new ProtocolError('RECORD_INVALID', { kind, version, problems: problems.length }), problems);
}

interface Placed {
  readonly rights: RightsClass;
  readonly subject: string;
  readonly owner?: string;
}

/** Rights class, subject and owner of a record. @throws RIGHTS_NOT_ALLOWED */
function placeOf(definition: KindDefinition, facts: RecordFacts, data: JsonObject, wanted?: RightsClass): Placed {
  const rights = wanted ?? facts.rights;
  if (!definition.rights.includes(rights)) throw new ProtocolError('RIGHTS_NOT_ALLOWED', { kind: definition.kind, rights });
  if (rights !== 'owner') return { rights, subject: facts.subject };
  const uscc = definition.owner === null ? undefined : valueAt(data, definition.owner);
  if (typeof uscc !== 'string') throw new ProtocolError('RIGHTS_NOT_ALLOWED', { kind: definition.kind, rights, reason: 'no-owner' });
  return { rights, subject: facts.subject, owner: organisationId(uscc) };
}

function checkIdentity(id: string, before: OwnRecord, { owner, subject }: Placed): void {
  if (before.owner !== owner || before.subject !== subject) throw new ProtocolError('SUPERSEDE_CHANGES_OWNER', { record: id });
}
