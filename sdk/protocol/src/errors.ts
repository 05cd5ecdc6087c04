/**
 * The closed catalogue of errors. One class, one table: chaincode puts the code into its message, the ledger adapter
 * parses it back, the table maps each code to an HTTP status and to words for a person.
 */

/** Where a refusal is decided: by the protocol's own bytes, by a contract, by a node, or by the member's own client. */
export type ErrorStage = 'protocol' | 'ledger' | 'node' | 'client';

export interface ErrorEntry {
  readonly stage: ErrorStage;
  readonly http: number;
  readonly zh: string;
  readonly en: string;
  /** What the caller can do next. */
  readonly next: { readonly zh: string; readonly en: string };
}

type Row = readonly [http: number, zh: string, en: string, nextZh: string, nextEn: string];

const fix = ['请按说明改正后重试', 'correct the input as described and try again'] as const;
const sign = ['请用登记的有效密钥对原文重新签名', 'sign the exact content again with the registered key in force'] as const;
const askOwner = ['请权属人重新签署授权', 'ask the owner to sign a new grant'] as const;
const askAgain = ['请重新发起访问请求', 'make a new access request'] as const;
const later = ['请稍后重试', 'try again later'] as const;

const protocolRows = {
  CANONICAL_INVALID: [400, '不是规范的 JSON', 'not canonical JSON', ...fix],
  BAD_FIELD: [400, '字段值不合规则', 'a field breaks its rule', ...fix],
  UNKNOWN_FIELD: [400, '出现未知字段', 'an unknown field is present', '请删除未知字段', 'remove the unknown field'],
  BAD_ID: [400, '标识不合语法', 'an id breaks its grammar', ...fix],
  CODE_INVALID: [400, '代码校验不通过', 'a code fails its check', '请核对代码', 'check the code against its source'],
  SCHEMA_INVALID: [400, '数据标准文档无效', 'the schema document is invalid', ...fix],
  SCHEMA_UNKNOWN: [404, '数据种类或版本未采用', 'this kind and version is not adopted', '请先由联盟表决采用', 'have the consortium adopt it by vote first'],
  RECORD_INVALID: [422, '记录不符合数据标准', 'the record does not meet its schema', ...fix],
  RIGHTS_NOT_ALLOWED: [400, '该种类不允许此确权类别', 'this kind does not allow this rights class', ...fix],
  PURPOSE_UNKNOWN: [400, '用途不在清单内', 'the purpose is not on the closed list', '请从用途清单中选择', 'choose a purpose from the list'],
  HEADER_INVALID: [400, '记录头不合规则', 'the record header breaks its grammar', ...fix],
  BATCH_MALFORMED: [400, '批次参数无法解析', 'the batch argument cannot be read', ...fix],
  BATCH_TRAILING_BYTES: [400, '批次参数末尾有多余字节', 'bytes follow the end of the batch argument', ...fix],
  BATCH_TOO_LARGE: [413, '批次参数超过大小上限', 'the batch argument exceeds its size limit', '请拆分为较小的批次', 'split it into smaller batches'],
  BATCH_TOO_MANY: [413, '批次记录数超过上限', 'the batch holds too many headers', '请拆分为较小的批次', 'split it into smaller batches'],
  BATCH_NOT_CANONICAL: [400, '批次不是规范字节', 'the inflated batch is not its own canonical form', ...fix],
  BATCH_DUPLICATE_RECORD: [400, '同一批次内记录重复', 'one record appears twice in the batch', ...fix],
  MERKLE_PATH_INVALID: [400, '默克尔路径不成立', 'the Merkle path does not lead to the root', '请从节点重新获取路径', 'fetch the path from a node again'],
  PAYLOAD_MALFORMED: [400, '载荷不是有效的 SD-JWT VC', 'the payload is not a valid SD-JWT VC', ...fix],
  PAYLOAD_BAD_SIGNATURE: [400, '载荷签名无效', "the payload's signature is invalid", ...sign],
  PAYLOAD_DIGEST_MISMATCH: [422, '载荷与记录头摘要不符', "the payload does not match the header's digest", '不要使用该数据，并通知发布方', 'do not use the data; tell the publisher'],
  DISCLOSURE_INVALID: [400, '披露项不属于该载荷', 'a disclosure does not belong to the payload', '不要使用该数据', 'do not use the data'],
  GRANT_BAD_SIGNATURE: [403, '授权签名无效', "the grant's signature is not the owner's", ...askOwner],
  GRANT_NONCANONICAL_SIG: [400, '授权签名不是规范编码', "the grant's signature is not in canonical form", ...askOwner],
  GRANT_WRONG_DOMAIN: [403, '授权属于另一联盟', 'the grant was signed for another domain', ...askOwner],
  GRANT_SUITE_UNSUPPORTED: [400, '签名套件不受支持', 'the signature suite is not supported', ...askOwner],
  REVOCATION_BAD_SIGNATURE: [403, '撤销签名无效', "the revocation's signature is not the owner's", ...sign],
  REQUEST_MALFORMED: [400, '访问请求无法解析', 'the access request cannot be read', ...fix],
  REQUEST_BAD_SIGNATURE: [403, '访问请求签名无效', "the access request's signature is invalid", ...sign],
  REQUEST_WRONG_DOMAIN: [403, '访问请求属于另一联盟', 'the access request was signed for another domain', ...askAgain],
  REQUEST_MIXED: [400, '一个请求只能涉及一个发布方和一个权属人', 'a request names one publisher and one owner or policy', '请拆分请求', 'split the request'],
  OFFER_BAD_SIGNATURE: [403, '应允签名无效', "the offer's signature is not the publisher's", '请重新取得应允', 'ask the publisher for a new offer'],
  OFFER_MISMATCH: [409, '应允与请求不符', 'the offer does not answer this request', '请重新取得应允', 'ask the publisher for a new offer'],
  RELEASE_BAD_SIGNATURE: [403, '释放签名无效', "the release's signature is not the publisher's", '不要使用该数据，并通知发布方', 'do not use the data; tell the publisher'],
  RELEASE_HASH_MISMATCH: [422, '密文与释放声明不符', 'the ciphertext does not match the signed release', '请重新取得释放', 'fetch the release again'],
  RECEIPT_BAD_SIGNATURE: [403, '回执签名无效', "the receipt's signature is not the reader's", ...sign],
  RECEIPT_MISMATCH: [409, '回执与凭证不符', 'the receipt does not belong to this ticket', ...fix],
  STATEMENT_BAD_SIGNATURE: [403, '声明签名无效', "the statement's signature is invalid", ...sign],
  EVIDENCE_MALFORMED: [400, '证据包无法解析', 'the evidence file cannot be read', '请重新导出证据包', 'export the evidence again'],
  EVIDENCE_INVALID: [422, '证据包验证不通过', 'the evidence does not verify', '不要采信该文件', 'do not rely on this file'],
} as const satisfies Record<string, Row>;

