import { canonicalBytes, fromUtf8, mappingShape, parseRecordId, type JsonObject, type ProposalAction, type RejectionReason } from '@huilian/protocol';
import { NodeServices, type GovernanceAnswer } from '../adapters/http/node-services.js';
import type { MigrateRecords, MigrationOrder, MigrationReport } from '../core/catalog/migrate-records.js';
import { examineNode, mostSkewSeconds, type ExaminedParts } from '../core/diagnosis/examine-node.js';
import type { Finding } from '../core/diagnosis/finding.js';
import { overviewOfNode, type NodeOverview } from '../core/overview/overview-of-node.js';
import type { DayCounts } from '../core/overview/day-counts.js';
import { followRecord, ownRecordId, type FollowedParts, type RecordCourse } from '../core/diagnosis/follow-record.js';
import type { EraseData, EraseOrder, EraseReport } from '../core/erasure/erase-data.js';
import type { ExportOrder } from '../core/export/export-records.js';
import type { PeerWatch } from '../core/exchange/peer-watch.js';
import type { LedgerCommands } from '../core/governance/ledger-commands.js';
import type { LedgerFollower } from '../core/indexing/follow-ledger.js';
import type { AdoptedKinds } from '../core/catalog/adopted-kinds.js';
import type { AdmissionOptions, Intake } from '../core/intake/intake.js';
import { draftMapping, type MappingDraft } from '../core/mapping/draft-mapping.js';
import type { HeldMapping } from '../core/mapping/held-mappings.js';
import { previewRows, type Preview } from '../core/mapping/preview-rows.js';
import type { MirrorStatus } from '../core/mirror/mirror.js';
import type { Outbox } from '../core/outbox/outbox.js';
import type { BatchSender } from '../core/outbox/send-batches.js';
import type { Erasure, Transport } from '../core/ports.js';
import { errorFields, type Logger } from '../observability/logger.js';
import { NodeMetrics, type Readings } from '../observability/metrics.js';
import { answerStream } from './answer-stream.js';
import type { OutboxAge } from './metered.js';

type Shared = Pick<NodeServices, 'accounts' | 'asks' | 'audit' | 'backups' | 'catalogue' | 'clock' | 'commands' | 'completeness' | 'counting' | 'directory' | 'evidence' | 'feed' | 'joins' | 'letters' | 'links' | 'mappings' | 'memberId' | 'mirror' | 'ownCopies' | 'ownerView' | 'random' | 'readModel' | 'recover' | 'relay' | 'sessions' | 'sources' | 'staff' | 'store' | 'trail' | 'webhooks'>;

export interface ServiceParts extends Shared {
  readonly kinds: AdoptedKinds;
  readonly days: DayCounts;
  readonly erasing: EraseData;
  readonly follower: LedgerFollower;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly sender: BatchSender;
  readonly transport: Transport;
  ownPublicRecord(recordId: string): Promise<string>;
  readonly examined: ExaminedParts;
  readonly followed: FollowedParts;
  readonly age: OutboxAge;
  readonly migrating: MigrateRecords;
  readonly peers: PeerWatch;
  readonly version: string;
  streamBackup(): AsyncIterable<Uint8Array>;
  exportRecords(order: ExportOrder): Promise<AsyncGenerator<string>>;
  missingPayloads(from?: string): ReturnType<NodeServices['missingPayloads']>;
  /** Resident memory in MiB. */
  memory(): number;
}

/** The services of a running node, as its HTTP door sees them. */
export class RunningServices extends NodeServices {
  /** What the node counts. */
  public readonly meter: NodeMetrics;
  private readonly rows = { accepted: 0, unchanged: 0, refused: 0 };
  public readonly accounts: NodeServices['accounts'];
  public readonly asks: NodeServices['asks'];
  public readonly audit: NodeServices['audit'];
  public readonly backups: NodeServices['backups'];
  public readonly catalogue: NodeServices['catalogue'];
  public readonly clock: NodeServices['clock'];
  public readonly commands: LedgerCommands;
  public readonly counting: NodeServices['counting'];
  public readonly directory: NodeServices['directory'];
  public readonly completeness: NodeServices['completeness'];
  public readonly evidence: NodeServices['evidence'];
  public readonly feed: NodeServices['feed'];
  public readonly links: NodeServices['links'];
  public readonly letters: NodeServices['letters'];
  public readonly mappings: NodeServices['mappings'];
  public readonly joins: NodeServices['joins'];
  public readonly memberId: string;
  public readonly mirror: NodeServices['mirror'];
  public readonly ownCopies: NodeServices['ownCopies'];
  public readonly ownerView: NodeServices['ownerView'];
  public readonly random: NodeServices['random'];
  public readonly readModel: NodeServices['readModel'];
  public readonly recover: NodeServices['recover'];
  public readonly relay: NodeServices['relay'];
  public readonly sessions: NodeServices['sessions'];
  public readonly staff: NodeServices['staff'];
  public readonly sources: NodeServices['sources'];
  public readonly store: NodeServices['store'];
  public readonly trail: NodeServices['trail'];
  public readonly webhooks: NodeServices['webhooks'];

