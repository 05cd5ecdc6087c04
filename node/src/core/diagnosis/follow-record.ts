import { canonicalize, localId, parseRecordId, ProtocolError, recordId as recordIdOf, type JsonValue } from '@huilian/protocol';
import type { EventFeed } from '../events/event-feed.js';
import type { Webhooks, WebhookView } from '../events/webhooks.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { DeadLetters } from '../outbox/dead-letters.js';
import type { Outbox } from '../outbox/outbox.js';
import { rowsOf } from '../outbox/row-ranges.js';
import type { BatchSender } from '../outbox/send-batches.js';
import type { Keys, Ledger, Store } from '../ports.js';
import { OwnRecords } from '../vault/own-records.js';
import { unwell, well, type Finding } from './finding.js';

/** Where a record is on its way: the steps it passed, and the one where it stands. */
export interface RecordCourse {
  readonly recordId: string;
  /** Newest version that this node knows of. */
  readonly version: number;
  readonly steps: readonly Finding[];
  /** Absent once it is published, indexed and told to every webhook that asks for it. */
  readonly stoppedAt?: string;
}

export interface FollowedParts {
  readonly deadLetters: DeadLetters;
  readonly feed: EventFeed;
  readonly keys: Keys;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly readModel: ReadModel;
  readonly sender: BatchSender;
  readonly store: Store;
  readonly webhooks: Pick<Webhooks, 'reached'>;
}

/** Id of an own record by its natural key. */
export function ownRecordId({ keys }: FollowedParts, kind: string, naturalKey: readonly JsonValue[]): string {
  return recordIdOf(keys.memberId, kind, localId(keys.localIdKey, kind, canonicalize(naturalKey)));
}

/** Follows a record through acceptance, outbox, endorsement, ordering, commit, index and subscribers. @throws RECORD_UNKNOWN, BAD_ID */
export async function followRecord(parts: FollowedParts, recordId: string): Promise<RecordCourse> {
  const { publisher } = parseRecordId(recordId);
  const own = publisher === parts.keys.memberId ? new OwnRecords(parts.store).read(recordId) : undefined;
  const [version, row] = own?.versions.at(-1) ?? [0, undefined];
  const indexed = parts.readModel.record(recordId)?.versions ?? 0;
  const dead = await deadStep(parts, recordId);
  if (dead !== undefined && version <= indexed) return course(recordId, indexed + 1, [dead]);
  if (version === 0 && indexed === 0) throw new ProtocolError('RECORD_UNKNOWN', { record: recordId });
  const accepted = own === undefined ? [] : [well('accepted', `version ${String(version)}`, `版本 ${String(version)}`)];
  if (indexed >= version) return course(recordId, indexed, [...accepted, ...(await publishedSteps(parts, recordId, indexed))]);
  return course(recordId, version, [...accepted, ...(await pendingSteps(parts, row ?? 0))]);
}

function course(recordId: string, version: number, steps: readonly Finding[]): RecordCourse {
  const stopped = steps.find(({ level }) => level !== 'ok');
  return { recordId, version, steps, ...(stopped === undefined ? {} : { stoppedAt: stopped.check }) };
}

async function deadStep({ deadLetters }: FollowedParts, recordId: string): Promise<Finding | undefined> {
  const { items } = await deadLetters.page({ record: recordId }, 'newest', 500);
  // Rows that were refused before they were accepted have no version.
  const letter = items.find(({ version }) => version !== undefined);
  if (letter === undefined) return undefined;
  if (letter.code === 'ERASED') return unwell('dead-letter', 'fail', [`version ${String(letter.version)} was erased before it was published`, `版本 ${String(letter.version)} 在发布前已按要求删除`], ['nothing; when its owner asks for it again: huilian publish --supersede', '无需处理；权属人再次要求发布时用 huilian publish --supersede']);
  return unwell('dead-letter', 'fail', [`the ledger refused version ${String(letter.version)}: ${letter.code}`, `账本拒绝版本 ${String(letter.version)}：${letter.code}`], [`docs/protocol/errors.md, ${letter.code}; publish the record again`, `参见 errors.md 的 ${letter.code}，更正后重新发布`]);
}