const ledgerRows = {
  ARG_MALFORMED: [400, '合约参数无法解析', 'the argument cannot be read', ...fix],
  ARG_TOO_LARGE: [413, '合约参数超过上限', "the argument exceeds the function's limit", '请减小参数', 'make the argument smaller'],
  TX_TIME_REJECTED: [403, '交易时间超出允许范围', 'the transaction time is outside the allowed window', '请校准时钟后重试', 'set the clock right and try again'],
  FORBIDDEN: [403, '无权执行此操作', 'the caller may not do this', '请联系本中心管理员', "ask your centre's administrator"],
  FORBIDDEN_CALLER: [403, '不接受链码间调用', 'calls from another chaincode are not accepted', '请直接调用', 'call the contract directly'],
  NOT_FOUNDED: [409, '联盟尚未成立', 'the consortium is not founded yet', '请先完成成立', 'complete the founding first'],
  ALREADY_FOUNDED: [409, '联盟已成立', 'the consortium is already founded', '无需再次成立', 'nothing is left to do'],
  CHARTER_MISMATCH: [409, '章程与其他创始中心不一致', 'the charter differs from that of another founder', '请核对章程指纹', "compare the charter's fingerprint"],
  NOT_A_FOUNDER: [403, '不是章程所列创始中心', 'the charter does not name this founder', '请核对章程', 'check the charter'],
  NOT_A_CENTRE: [403, '只有在册中心可以表决', 'only an active centre votes', '请由中心提交', 'let a centre submit it'],
  PROPOSAL_UNKNOWN: [404, '提案不存在', 'the proposal is unknown', '请核对提案编号', 'check the proposal id'],
  PROPOSAL_EXISTS: [409, '提案已存在', 'the proposal already exists', '请对现有提案表决', 'vote on the existing proposal'],
  PROPOSAL_CLOSED: [409, '提案已结束', 'the proposal is closed', '请另提新提案', 'make a new proposal'],
  ALREADY_VOTED: [409, '已对该提案表决', 'this centre has already voted', '无需重复表决', 'nothing is left to do'],
  PROPOSAL_INVALID: [400, '提案内容无效', "the proposal's content is invalid", ...fix],
  MEMBER_UNKNOWN: [404, '成员不存在', 'the member is unknown', '请核对成员标识', 'check the member id'],
  MEMBER_EXISTS: [409, '成员已存在', 'the member already exists', '请使用其他标识', 'use another id'],
  MEMBER_SUSPENDED: [403, '成员已被暂停', 'the member is suspended', '请联系联盟', 'contact the consortium'],
  BATCH_EXISTS: [409, '该批次号已存在', 'a batch of this seq exists', '请核对已存根', 'compare the stored root'],
  NOT_RECORD_OWNER: [403, '只能发布本中心的记录', "only the publisher's own organisation may publish", '请由发布中心提交', 'let the publishing centre submit it'],
  VERSION_ORDER: [409, '记录版本不连续', 'the version is not current + 1', '请以当前版本为基础重新提交', 'submit again upon the current version'],
  PREVIOUS_MISMATCH: [409, '前一版本不符', 'the previous header does not match', '请以当前版本为基础重新提交', 'submit again upon the current version'],
  SUPERSEDE_CHANGES_OWNER: [403, '更新不得改变种类、主体或权属人', 'a new version may not change kind, subject or owner', ...fix],
  SEALED_OPENING_INVALID: [400, '启封内容与承诺不符', 'the opening does not match the sealed commitment', ...fix],
  RECORD_SEALED: [403, '记录尚未启封', 'the record is still sealed', '请在启封后访问', 'read it after its opening'],
  RECORD_STALE: [409, '记录已有新版本', 'a newer version of the record exists', '请查询当前版本', 'query the current version'],
  RECORD_REVOKED: [410, '记录已撤销', 'the record is revoked', '请勿使用', 'do not use it'],
  RECORD_CONTESTED: [409, '记录存在争议', 'the record is contested', '请等待发布方更正', 'wait for the publisher to correct it'],
  NOT_CONTESTED: [409, '两个记录头并不矛盾', 'the two headers do not contradict each other', ...fix],
  RECORD_UNKNOWN: [404, '记录不存在', 'the record is unknown', '请核对记录标识', 'check the record id'],
  OWNER_UNKNOWN: [404, '权属人尚未登记密钥', 'the owner has registered no key', '请先登记权属人密钥', "register the owner's key first"],
  OWNER_EXISTS: [409, '权属人已登记密钥', 'the owner has a key already', '请使用更换或恢复', 'use rotate or recover'],
  STATEMENT_EXPIRED: [403, '声明已过期', 'the statement has expired', '请重新签署', 'sign a new statement'],
  CA_UNKNOWN: [403, '证书不由已表决的 CA 签发', 'the certificate chains to no voted CA', '请使用联盟认可的 CA 证书', 'use a certificate of a voted CA'],
  CERTIFICATE_INVALID: [400, '证书无效', 'the certificate is invalid', '请核对证书', 'check the certificate'],
  CERTIFICATE_EXPIRED: [403, '证书不在有效期内', 'the certificate is outside its validity', '请更新证书', 'renew the certificate'],
  CERTIFICATE_OTHER_ENTITY: [403, '证书属于另一主体', 'the certificate names another entity', '请使用本主体的证书', "use the entity's own certificate"],
  RECOVERY_PENDING: [409, '恢复尚未生效', 'a recovery is not yet effective', '请等待 72 小时或提出异议', 'wait 72 hours, or object'],
  RECOVERY_UNKNOWN: [404, '没有进行中的恢复', 'no recovery is under way', '无需异议', 'nothing is left to do'],
  GRANT_NOT_OWNER: [403, '签署者不是该记录的权属人', "the signer does not own the record", ...askOwner],
  GRANT_WRONG_GRANTEE: [403, '授权给另一读取方', 'the grant names another reader', ...askOwner],
  GRANT_WRONG_PURPOSE: [403, '用途与授权不符', "the purpose is not the grant's", ...askOwner],
  GRANT_CLAIM_NOT_COVERED: [403, '数据项不在授权范围', 'a claim is outside the grant', ...askOwner],
  GRANT_EXPIRED: [403, '授权已过期', 'the grant has expired', ...askOwner],
  GRANT_NOT_YET_VALID: [403, '授权尚未生效', 'the grant is not valid yet', '请在生效后使用', 'use it once it is valid'],
  GRANT_EXHAUSTED: [403, '授权次数已用完', 'the grant has no uses left', ...askOwner],
  GRANT_REVOKED: [403, '授权已撤销', 'the grant is revoked', ...askOwner],
  GRANT_REQUIRED: [403, '需要权属人授权', "the owner's grant is required", ...askOwner],
  POLICY_UNKNOWN: [403, '没有有效的开放策略', 'no policy in force covers this', '请联系发布中心', 'contact the publisher'],
  POLICY_NOT_COVERED: [403, '开放策略不覆盖该请求', 'the policy does not cover the request', '请联系发布中心', 'contact the publisher'],
  REQUEST_EXPIRED: [403, '访问请求已超过 5 分钟', 'the access request is older than 5 minutes', ...askAgain],
  REQUEST_ID_REUSED: [409, '请求编号已用于其他内容', 'the request id was used with another body', ...askAgain],
  REQUEST_NOT_READER: [403, '请求由另一成员签署', 'the request was not signed by this reader', ...askAgain],
  ENCRYPTION_KEY_MISMATCH: [403, '加密密钥不是读取方登记的密钥', "the encryption key is not the reader's registered one", ...askAgain],
  OFFER_EXPIRED: [409, '应允已过期', 'the offer has expired', '请重新取得应允', 'ask the publisher for a new offer'],
  SLOT_TAKEN: [409, '次数编号已占用', 'the use slot is taken', '请换用空闲编号', 'try a free slot'],
  TICKET_UNKNOWN: [404, '访问凭证不存在', 'the ticket is unknown', ...askAgain],
  TICKET_CONFIRMED: [409, '凭证已有回执', 'the ticket has a confirmed receipt', '无需处理', 'nothing is left to do'],
  TICKET_REFUSED: [409, '凭证已被退回', 'the ticket was refused', ...askAgain],
} as const satisfies Record<string, Row>;

