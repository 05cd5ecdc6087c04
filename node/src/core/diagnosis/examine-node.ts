import type { Catalogue, CatalogueEnd } from '../catalog/catalogue.js';
import type { KeepBackups } from '../backup/keep-backups.js';
import type { PeerWatch } from '../exchange/peer-watch.js';
import type { LedgerFollower } from '../indexing/follow-ledger.js';
import type { Mirror } from '../mirror/mirror.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Outbox } from '../outbox/outbox.js';
import type { BatchSender } from '../outbox/send-batches.js';
import type { Clock } from '../ports.js';
import { unwell, well, type Finding } from './finding.js';

export interface ExaminedParts {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly follower: LedgerFollower;
  readonly outbox: Outbox;
  readonly peers: PeerWatch;
  readonly readModel: ReadModel;
  readonly sender: BatchSender;
  readonly backups: KeepBackups;
  /** Absent where none is configured. */
  readonly mirror?: Pick<Mirror, 'status'>;
  readonly memberId: string;
  readonly diskFloorBytes: number;
  /** Bytes that are free where the data lies. */
  freeBytes(): Promise<number>;
  /** How the one copy of the vault keys stands: `none` where no second place is configured, `unreachable` where it cannot be written now. */
  vaultKeyCopy(): 'kept' | 'none' | 'unreachable';
  /** End of the certificate that the ledger knows this node by, Unix milliseconds; undefined where it cannot be read. */
  certificateEnd(): Promise<number | undefined>;
}

/** Beyond it the node is not ready: tickets, offers and sign-in live for a minute. */
export const mostSkewSeconds = 60;
const worthTellingSeconds = 5;
const fewBlocks = 3;
const day = 86_400_000;
const certificateWarningDays = 30;
const oldBackupDays = 2;
const mebibyte = 1024 * 1024;

/** Looks at everything an operator would look at, and says what to do about what is not well. */
export async function examineNode(parts: ExaminedParts): Promise<readonly Finding[]> {
  await parts.peers.look();
  return await findingsOf(parts);
}

/** The same by what the other nodes answered when they were last asked. */
export async function findingsOf(parts: ExaminedParts): Promise<readonly Finding[]> {
  return [membership(parts), ledger(parts), height(parts), ...(await outbox(parts)), peers(parts), clock(parts), await disk(parts), keyCopy(parts), backups(parts), await certificate(parts), await catalogue(parts), ...mirrorOf(parts)];
}

function membership({ memberId, readModel }: ExaminedParts): Finding {
  const member = readModel.member(memberId);
  if (member?.status === 'active') return well('membership', `${memberId} is an active member`, `${memberId} 为有效成员`);
  if (readModel.charter() === undefined) return unwell('membership', 'fail', ['the consortium is not founded', '联盟尚未成立'], ['huilian governance found, at every founder', '各发起中心执行 huilian governance found']);
  if (member === undefined) return unwell('membership', 'fail', [`${memberId} is no member`, `${memberId} 不是成员`], ['ask a centre to propose its admission', '请任一中心提案接纳']);
  return unwell('membership', 'fail', [`${memberId} is suspended`, `${memberId} 已被暂停`], ['ask the other centres why; a vote admits it again', '向其他中心了解原因，经表决恢复']);
}

function ledger({ follower, sender }: ExaminedParts): Finding {
  const { lastProblem } = sender;
  if (follower.state === 'halted') return unwell('ledger', 'fail', ['following the ledger has ended for good', '已停止跟随账本'], ['the log says why (message alarm); docs/operations/alarms.md', '查看日志 alarm 与 docs/operations/alarms.md']);
  if (follower.state !== 'following') return unwell('ledger', 'fail', ['the ledger does not answer; records are taken and wait', '账本无应答；新记录已接收并等待'], ['check the own peer, then the orderers', '检查本方节点，再检查排序节点']);
  if (sender.isHalted) return unwell('ledger', 'fail', ['sending batches has ended for good: the ledger has another batch under this number', '批次发送已停止：账本上该序号已有其他批次'], ['stop a second node with the same identity; docs/operations/alarms.md, BATCH_EXISTS', '停止使用同一身份的另一节点，参见 alarms.md 的 BATCH_EXISTS']);
  if (lastProblem !== undefined) return unwell('ledger', 'warn', [`blocks come, but the ledger takes no batch: ${lastProblem}`, `可接收区块，但账本未接收批次：${lastProblem}`], [`docs/operations/alarms.md, ${lastProblem}`, `参见 alarms.md 的 ${lastProblem}`]);
  return well('ledger', 'blocks come and batches go', '区块接收、批次发送正常');
}

