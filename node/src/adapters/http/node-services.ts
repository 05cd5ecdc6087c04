import type { JsonObject, ProposalAction, RecoverPublicKey, RejectionReason } from '@huilian/protocol';
import type { Accounts } from '../../core/accounts/accounts.js';
import type { Sessions } from '../../core/accounts/sessions.js';
import type { SignInStaff } from '../../core/accounts/sign-in-staff.js';
import type { RoleGroups, StaffDirectory } from '../../core/accounts/staff-directory.js';
import type { AuditLog } from '../../core/audit-log/audit-log.js';
import type { Asks } from '../../core/access/asks.js';
import type { Catalogue } from '../../core/catalog/catalogue.js';
import type { MigrationOrder, MigrationReport } from '../../core/catalog/migrate-records.js';
import type { KeepBackups } from '../../core/backup/keep-backups.js';
import type { CountRecords } from '../../core/columns/count-records.js';
import type { Completeness } from '../../core/completeness/completeness.js';
import type { RelayRequest } from '../../core/access/relay-request.js';
import type { Finding } from '../../core/diagnosis/finding.js';
import type { RecordCourse } from '../../core/diagnosis/follow-record.js';
import type { NodeOverview } from '../../core/overview/overview-of-node.js';
import type { EraseOrder, EraseReport } from '../../core/erasure/erase-data.js';
import type { LetterDesk } from '../../core/dead-letters/letter-desk.js';
import type { BuildEvidence } from '../../core/evidence/build-evidence.js';
import type { ExportOrder } from '../../core/export/export-records.js';
import type { EventFeed } from '../../core/events/event-feed.js';
import type { Webhooks } from '../../core/events/webhooks.js';
import type { Joins } from '../../core/governance/joins.js';
import type { LedgerCommands } from '../../core/governance/ledger-commands.js';
import type { AdmissionOptions } from '../../core/intake/intake.js';
import type { Mirror } from '../../core/mirror/mirror.js';
import type { ReadModel } from '../../core/indexing/read-model.js';
import type { MappingDraft } from '../../core/mapping/draft-mapping.js';
import type { HeldMapping, HeldMappings } from '../../core/mapping/held-mappings.js';
import type { Preview } from '../../core/mapping/preview-rows.js';
import type { CheckLinks } from '../../core/links/check-links.js';
import type { SendOwnCopy } from '../../core/owner-view/send-own-copy.js';
import type { ViewOwner } from '../../core/owner-view/view-owner.js';
import type { Clock, Erasure, Random, Store } from '../../core/ports.js';
import type { SyncJobs } from '../../core/sync/sync-jobs.js';
import type { missingPayloads } from '../../core/vault/missing-payloads.js';
import type { JoinTrail } from '../../core/trail/join-trail.js';