  public constructor(private readonly parts: ServiceParts) {
    super();
    ({
      accounts: this.accounts,
      asks: this.asks,
      audit: this.audit,
      backups: this.backups,
      catalogue: this.catalogue,
      clock: this.clock,
      commands: this.commands,
      counting: this.counting,
      directory: this.directory,
      completeness: this.completeness,
      evidence: this.evidence,
      feed: this.feed,
      letters: this.letters,
      links: this.links,
      mappings: this.mappings,
      joins: this.joins,
      memberId: this.memberId,
      mirror: this.mirror,
      ownCopies: this.ownCopies,
      ownerView: this.ownerView,
      random: this.random,
      readModel: this.readModel,
      recover: this.recover,
      relay: this.relay,
      sessions: this.sessions,
      staff: this.staff,
      sources: this.sources,
      store: this.store,
      trail: this.trail,
      webhooks: this.webhooks,
    } = parts);
    this.meter = new NodeMetrics(parts.version, async () => await this.readings());
  }

  public async examine(): Promise<readonly Finding[]> {
    return await examineNode(this.parts.examined);
  }

  public async overview(): Promise<NodeOverview> {
    return await overviewOfNode(this.parts);
  }

  public async follow({ kind = '', naturalKey = [], recordId }: { readonly recordId?: string; readonly kind?: string; readonly naturalKey?: readonly string[] }): Promise<RecordCourse> {
    return await followRecord(this.parts.followed, recordId ?? ownRecordId(this.parts.followed, kind, naturalKey));
  }

