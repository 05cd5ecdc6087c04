import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fromUtf8, parseRecordId, ProtocolError, utf8, type JsonObject } from '@huilian/protocol';
import { BackupFolder } from '../adapters/backups/backup-files.js';
import { openLedger } from '../adapters/fabric/open-ledger.js';
import { openKeys } from '../adapters/keys/node-keys.js';
import type { KeyCopyState } from '../adapters/keys/vault-key-file.js';
import { MarkFile } from '../adapters/level/mark-file.js';
import { Libp2pTransport } from '../adapters/libp2p/libp2p-transport.js';
import { TemporaryRows } from '../adapters/rows/temporary-rows.js';
import { systemClock } from '../adapters/system/system-clock.js';
import { systemRandom } from '../adapters/system/system-random.js';
import { ExaminingThreads } from '../adapters/threads/examining-threads.js';
import { GuardedSender } from '../adapters/webhooks/guarded-sender.js';
import { loadConfig, type NodeConfig } from '../config/config.js';
import { Asks } from '../core/access/asks.js';
import { OpenTickets } from '../core/access/open-tickets.js';
import { AdoptedKinds } from '../core/catalog/adopted-kinds.js';
import { Catalogue } from '../core/catalog/catalogue.js';
import { MigrateRecords } from '../core/catalog/migrate-records.js';
import { EndsWatch } from '../core/catalog/watch-ends.js';
import { KeepBackups } from '../core/backup/keep-backups.js';
import { streamBackup } from '../core/backup/stream-backup.js';
import { CountRecords } from '../core/columns/count-records.js';
import { headerRowBytes } from '../core/columns/header-rows.js';
import { EraseData } from '../core/erasure/erase-data.js';
import { exportRecords } from '../core/export/export-records.js';
import { EventFeed } from '../core/events/event-feed.js';
import { WebhookSecrets } from '../core/events/webhook-secrets.js';
import { Webhooks, type WebhookParts } from '../core/events/webhooks.js';
import { BuildEvidence } from '../core/evidence/build-evidence.js';
import { KeepReceipts } from '../core/exchange/keep-receipts.js';
import { OfferRecords, type OfferRequest } from '../core/exchange/offer-records.js';
import { RefusalLog } from '../core/exchange/refusal-log.js';
import { ReleaseRecords } from '../core/exchange/release-records.js';
import { PeerWatch, type NodeHealth } from '../core/exchange/peer-watch.js';
import { SleepWatch } from '../core/exchange/sleep-watch.js';
import { Joins } from '../core/governance/joins.js';
import { AcknowledgeAdopted } from '../core/completeness/acknowledge-adopted.js';
import { Completeness } from '../core/completeness/completeness.js';
import { LedgerCommands } from '../core/governance/ledger-commands.js';
import { LedgerFollower } from '../core/indexing/follow-ledger.js';
import { LedgerIndex } from '../core/indexing/ledger-index.js';
import { ReadModel } from '../core/indexing/read-model.js';
import { LetterDesk } from '../core/dead-letters/letter-desk.js';
import { CheckLinks } from '../core/links/check-links.js';
import { Intake } from '../core/intake/intake.js';
import { HeldMappings } from '../core/mapping/held-mappings.js';
import { Outbox } from '../core/outbox/outbox.js';
import { BatchSender } from '../core/outbox/send-batches.js';
import type { ExchangeMethod, Keys, Transport } from '../core/ports.js';
import { DayCounts } from '../core/overview/day-counts.js';
import { SendOwnCopy } from '../core/owner-view/send-own-copy.js';
import { ViewOwner } from '../core/owner-view/view-owner.js';
import { JoinTrail } from '../core/trail/join-trail.js';
import { missingPayloads } from '../core/vault/missing-payloads.js';
import { OwnRecords } from '../core/vault/own-records.js';
import { Vault } from '../core/vault/vault.js';
import { errorFields, type Logger } from '../observability/logger.js';
import type { NodeMetrics } from '../observability/metrics.js';
import { certificateEnd } from './certificate-end.js';
import { MeteredRelay, meteredLedger, meteredTransport, OutboxAge } from './metered.js';
import { openMirror } from './open-mirror.js';
import { openDirectory, openStaff } from './open-staff.js';
import { openStore, stateFiles } from './open-store.js';
import { recoverPublicKey } from './recover-public-key.js';
import { RunningServices } from './running-services.js';
import { syncJobsOf } from './sync-jobs-of.js';
import { softwareVersion } from './software-version.js';