function height({ peers: watch, readModel }: ExaminedParts): Finding {
  const [own, missing] = [String(readModel.height()), watch.missingBlocks];
  if (missing <= fewBlocks) return well('height', `block ${own}`, `区块 ${own}`);
  return unwell('height', 'warn', [`block ${own}, ${String(missing)} behind the highest of the other centres`, `区块 ${own}，落后其他中心 ${String(missing)} 块`], ['wait a minute and ask again; if it does not shrink, the own peer is behind', '稍候再查；若差距不减，则本方节点落后']);
}

async function outbox({ outbox: box }: ExaminedParts): Promise<Finding[]> {
  const { deadLettered, pending } = await box.status();
  const whole = box.isWhole
    ? well('outbox', `${String(pending)} rows wait`, `${String(pending)} 行待发`)
    : unwell('outbox', 'fail', ['acknowledged rows are missing; nothing is accepted', '已确认的记录缺失，暂停接收'], ['restore the newest data with its outbox.hwm; if there is none, huilian doctor --accept-loss and sync the source again', '恢复最新数据及 outbox.hwm；如无，执行 huilian doctor --accept-loss 并重新同步']);
  const dead = deadLettered === 0
    ? well('dead-letters', 'none', '无')
    : unwell('dead-letters', 'warn', [`${String(deadLettered)} rows were refused`, `${String(deadLettered)} 行被拒绝`], ['huilian dead-letters list names file, line, reason and what can be done; correct and retry them, or correct the source and sync again', '用 huilian dead-letters list 查看文件、行号、原因与建议；更正后重试，或更正来源后重新同步']);
  return [whole, dead];
}

function peers({ peers: watch }: ExaminedParts): Finding {
  const away = watch.peers.filter(({ reachable }) => !reachable);
  if (away.length === 0) return well('peers', `all ${String(watch.peers.length)} other centres answer`, `其他 ${String(watch.peers.length)} 个中心均有应答`);
  const names = away.map(({ centre, code = '' }) => `${centre} (${code})`).join(', ');
  return unwell('peers', 'warn', [`no answer from ${names}`, `无应答：${names}`], ['call them; check the firewall for the exchange port; what they published cannot be read meanwhile', '联系对方并检查交换端口防火墙；其数据暂不可读']);
}

function clock({ peers: watch }: ExaminedParts): Finding {
  const behind = watch.behindSeconds;
  if (behind === undefined) return unwell('clock', 'warn', ['no other node to compare with', '无其他节点可比对'], ['see peers', '参见 peers']);
  const told = `${Math.abs(behind).toFixed(1)} s ${behind > 0 ? 'behind' : 'ahead of'}`;
  if (Math.abs(behind) <= worthTellingSeconds) return well('clock', `${told} the others`, `与其他节点相差 ${behind.toFixed(1)} 秒`);
  return unwell('clock', Math.abs(behind) > mostSkewSeconds ? 'fail' : 'warn', [`this clock is ${told} the others`, `本机时钟与其他节点相差 ${behind.toFixed(1)} 秒`], ['repair time synchronisation (NTP)', '修复时间同步（NTP）']);
}

async function disk({ diskFloorBytes, freeBytes }: ExaminedParts): Promise<Finding> {
  const free = await freeBytes();
  const told = `${String(Math.floor(free / mebibyte))} MiB`;
  if (free > 4 * diskFloorBytes) return well('disk', `${told} free`, `剩余 ${told}`);
  const level = free < diskFloorBytes ? 'fail' : 'warn';
  return unwell('disk', level, [`${told} free; below ${String(Math.floor(diskFloorBytes / mebibyte))} MiB nothing is written`, `剩余 ${told}；低于 ${String(Math.floor(diskFloorBytes / mebibyte))} MiB 时停止写入`], ['free or add disk', '清理或扩容磁盘']);
}

function keyCopy({ vaultKeyCopy }: ExaminedParts): Finding {
  const state = vaultKeyCopy();
  if (state === 'kept') return well('key-copy', 'the vault keys have their copy', '保管库密钥已有副本');
  if (state === 'none') return unwell('key-copy', 'warn', ['the vault keys have no copy: lost with this disk, no payload opens again', '保管库密钥没有副本：本机磁盘损坏后数据无法打开'], ['name a second place as vaultKeyCopy in huilian.json', '在 huilian.json 中配置 vaultKeyCopy']);
  return unwell('key-copy', 'fail', ["the vault keys' copy cannot be written; new owners' records are refused", '保管库密钥副本无法写入，新主体的记录被拒绝'], ['bring the place named by vaultKeyCopy back', '恢复 vaultKeyCopy 所指的位置']);
}