async function publishedSteps({ feed, readModel, webhooks }: FollowedParts, recordId: string, version: number): Promise<Finding[]> {
  const record = readModel.record(recordId);
  const place = record && readModel.batch(parseRecordId(recordId).publisher, record.seq);
  if (record?.contested === true) return [unwell('index', 'fail', ['contested: two digests of one version were published', '有争议：同一版本发布了两个摘要'], ['publish a higher version', '发布更高版本'])];
  const indexed = well('index', `block ${String(place?.block)}, transaction ${String(place?.transactionId)}`, `区块 ${String(place?.block)}，交易 ${String(place?.transactionId)}`);
  const event = place && (await feed.ofRecord(recordId, version, place.block));
  return event === undefined ? [indexed] : [indexed, subscribersStep(webhooks.reached(event))];
}

function subscribersStep({ before, past }: ReturnType<Webhooks['reached']>): Finding {
  const wanted = String(past + before.length);
  if (wanted === '0') return well('subscribers', 'no webhook of this node asks for it', '本节点无推送订阅该记录');
  if (before.length === 0) return well('subscribers', `${wanted} webhooks are past it`, `${wanted} 个推送均已送达`);
  const stopped = before.find(({ state }) => state === 'paused') ?? before.find(({ state }) => state === 'failing');
  const names = before.map(({ id, state }) => `${id} (${state})`).join(', ');
  return unwell('subscribers', 'warn', [`${String(before.length)} of ${wanted} webhooks have it before them: ${names}`, `${wanted} 个推送中有 ${String(before.length)} 个尚未送达：${names}`], stopped === undefined ? ['wait a moment and ask again', '稍候再查'] : ofTarget(stopped));
}

function ofTarget({ failing, id, paused }: WebhookView): readonly [string, string] {
  const { code, reason } = paused ?? failing ?? { code: '', reason: '' };
  const told = `${code} ${reason}`.trim();
  if (paused === undefined) return [`${told}: the target must answer 2xx; the node tries again by itself`, `${told}：目标须返回 2xx，节点会自动重试`];
  return [`${told}: correct the target, then POST /v1/webhooks/${id}/resume`, `${told}：更正目标后调用 POST /v1/webhooks/${id}/resume`];
}

async function pendingSteps({ ledger, outbox, sender }: FollowedParts, row: number): Promise<Finding[]> {
  const batch = outbox.batches().find(({ rows }) => [...rowsOf(rows)].includes(row));
  if (batch === undefined) return [unwell('outbox', 'warn', [`row ${String(row)} waits for a batch`, `第 ${String(row)} 行等待组批`], waiting(sender))];
  const frozen = well('outbox', `row ${String(row)}, batch ${String(batch.seq)}`, `第 ${String(row)} 行，批次 ${String(batch.seq)}`);
  const transaction = sender.orderedAs(batch.seq);
  if (transaction === undefined) return [frozen, unwell('endorsement', 'warn', ['not endorsed yet', '尚未背书'], waiting(sender))];
  const endorsed = [frozen, well('endorsement', 'endorsed', '已背书')];
  const code = await ledger.transactionCode(transaction).catch(() => undefined);
  if (code === undefined) return [...endorsed, unwell('ordering', 'warn', [`transaction ${transaction} is in no block yet`, `交易 ${transaction} 尚未入块`], ['the node sends the same bytes again after a minute; if that does not help, check the orderers', '节点一分钟后会重发；仍无效则检查排序节点'])];
  const ordered = [...endorsed, well('ordering', transaction, transaction)];
  if (code !== 'VALID') return [...ordered, unwell('commit', 'warn', [`the ledger wrote it off: ${code}`, `账本判为无效：${code}`], ['the node sends it again by itself', '节点会自动重发'])];
  return [...ordered, well('commit', 'VALID', '有效'), unwell('index', 'warn', ['in a block that this node has not indexed yet', '所在区块尚未索引'], ['huilian doctor: ledger and height', '执行 huilian doctor 查看 ledger 与 height'])];
}

function waiting({ isHalted, lastProblem }: BatchSender): readonly [string, string] {
  if (isHalted) return ['sending has ended for good: docs/operations/alarms.md, BATCH_EXISTS', '发送已停止：参见 alarms.md 的 BATCH_EXISTS'];
  if (lastProblem === undefined) return ['wait a moment and ask again', '稍候再查'];
  return [`the ledger takes no batch now (${lastProblem}): docs/operations/alarms.md`, `账本暂不接收批次（${lastProblem}）：参见 alarms.md`];
}