const nodeRows = {
  TICKET_ENDED: [403, '访问凭证已失效', 'the ticket has ended', ...askAgain],
  TICKET_OTHER_READER: [403, '凭证属于另一读取方', 'the ticket belongs to another reader', ...askAgain],
  RELEASE_TOO_LATE: [409, '区块晚于交易时间过久，凭证退回', 'the block came too long after the transaction time; the use was refunded', ...askAgain],
  STORAGE_FAILED: [503, '存储出错，结果未知', 'storage failed, the outcome is unknown', '请用原编号重试', 'repeat with the same id'],
  DISK_NEARLY_FULL: [507, '磁盘空间不足', 'the disk is nearly full', '请扩充磁盘', 'make room on the disk'],
  OUTBOX_TAIL_LOST: [503, '发件箱末尾丢失', 'the tail of the outbox is lost', '请按运维手册处理', 'follow the operations guide'],
  VAULT_CORRUPT: [500, '保管库数据损坏', 'data in the vault is damaged', '请从备份恢复', 'restore it from a backup'],
  LEDGER_UNAVAILABLE: [503, '账本暂不可用', 'the ledger cannot be reached', ...later],
  LEDGER_CONFLICT: [409, '账本并发冲突', 'a concurrent change won on the ledger', ...later],
  LEDGER_REJECTED: [502, '账本拒绝交易', 'the ledger rejected the transaction', '请查看详情', 'see the details'],
  OUTCOME_UNKNOWN: [202, '结果未知，正在核实', 'the outcome is unknown and being settled', '请按操作编号查询', 'ask by the operation id'],
  BLOCK_FORK: [500, '区块与已知不符', 'a block differs from the known one', '立即停用并通知联盟', 'stop and alert the consortium'],
  PUBLISHER_UNAVAILABLE: [503, '发布方节点暂不可达', "the publisher's node cannot be reached", ...later],
  PEER_UNKNOWN: [403, '对方节点不在账本登记', 'the peer is not registered on the ledger', '请核对节点身份', "check the node's identity"],
  EXCHANGE_FAILED: [502, '节点间交换失败', 'the exchange between nodes failed', ...later],
  NOT_FOUND: [404, '没有找到', 'not found', '请核对标识', 'check the id'],
  ERASED: [410, '数据已删除', 'the data is erased', '数据不可恢复', 'it cannot be recovered'],
  TOKEN_INVALID: [401, '登录凭据无效', 'the sign-in token is invalid', '请重新登录', 'sign in again'],
  REPLAYED: [401, '请求已被使用过', 'this request was used before', '请重新签名', 'sign a new one'],
  IDEMPOTENCY_MISMATCH: [422, '同一幂等键用于不同内容', 'the Idempotency-Key was used with another body', '请更换幂等键', 'use another key'],
  RATE_LIMITED: [429, '请求过于频繁', 'too many requests', ...later],
  BODY_TOO_LARGE: [413, '请求体超过上限', 'the body exceeds its limit', '请拆分请求', 'split the request'],
  STREAM_TRUNCATED: [400, '数据流被截断', 'the stream ended inside a line', '已确认的行已保存，请从中断处继续', 'acknowledged lines are safe; go on from there'],
  CONFIG_INVALID: [400, '配置无效', 'the configuration is invalid', '请运行 huilian config check', 'run huilian config check'],
  KEYS_MISSING: [500, '密钥文件缺失', 'the key file is missing', '请运行 huilian init', 'run huilian init'],
  KEY_FILE_UNREADABLE: [400, '密钥文件无法打开：口令有误或文件已损坏', 'the key file does not open: the passphrase is wrong or the file damaged', '请核对口令，或使用另一份导出', 'check the passphrase, or take another export'],
  KEY_FILE_NEWER: [400, '密钥文件由更新的软件写成', 'the key file was written by newer software', '请先升级', 'upgrade first'],
  KEY_FILE_OTHER_MEMBER: [409, '密钥属于另一成员', 'the keys are another member\'s', '请核对文件与状态目录', 'check file and state folder'],
  CSV_INVALID: [400, 'CSV 文件无法解析', 'the CSV file cannot be read', ...fix],
  DUPLICATE_IN_FILE: [422, '同一文件内自然键重复', 'one natural key appears twice in the file', ...fix],
  INTERNAL: [500, '内部错误', 'internal error', '请查看日志并联系运维', 'see the log and contact operations'],
} as const satisfies Record<string, Row>;