function backups({ backups: kept, clock: time }: ExaminedParts): Finding {
  if (!kept.isConfigured) return unwell('backups', 'warn', ['no place for backups is configured', '未配置备份位置'], ['name backups.folder in huilian.json, best on another medium, or run huilian backup FILE daily', '在 huilian.json 中配置 backups.folder，或每日执行 huilian backup']);
  const { last } = kept;
  if (last === undefined) return unwell('backups', 'warn', ['there is no backup yet', '尚无备份'], ['huilian backup; the log says why none was made', '执行 huilian backup，失败原因见日志']);
  const days = (time.now() - last.at) / day;
  const date = new Date(last.at).toISOString();
  if (days < oldBackupDays) return well('backups', `the newest is of ${date}`, `最新备份 ${date}`);
  return unwell('backups', 'fail', [`the newest backup is of ${date}`, `最新备份为 ${date}`], ['huilian backup; the log says why none was made', '执行 huilian backup，失败原因见日志']);
}

async function certificate({ certificateEnd, clock: time }: ExaminedParts): Promise<Finding> {
  const end = await certificateEnd();
  if (end === undefined) return unwell('certificate', 'warn', ["the ledger's client certificate cannot be read", '无法读取账本客户端证书'], ['check the paths of the connection', '检查连接文件中的路径']);
  const [days, date] = [Math.floor((end - time.now()) / day), new Date(end).toISOString().slice(0, 10)];
  if (days > certificateWarningDays) return well('certificate', `until ${date}`, `有效期至 ${date}`);
  return unwell('certificate', days < 0 ? 'fail' : 'warn', [`the certificate by which the ledger knows this node ends ${date}`, `账本客户端证书有效期至 ${date}`], ['renew it: docs/operations/certificates.md', '按 docs/operations/certificates.md 续期']);
}

function mirrorOf({ clock: time, mirror }: ExaminedParts): Finding[] {
  if (mirror === undefined) return [];
  const { block, blocksBehind, erasuresWaiting, problem, state } = mirror.status();
  if (state === 'following' || problem === undefined) return [well('mirror', `block ${String(block)} in the centre's database, ${String(blocksBehind)} behind`, `本中心数据库已至区块 ${String(block)}，落后 ${String(blocksBehind)} 块`)];
  const minutes = Math.floor((time.now() / 1000 - problem.since) / 60);
  const erased = erasuresWaiting === 0 ? '' : `; ${String(erasuresWaiting)} erasures are not in it yet`;
  const told = `${problem.reason} for ${String(minutes)} min (${problem.cause}), ${String(blocksBehind)} blocks behind${erased}`;
  const words = [`the centre's database is not followed: ${told}`, `本中心数据库未跟进：${problem.reason}（${problem.cause}）已 ${String(minutes)} 分钟，落后 ${String(blocksBehind)} 块，待同步删除 ${String(erasuresWaiting)} 次`] as const;
  if (state === 'halted') return [unwell('mirror', 'fail', words, ['huilian mirror rebuild; docs/operations/mirror.md says what the reason means', '执行 huilian mirror rebuild，原因说明见 docs/operations/mirror.md'])];
  return [unwell('mirror', 'warn', words, ['bring the database or its rights back: it goes on by itself', '恢复数据库或其权限后自动继续'])];
}

async function catalogue({ catalogue: adopted }: ExaminedParts): Promise<Finding> {
  const ends = await adopted.endsSoon();
  if (ends.length === 0) return well('catalogue', 'nothing that votes adopted ends soon', '目录中没有即将停用的内容');
  const told = (end: CatalogueEnd, then: string, nothing: string): string => {
    const date = new Date(end.retires * 1000).toISOString().slice(0, 10);
    return `${end.of} ${end.id}${end.version === undefined ? '' : `/${String(end.version)}`} ${date} (${end.followedBy === undefined ? nothing : `${then} ${String(end.followedBy)}`})`;
  };
  const en = ends.map((end) => told(end, 'then version', 'nothing follows')).join(', ');
  const zh = ends.map((end) => told(end, '其后为版本', '无后续')).join('，');
  return unwell('catalogue', 'warn', [`ends soon: ${en}`, `即将停用：${zh}`], ['huilian catalogue shows what follows; sources name the new version; own records: huilian migrate', '用 huilian catalogue 查看后续版本，来源改用新版本；本方记录用 huilian migrate 转换']);
}