/** What the HTTP door needs of a node; put together by the composition. */
export abstract class NodeServices {
  public abstract readonly memberId: string;
  public abstract readonly readModel: ReadModel;
  public abstract readonly store: Store;
  public abstract readonly clock: Clock;
  public abstract readonly random: Random;
  public abstract readonly relay: RelayRequest;
  /** The centre's own people, and what its side did. */
  public abstract readonly accounts: Accounts;
  public abstract readonly sessions: Sessions;
  public abstract readonly staff: SignInStaff;
  public abstract readonly audit: AuditLog;
  /** The centre's staff directory, and which of its groups have a role here; absent where none is configured. */
  public abstract readonly directory: { readonly provider: StaffDirectory; readonly roles: RoleGroups } | undefined;
  public abstract readonly asks: Asks;
  public abstract readonly catalogue: Catalogue;
  public abstract readonly backups: KeepBackups;
  public abstract readonly trail: JoinTrail;
  public abstract readonly evidence: BuildEvidence;
  public abstract readonly links: CheckLinks;
  public abstract readonly ownCopies: SendOwnCopy;
  public abstract readonly ownerView: ViewOwner;
  public abstract readonly commands: LedgerCommands;
  public abstract readonly counting: CountRecords;
  /** Undefined where no database is configured. */
  public abstract readonly mirror: Mirror | undefined;
  public abstract readonly completeness: Completeness;
  public abstract readonly feed: EventFeed;
  public abstract readonly letters: LetterDesk;
  public abstract readonly mappings: HeldMappings;
  public abstract readonly joins: Joins;
  public abstract readonly sources: SyncJobs;
  public abstract readonly webhooks: Webhooks;
  public abstract readonly recover: RecoverPublicKey;
  /** NDJSON bytes in, one answer object per line and acknowledgement out, those of a group together. */
  public abstract intake(lines: AsyncIterable<Uint8Array>, options?: AdmissionOptions): AsyncIterable<readonly object[]>;
  /** The node's data as one backup. */
  public abstract streamBackup(): AsyncIterable<Uint8Array>;
  /** Records as text in pieces. @throws BAD_FIELD */
  public abstract exportRecords(order: ExportOrder): Promise<AsyncGenerator<string>>;
  /** Own records on the ledger whose content this node lacks. */
  public abstract missingPayloads(from?: string): ReturnType<typeof missingPayloads>;
  /** Holds a mapping that fits the adopted kind it names. @throws BAD_FIELD, UNKNOWN_FIELD, SCHEMA_UNKNOWN, MAPPING_INVALID */
  public abstract putMapping(name: string, document: unknown): Promise<HeldMapping>;
  /** @throws SCHEMA_UNKNOWN */
  public abstract draftMapping(kind: string, schema: number | undefined, header: readonly string[], samples: readonly (readonly string[])[]): MappingDraft;
  /** @throws SCHEMA_UNKNOWN, BAD_FIELD, UNKNOWN_FIELD */
  public abstract previewMapping(kind: string, schema: number | undefined, document: unknown, rows: readonly Readonly<Record<string, string>>[]): Preview;
  /** A presentation of a record of class `public`, from its publisher's node. @throws RECORD_UNKNOWN, GRANT_REQUIRED */
  public abstract publicRecord(recordId: string): Promise<string>;
  public abstract found(charter: unknown): Promise<GovernanceAnswer>;
  public abstract propose(action: ProposalAction, content: JsonObject, round: number): Promise<GovernanceAnswer>;
  public abstract vote(choice: 'approve' | 'reject', proposal: string, reason?: RejectionReason): Promise<GovernanceAnswer>;
  /** Own records of a version of a kind under the next one. @throws MIGRATION_UNKNOWN, SCHEMA_UNKNOWN, SCHEMA_RETIRED */
  public abstract migrate(order: MigrationOrder): Promise<MigrationReport>;
  public abstract registerOwner(statement: unknown, chain: readonly string[]): Promise<GovernanceAnswer>;
  public abstract revokeGrant(envelope: unknown): Promise<GovernanceAnswer>;
  /** The operator has seen which acknowledged rows are lost; the node takes records again. */
  public abstract acceptLoss(): Promise<{ readonly lost: readonly { readonly from: number; readonly to: number }[] }>;
  /** Erases records, or all data of an owner, for good. @throws NOT_FOUND, NOT_RECORD_OWNER, BAD_ID, KEY_COPY_FAILED, STORAGE_FAILED */
  public abstract erase(order: EraseOrder | { readonly kind: string; readonly naturalKey: readonly string[] }): Promise<EraseReport>;
  /** What was erased, newest first. */
  public abstract erasures(): readonly Erasure[];
  public abstract status(): Promise<object>;
  /** The node at a glance, for its console. */
  public abstract overview(): Promise<NodeOverview>;
  /** Everything an operator would look at. */
  public abstract examine(): Promise<readonly Finding[]>;
  /** Where a record is on its way, by its id or by kind and natural key of an own one. @throws RECORD_UNKNOWN, BAD_ID */
  public abstract follow(named: { readonly recordId?: string; readonly kind?: string; readonly naturalKey?: readonly string[] }): Promise<RecordCourse>;
  /** Metrics for Prometheus: content type and text. */
  public abstract metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  public abstract answered(method: string, route: string, status: number, seconds: number): void;
  /** Why the node is not ready to serve; empty when it is. */
  public abstract notReady(): readonly string[];
  public abstract reportFault(error: unknown): void;
}

export interface GovernanceAnswer {
  readonly transactionId: string;
  readonly response: JsonObject;
}