  public async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.meter.contentType, text: await this.meter.text() };
  }

  public answered(method: string, route: string, status: number, seconds: number): void {
    this.meter.answered(method, route, status, seconds);
  }

  private async readings(): Promise<Readings> {
    const { age, examined, follower, outbox, peers } = this.parts;
    const { length: known } = peers.peers;
    const certificate = await examined.certificateEnd();
    const ends = await this.catalogue.endsSoon();
    const late = await this.completeness.late();
    const reachable = peers.peers.filter((peer) => peer.reachable).length;
    return {
      rows: this.rows,
      outbox: { ...(await outbox.status()), whole: outbox.isWhole, oldestSeconds: age.seconds },
      following: follower.state === 'following',
      ready: this.notReady().length === 0,
      height: this.readModel.height(),
      missingBlocks: peers.missingBlocks,
      peers: { reachable, unreachable: known - reachable },
      clockBehindSeconds: peers.behindSeconds,
      webhooks: this.webhooks.counts(),
      mirror: mirrorReading(this.mirror?.status()),
      flags: await this.links.counts(),
      diskFreeBytes: await examined.freeBytes(),
      diskFloorBytes: examined.diskFloorBytes,
      lastBackupSeconds: this.backups.last === undefined ? undefined : Math.floor(this.backups.last.at / 1000),
      certificateEndSeconds: certificate === undefined ? undefined : Math.floor(certificate / 1000),
      late,
      // Soonest first, so that the first of each sort stays.
      catalogueEnds: Object.fromEntries([...ends].reverse().map(({ of, retires }) => [of, retires])),
    };
  }

  private count(answer: object): void {
    if ('refused' in answer) this.rows.refused += 1;
    else if ('unchanged' in answer && answer.unchanged === true) this.rows.unchanged += 1;
    else if ('recordId' in answer) this.rows.accepted += 1;
  }

  /** Answers come in groups, as they were stored. */
  public intake(lines: AsyncIterable<Uint8Array>, options: AdmissionOptions = {}): AsyncIterable<readonly object[]> {
    return answerStream(this.parts.intake, lines, options, (answer) => { this.count(answer); });
  }

  public streamBackup(): AsyncIterable<Uint8Array> {
    return this.parts.streamBackup();
  }

  public async exportRecords(order: ExportOrder): Promise<AsyncGenerator<string>> {
    return await this.parts.exportRecords(order);
  }

  public async missingPayloads(from?: string): ReturnType<NodeServices['missingPayloads']> {
    return await this.parts.missingPayloads(from);
  }

  public async putMapping(name: string, document: unknown): Promise<HeldMapping> {
    const { kind, schema } = mappingShape.read(document);
    return await this.parts.mappings.put(name, this.parts.kinds.find(kind, schema), document);
  }

  public draftMapping(kind: string, schema: number | undefined, header: readonly string[], samples: readonly (readonly string[])[]): MappingDraft {
    return draftMapping(this.parts.kinds.find(kind, schema), header, samples);
  }

  public previewMapping(kind: string, schema: number | undefined, document: unknown, rows: readonly Readonly<Record<string, string>>[]): Preview {
    return previewRows(this.parts.kinds.find(kind, schema), document, rows, this.parts.kinds.codesInUse());
  }

  public async publicRecord(recordId: string): Promise<string> {
    const { publisher } = parseRecordId(recordId);
    if (publisher === this.memberId) return await this.parts.ownPublicRecord(recordId);
    const answer = await this.parts.transport.request(publisher, 'public-record', canonicalBytes({ recordId }));
    return (JSON.parse(fromUtf8(answer)) as { presentation: string }).presentation;
  }

  public async found(charter: unknown): Promise<GovernanceAnswer> {
    return await this.parts.commands.found(charter as JsonObject);
  }

  public async propose(action: ProposalAction, content: JsonObject, round: number): Promise<GovernanceAnswer> {
    return await this.parts.commands.propose(action, content, round);
  }

  public async vote(choice: 'approve' | 'reject', proposal: string, reason?: RejectionReason): Promise<GovernanceAnswer> {
    return await this.parts.commands.vote(choice, proposal, reason);
  }

  public async migrate(order: MigrationOrder): Promise<MigrationReport> {
    return await this.parts.migrating.run(order);
  }

  public async registerOwner(statement: unknown, chain: readonly string[]): Promise<GovernanceAnswer> {
    return await this.parts.commands.registerOwner(statement as JsonObject, chain);
  }

  public async revokeGrant(envelope: unknown): Promise<GovernanceAnswer> {
    return await this.parts.commands.revokeGrant(envelope as JsonObject);
  }

  public async acceptLoss(): Promise<{ readonly lost: readonly { readonly from: number; readonly to: number }[] }> {
    const { logger, outbox } = this.parts;
    const lost = outbox.lost.map(({ from, to }) => ({ from, to }));
    if (outbox.isWhole) return { lost };
    await outbox.acceptLoss();
    logger.warn('the loss of acknowledged rows was accepted', { holes: lost.length, rows: lost.reduce((sum, { from, to }) => sum + to - from + 1, 0) });
    return { lost };
  }

  public async erase(order: EraseOrder | { readonly kind: string; readonly naturalKey: readonly string[] }): Promise<EraseReport> {
    const { erasing, followed, logger } = this.parts;
    const named = 'kind' in order ? { recordIds: [ownRecordId(followed, order.kind, order.naturalKey)] } : order;
    const report = await erasing.erase(named);
    const { backup, recordIds, versions, withdrawn } = report;
    if (recordIds.length > 0) {
      const what = 'owner' in named ? { owner: named.owner } : { recordIds: recordIds.join(' ') };
      logger.warn('the operator erased data; older backups open nothing more of its owner / 操作员删除了数据', { ...what, records: recordIds.length, versions, withdrawn, backup: backup.made ?? backup.code ?? 'none' });
    }
    return report;
  }

  public erasures(): readonly Erasure[] {
    return this.parts.erasing.list();
  }

  public async status(): Promise<object> {
    const { age, examined, follower, outbox, peers, sender, transport, version } = this.parts;
    const { last } = this.backups;
    return {
      backups: { configured: this.backups.isConfigured, kept: this.backups.list.length, ...(last === undefined ? {} : { last: { ...last, at: Math.floor(last.at / 1000) } }) },
      blocksBehind: peers.missingBlocks,
      clockBehindSeconds: peers.behindSeconds ?? null,
      diskFreeBytes: await examined.freeBytes(),
      exchange: transport.addresses(),
      height: this.readModel.height(),
      ledger: { state: follower.state, ...(sender.lastProblem === undefined ? {} : { problem: sender.lastProblem }) },
      member: this.memberId,
      memoryMiB: this.parts.memory(),
      notReady: this.notReady(),
      outbox: { ...(await outbox.status()), oldestSeconds: age.seconds },
      peers: peers.peers,
      version,
      vaultKeyCopy: examined.vaultKeyCopy(),
      webhooks: this.webhooks.counts(),
    };
  }

  public notReady(): readonly string[] {
    const { follower, outbox, peers } = this.parts;
    const skewed = Math.abs(peers.behindSeconds ?? 0) > mostSkewSeconds;
    return [...(skewed ? ['clock-skew'] : []), ...(follower.state === 'following' ? [] : [`ledger-${follower.state}`]), ...(outbox.isWhole ? [] : ['outbox-tail-lost']), ...(outbox.isRestoring ? ['restoring'] : [])];
  }

  public reportFault(error: unknown): void {
    this.parts.logger.error('fault', errorFields(error));
  }
}

function mirrorReading(status: MirrorStatus | undefined): Readings['mirror'] {
  return status === undefined ? undefined : { following: status.state === 'following', blocksBehind: status.blocksBehind };
}