const memoryUnit = 1024 * 1024;
/** More would wait for the thread that writes. */
const mostThreads = 4;
/** Milliseconds: a start is over by then, and nobody asks for counts before. */
const countingAfter = 1000;

export interface RunningNode {
  readonly services: RunningServices;
  close(): Promise<void>;
}

/**
 * Puts a whole node together on a state folder and starts what runs by itself: following the ledger, sending batches,
 * anchoring receipts, answering other nodes. The HTTP door is opened by the caller.
 */
export async function startNode(stateDir: string, config: NodeConfig, logger: Logger, onFatal: (error: ProtocolError) => void): Promise<RunningNode> {
  const meter: { current?: NodeMetrics } = {};
  const metrics = (): NodeMetrics => meter.current as NodeMetrics;
  const alarm = (error: ProtocolError): void => {
    logger.error('alarm', errorFields(error));
    meter.current?.alarm(error.code);
    if (error.code === 'BLOCK_FORK' || error.code === 'STORAGE_FAILED') onFatal(error);
  };
  const [clock, random, recover] = [systemClock, systemRandom, recoverPublicKey];
  const keys = await openKeys(stateDir, config.vaultKeyCopy);
  warnOfKeyCopy(keys.vaultKeys.copyState, logger);
  const store = await openStore(stateDir, config, {
    onConverted: (backup) => { logger.warn('the data was of an older format; it was backed up and converted / 数据已备份并转换格式', { backup }); },
    onFailure: alarm,
  });
  const mark = await MarkFile.open(path.join(stateDir, 'outbox.hwm'));
  const ledger = meteredLedger(await openLedger(config.ledger), metrics);
  const readModel = new ReadModel(store);
  const vault = new Vault(store, keys.vaultKeys, random, keys.memberId);
  const { inFlight, maxHeaders, maxWaitMilliseconds } = config.outbox;
  const outbox = await Outbox.open({ clock, mark, maxHeaders, mostDeadLetters: config.deadLetters.most, onAlarm: alarm, publisher: keys.memberId, readModel, store, vault });
  const kinds = new AdoptedKinds(readModel, clock);
  const findKind = kinds.known.bind(kinds);
  const links = new CheckLinks({
    clock, find: findKind, keys, readModel, store, vault,
    waiting: async () => { const { inFlight: sent, pending } = await outbox.status(); return sent + pending; },
    onFault: (error) => { logger.warn('link checks wait', errorFields(error)); },
  });
  const erasing = new EraseData({ clock, memberId: keys.memberId, outbox, readModel, store, vault, onErased: (recordIds) => { counting.forget(recordIds); mirror?.wake(); }, afterErasure: async () => { await links.forgetErased(); return backups.isConfigured ? (await backups.make()).name : undefined; } });
  // Before anything is sent or answered: an erasure that was cut off, or this data is from before one.
  const finished = await erasing.finish();
  if (finished > 0) await links.forgetErased();
  if (finished > 0) logger.warn('erasures were finished: they broke off, or this data is from before them / 已补完此前的删除', { erasures: finished });
  const catalogue = new Catalogue(readModel, clock, config.catalogue.warnDays);
  const ends = new EndsWatch(catalogue, clock, (end) => { logger.warn('something that a vote adopted ends soon / 目录内容即将停用', { of: end.of, id: end.id, ...(end.version === undefined ? {} : { version: end.version }), retires: new Date(end.retires * 1000).toISOString(), followedBy: end.followedBy ?? 'nothing' }); });
  const counting = new CountRecords({ clock, file: TemporaryRows.open(path.join(stateDir, 'headers.tmp'), headerRowBytes), memberId: keys.memberId, readModel, startAfter: countingAfter, store, vault });
  const mirror = await openMirror(config, { clock, memberId: keys.memberId, onProblem: (error) => { logger.warn("the centre's own database is not followed / 未能跟进本中心数据库", errorFields(error)); }, random, readModel, vault });
  const index = new LedgerIndex(store, readModel, outbox, counting.index);
  const follower = new LedgerFollower({ clock, index, ledger, onAlarm: alarm, onBroken: () => { sender.ledgerBroke(); }, random, readModel });
  const sender = new BatchSender({ clock, inFlight, ledger, maxHeaders, maxWaitMilliseconds, onAlarm: alarm, outbox, random, readModel });
  const examiner = examiningThreads(config, keys, logger);
  const mappings = await HeldMappings.open(store, clock);
  const intake = new Intake({ clock, ...(examiner === undefined ? {} : { examiner }), keys, mappings, outbox, random, readModel, store, vault });
  const migrating = new MigrateRecords({ kinds, memberId: keys.memberId, readModel, records: new OwnRecords(store), vault, accept: async (lines, onAnswers) => await intake.accept(lines, onAnswers) });
  const transport = meteredTransport(await Libp2pTransport.start({ memberId: keys.memberId, privateKey: keys.exchangeKey, listen: config.exchange.listen }), metrics);
  const peers = new PeerWatch(readModel, transport, clock, keys.memberId);
  const refusals = await RefusalLog.open(store, clock);
  const offers = new OfferRecords(readModel, vault, store, keys, clock);
  const sleep = new SleepWatch(clock);
  const releases = new ReleaseRecords(readModel, vault, store, ledger, keys, clock, recover, sleep);
  const receipts = new KeepReceipts(readModel, store, ledger, keys, clock, (error) => {
    logger.warn('receipts wait', errorFields(error));
  });
  const relay = new MeteredRelay(readModel, store, keys, transport, new OpenTickets(ledger, clock, random), { offers, releases, receipts }, refusals);
  const trail = new JoinTrail(readModel, refusals, store, transport, keys, clock, recover);
  const ownerView = new ViewOwner(readModel, vault, keys.memberId, findKind, links, clock);
  const commands = new LedgerCommands(ledger, keys, clock, random);
  const joins = new Joins(store, readModel, transport, clock, keys.memberId);
  const acknowledging = new AcknowledgeAdopted({ catalogue, clock, commands, kinds, memberId: keys.memberId, random, readModel, onProblem: (error) => { logger.warn('adopted documents are not acknowledged yet; it is tried again / 目录接收回执尚未写入账本，将重试', errorFields(error)); } });
  const feed = new EventFeed(readModel);
  const webhooks = webhooksOf(stateDir, config, { clock, feed, keys, onAlarm: alarm, random, readModel, store });
  const freeBytes = async (): Promise<number> => { const { bavail, bsize } = await statfs(stateDir); return bavail * bsize; };
  const stream = (): AsyncGenerator<Uint8Array> => streamBackup({
    store, mark, memberId: keys.memberId, now: () => clock.now(), height: () => readModel.height(), files: () => stateFiles(stateDir), quietly: async (take) => await vault.sealing(() => Promise.resolve(take())),
  });
  const { folder, ...often } = config.backups;
  const backups = new KeepBackups({ ...often, clock, memberId: keys.memberId, onAlarm: alarm, ...(folder === undefined ? {} : { place: new BackupFolder(folder, keys.memberId) }), stream });
  const sources = syncJobsOf(config.sources, {
    clock, logger, random, store,
    door: (lines, admission) => services.intake(lines, admission),
    onRun: (run) => { meter.current?.synced(run); },
    reload: () => loadConfig(stateDir).sources,
  });
  if (folder === undefined) logger.warn('the node keeps no backups of its data: name a folder as backups.folder in huilian.json / 未配置备份位置');
  if (outbox.isRestoring) logger.warn('this data was restored from a backup; records are taken once the ledger is read to its end / 数据由备份恢复，读完账本后接收记录');
  const staff = await openStaff(config, { clock, keys, random, store });
  const directory = openDirectory(stateDir, config);
  const days = new DayCounts(readModel, keys.memberId, clock);
  const completeness = new Completeness({ catalogue, clock, memberId: keys.memberId, readModel, arrivedOn: (day, kind) => outbox.arrivedOn(day, kind) });
  const services: RunningServices = new RunningServices({
    ...staff,
    directory,
    age: new OutboxAge(outbox, () => clock.now()),
    examined: { catalogue, certificateEnd: async () => await certificateEnd(config.ledger), clock, diskFloorBytes: config.diskFloorBytes, follower, freeBytes, memberId: keys.memberId, ...(mirror === undefined ? {} : { mirror }), outbox, peers, readModel, sender, backups, vaultKeyCopy: () => keys.vaultKeys.copyState },
    followed: { deadLetters: outbox.letters, feed, keys, ledger, outbox, readModel, sender, store, webhooks },
    peers,
    version: softwareVersion(),
    backups,
    catalogue,
    migrating,
    streamBackup: stream,
    exportRecords: async (order) => await exportRecords({ memberId: keys.memberId, readModel, vault }, order),
    missingPayloads: async (from) => await missingPayloads(readModel, vault, keys.memberId, from),
    counting,
    mirror,
    asks: new Asks(store, readModel, clock, random, recover),
    clock,
    commands,
    completeness,
    days,
    erasing,
    evidence: new BuildEvidence(readModel, ledger, relay),
    feed,
    follower,
    joins,
    intake,
    kinds,
    letters: new LetterDesk({ intake, kinds, letters: outbox.letters, mappings }),
    links,
    logger,
    mappings,
    memberId: keys.memberId,
    outbox,
    ownCopies: new SendOwnCopy({ clock, keys, publicRecord: async (recordId: string): Promise<string> => await services.publicRecord(recordId), random, readModel, recover, relay, view: ownerView }),
    ownerView,
    random,
    readModel,
    recover,
    relay,
    sender,
    sources,
    store,
    trail,
    transport,
    webhooks,
    ownPublicRecord: async (recordId) => await publicRecord(readModel, releases, recordId),
    memory: () => Math.round(process.memoryUsage.rss() / memoryUnit),
  });
  meter.current = services.meter;
  relay.meter = services.meter;
  serveExchange(transport, { joins, health: () => peers.health(), offers, releases, receipts, trail, publicRecord: async (recordId) => await publicRecord(readModel, releases, recordId) });
  const allowPeers = async (): Promise<void> => {
    const members = await readModel.members();
    transport.allow(members.filter(({ document, status }) => document.kind === 'centre' && status === 'active').map(({ document }) => document));
  };
  const stopWatching = readModel.onBlock((block) => {
    services.meter.block(block.transactions);
    if (block.transactions.some(({ writes }) => writes.some(({ key }) => key.startsWith('\u0000member\u0000')))) void allowPeers();
  });
  await allowPeers();
  counting.start((error) => { logger.error('records are not counted', errorFields(error)); });
  mirror?.start();
  follower.start();
  sender.start();
  receipts.start();
  sleep.start();
  await webhooks.start();
  peers.start();
  links.start();
  backups.start();
  // The first count reads a month of the ledger; whoever asks meanwhile waits for it.
  days.countOn().catch((error: unknown) => { logger.warn('days are not counted yet', errorFields(error)); });
  ends.start();
  await sources.start();
  acknowledging.start();
  return {
    services,
    close: async () => {
      await sources.stop();
      stopWatching();
      ends.stop();
      acknowledging.stop();
      sleep.stop();
      await webhooks.stop();
      await directory?.provider.close();
      await backups.stop();
      await links.stop();
      peers.stop();
      await Promise.all([counting.stop(), mirror?.stop()]);
      await Promise.all([sender.stop(), receipts.stop(), transport.close()]);
      await follower.stop();
      await ledger.close();
      await store.close();
      await Promise.all([mark.close(), keys.close(), examiner?.close()]);
    },
  };
}

