import { checkRecord, migrateData, ProtocolError, readDisclosure, readMigration, type CompiledKind, type ErrorCode, type JsonObject, type Migration, type RecordProblem } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { IntakeAnswer } from '../intake/intake-answer.js';
import type { OwnRecord, OwnRecords } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';
import type { AdoptedKinds } from './adopted-kinds.js';

export interface MigrationOrder {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** Says what would become of each record, and changes nothing. */
  readonly dryRun: boolean;
  /** Goes on behind this record, as the report before it said. */
  readonly after?: string;
  /** Records that are looked at, 5,000 where absent and at most. */
  readonly limit?: number;
}

export interface MigrationReport {
  /** Own records that stand under the old version. */
  readonly records: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: readonly { readonly recordId: string; readonly code: ErrorCode; readonly problems: readonly RecordProblem[] }[];
  /** Present where there may be more: the last record looked at. */
  readonly next?: string;
}

export interface MigrateParts {
  readonly kinds: AdoptedKinds;
  readonly memberId: string;
  readonly readModel: ReadModel;
  readonly records: OwnRecords;
  readonly vault: Vault;
  accept(lines: AsyncIterable<string>, onAnswers: (answers: readonly IntakeAnswer[]) => void): Promise<unknown>;
}

interface Carried {
  readonly recordId: string;
  readonly data: JsonObject;
  readonly rights: OwnRecord['rights'];
}

/** One call answers within a request's time; whoever wants all goes on where it ended. */
export const mostMigrated = 5000;

/**
 * Publishes own records again under the next version of their kind, by the migration that a vote adopted: as new versions of
 * themselves, through the intake like any other change. What was carried over no longer stands under the old version, so a run
 * that broke off goes on by being run again.
 */
export class MigrateRecords {
  public constructor(private readonly parts: MigrateParts) {}

  /** @throws MIGRATION_UNKNOWN {kind, from, to}, SCHEMA_UNKNOWN and SCHEMA_RETIRED of the new version, what the intake throws */
  public async run({ after = '', dryRun, from, kind, limit = mostMigrated, to }: MigrationOrder): Promise<MigrationReport> {
    const adopted = this.parts.readModel.migration(kind, from, to);
    if (adopted === undefined) throw new ProtocolError('MIGRATION_UNKNOWN', { kind, from, to });
    const migration = readMigration(adopted.document);
    const next = this.parts.kinds.find(kind, to);
    const report: Writable = { records: 0, accepted: 0, unchanged: 0, refused: [] };
    const carried = this.carried(migration, next, report, { after, limit });
    await (dryRun ? this.tryOut(carried, next, report) : this.publish(carried, next, report));
    return ended(report, limit);
  }

  private async tryOut(carried: AsyncIterable<Carried>, next: CompiledKind, report: Writable): Promise<void> {
    for await (const { data, recordId } of carried) {
      const { ok, problems } = checkRecord(next, data, this.parts.kinds.codesInUse());
      if (ok) report.accepted += 1;
      else report.refused.push({ recordId, code: 'RECORD_INVALID', problems });
    }
  }

  private async publish(carried: AsyncIterable<Carried>, next: CompiledKind, report: Writable): Promise<void> {
    // Ids of lines that have no answer yet; answers come in order.
    const sent: string[] = [];
    let answered = 0;
    async function* lines(): AsyncGenerator<string> {
      for await (const { data, recordId, rights } of carried) {
        sent.push(recordId);
        yield `${JSON.stringify({ kind: next.kind, schema: next.version, rights, data, supersede: true })}\n`;
      }
    }
    await this.parts.accept(lines(), (answers) => {
      for (const answer of answers) {
        if (!('line' in answer)) continue;
        const recordId = sent[answered] ?? '';
        answered += 1;
        if ('refused' in answer) report.refused.push({ recordId, code: answer.code, problems: answer.refused });
        else report['unchanged' in answer ? 'unchanged' : 'accepted'] += 1;
      }
    });
  }

  /** Live own records under the old version, each under the new one; those that cannot be opened go into the report. */
  private async *carried(migration: Migration, next: CompiledKind, report: Writable, { after, limit }: { readonly after: string; readonly limit: number }): AsyncGenerator<Carried> {
    const { memberId, records } = this.parts;
    const prefix = `${memberId}/${migration.kind}/`;
    for await (const [recordId, { rights, schema, status, versions }] of records.all()) {
      if (recordId <= after || !recordId.startsWith(prefix) || schema !== migration.from || status !== 'active') continue;
      if (report.records === limit) return;
      report.next = recordId;
      report.records += 1;
      const data = this.dataOf(recordId, versions.at(-1)?.[0] ?? 0, report);
      if (data !== undefined) yield { recordId, rights, data: migrateData(migration, next, data) };
    }
  }

  private dataOf(recordId: string, version: number, report: Writable): JsonObject | undefined {
    try {
      return Object.fromEntries(Object.values(this.parts.vault.open(recordId, version).disclosures).map(readDisclosure));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      report.refused.push({ recordId, code: error.code, problems: [] });
      return undefined;
    }
  }
}

/** Ends the report: what was looked at last counts only where more may follow. */
function ended(report: Writable, limit: number): MigrationReport {
  const { next, ...whole } = report;
  return next === undefined || report.records < limit ? whole : { ...whole, next };
}

type Writable = { -readonly [Name in keyof MigrationReport]: MigrationReport[Name] extends readonly (infer T)[] ? T[] : MigrationReport[Name] };