const clientRows = {
  PAYLOAD_DECRYPT_FAILED: [422, '解密失败', 'decryption failed', '请核对读取方密钥', "check the reader's key"],
  WALLET_UNREADABLE: [400, '钱包无法用文字呈现所签内容，拒绝签名', 'the wallet cannot render this in words and will not sign it', '请核对请求来源', 'check where the request comes from'],
  WALLET_DOMAIN_CHANGED: [403, '联盟域与首次使用时不同', "the consortium's domain differs from the pinned one", '请停止并核实', 'stop and find out why'],
} as const satisfies Record<string, Row>;

/** Every code there is. */
export type ErrorCode = keyof typeof protocolRows | keyof typeof ledgerRows | keyof typeof nodeRows | keyof typeof clientRows;

function entriesOf(stage: ErrorStage, rows: Record<string, Row>): [string, ErrorEntry][] {
  return Object.entries(rows).map(([code, [http, zh, en, nextZh, nextEn]]) => [
    code,
    { stage, http, zh, en, next: { zh: nextZh, en: nextEn } },
  ]);
}

/** The one table: code to stage, HTTP status, words and next step. */
export const errorCatalogue: Readonly<Record<ErrorCode, ErrorEntry>> = Object.fromEntries([
  ...entriesOf('protocol', protocolRows),
  ...entriesOf('ledger', ledgerRows),
  ...entriesOf('node', nodeRows),
  ...entriesOf('client', clientRows),
]) as Record<ErrorCode, ErrorEntry>;