function warnOfKeyCopy(state: KeyCopyState, logger: Logger): void {
  if (state === 'none') logger.warn('the vault keys have no copy: name a second place as vaultKeyCopy in huilian.json / 保管库密钥没有副本');
  if (state === 'unreachable') logger.warn('the second place of the vault keys cannot be written: no key is made or removed until it can / 保管库密钥副本无法写入');
}

type WebhookCore = Pick<WebhookParts, 'clock' | 'feed' | 'onAlarm' | 'random' | 'readModel' | 'store'> & { readonly keys: Keys };

function webhooksOf(stateDir: string, { webhooks: settings }: NodeConfig, { keys, ...core }: WebhookCore): Webhooks {
  const { allowHttp, allowPrivate, caFile, mostInAll, mostPerSubscriber, timeoutMilliseconds, ...limits } = settings;
  const ca = caFile === undefined ? {} : { ca: readFileSync(path.resolve(stateDir, caFile), 'utf8') };
  const sender = new GuardedSender({ allowHttp, allowPrivate, timeoutMilliseconds, ...ca });
  return new Webhooks({ ...core, limits, memberId: keys.memberId, mostInAll, mostPerSubscriber, secrets: new WebhookSecrets(keys), sender });
}

/** Threads that work rows through beside the one that judges and writes them; none where the machine has one core. */
function examiningThreads(config: NodeConfig, { localIdKey, memberId }: Keys, logger: Logger): ExaminingThreads | undefined {
  const count = config.intake.threads ?? Math.min(availableParallelism() - 1, mostThreads);
  if (count === 0) return undefined;
  const script = new URL('./examine-thread.js', import.meta.url);
  return new ExaminingThreads(script, count, { localIdKey, memberId }, (error) => { logger.warn('an examining thread ended; rows are worked through without it', errorFields(error)); });
}

/** A record of class `public`, whole, to any member, without a ticket. @throws RECORD_UNKNOWN, RECORD_CONTESTED, GRANT_REQUIRED, RECORD_REVOKED */
async function publicRecord(readModel: ReadModel, releases: ReleaseRecords, recordId: string): Promise<string> {
  parseRecordId(recordId);
  const record = readModel.record(recordId);
  if (record === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: recordId });
  if (record.header.rights !== 'public') throw new ProtocolError('GRANT_REQUIRED', { record: recordId });
  if (record.contested) throw new ProtocolError('RECORD_CONTESTED', { record: recordId });
  if (record.header.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { record: recordId });
  return await releases.present(recordId, record.header.version);
}

interface ExchangeParts {
  readonly joins: Joins;
  health(): NodeHealth;
  readonly offers: OfferRecords;
  readonly releases: ReleaseRecords;
  readonly receipts: KeepReceipts;
  readonly trail: JoinTrail;
  publicRecord(recordId: string): Promise<string>;
}

/** Answers the nodes of other centres. Bodies are JSON; what they carry is checked by the part that takes it. */
function serveExchange(transport: Transport, parts: ExchangeParts): void {
  const answers: Readonly<Record<ExchangeMethod, (body: JsonObject) => Promise<unknown>>> = {
    offer: async (body) => ({ offer: await parts.offers.offer(body as unknown as OfferRequest) }),
    release: async ({ ticket }) => await parts.releases.release(String(ticket)),
    receipt: async ({ receipt }) => await parts.receipts.keep(String(receipt)),
    'public-record': async ({ recordId }) => ({ presentation: await parts.publicRecord(String(recordId)) }),
    health: () => Promise.resolve(parts.health()),
    joins: async () => ({ items: await parts.joins.own() }),
    refusals: async ({ request }) => await parts.trail.ownRefusals(request),
  };
  transport.serve(async (_from, method, body) => utf8(JSON.stringify(await answers[method](readBody(body)))));
}

function readBody(body: Uint8Array): JsonObject {
  try {
    return JSON.parse(fromUtf8(body)) as JsonObject;
  } catch {
    throw new ProtocolError('CANONICAL_INVALID', { reason: 'exchange-body' });
  }
}