/** Values that help to find a cause: ids, counts, positions, closed words. Never personal data, never secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** Whether a text is a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}

/** The only error class of the product. `message` is `CODE {details}` so that it survives a chaincode response. */
export class ProtocolError extends Error {
  public override readonly name = 'ProtocolError';

  public constructor(
    public readonly code: ErrorCode,
    public readonly details: ErrorDetails = {},
  ) {
    super(Object.keys(details).length === 0 ? code : `${code} ${JSON.stringify(details)}`);
  }

  /** Stage, HTTP status, words and next step of the code. */
  public get entry(): ErrorEntry {
    return errorCatalogue[this.code];
  }
}

/** The error as JSON for HTTP bodies and `--json` output. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly stage: ErrorStage;
  readonly message: { readonly zh: string; readonly en: string };
  readonly next: { readonly zh: string; readonly en: string };
  readonly details: ErrorDetails;
}

/** An error as HTTP bodies and `--json` carry it. */
export function errorBody(error: ProtocolError): ErrorBody {
  const { stage, zh, en, next } = error.entry;
  return { code: error.code, stage, message: { zh, en }, next, details: error.details };
}

const messagePattern = /\b([A-Z][A-Z0-9_]{2,40})(?: (\{[^{}]*\}))?/g;

/**
 * Finds a ProtocolError's message inside a foreign one (chaincode response, gRPC detail); undefined where there is none.
 * `stages` names whose codes may be meant: a word of another stage (`INTERNAL` is also a gRPC status) is passed over.
 */
export function parseErrorMessage(message: string, stages?: readonly ErrorStage[]): ProtocolError | undefined {
  for (const [, code, details] of message.matchAll(messagePattern)) {
    if (code === undefined || !isErrorCode(code)) continue;
    if (stages === undefined || stages.includes(errorCatalogue[code].stage)) return new ProtocolError(code, parseDetails(details));
  }
  return undefined;
}

/** Details out of a foreign message: single values under names of our own making, or none at all. */
function parseDetails(text: string | undefined): ErrorDetails {
  try {
    const details: unknown = JSON.parse(text ?? '{}');
    const entries = Object.entries(details as object);
    return entries.every(([name, value]) => /^[A-Za-z][A-Za-z0-9]{0,40}$/.test(name) && ['string', 'number', 'boolean'].includes(typeof value))
      ? (details as ErrorDetails)
      : {};
  } catch {
    return {};
  }
}
