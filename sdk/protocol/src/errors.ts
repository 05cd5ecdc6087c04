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

const fix = ['详情中 path 指出位置、reason 指出规则；改正后重新提交', 'details name the place (path) and the rule broken (reason); correct it and send again'] as const;
const sign = ['请用账本上登记的现行密钥对原文重新签名；密钥刚更换的，请改用新密钥', 'sign the exact bytes again with the key registered on the ledger now; after a key change, with the new one'] as const;
const askOwner = ['请权属人签署一份新的授权，再以它重新请求', 'ask the owner to sign a new grant and make the request again with it'] as const;
const askAgain = ['请以新的请求编号重新签署并发起访问请求', 'sign a new access request with a new id and send it'] as const;
const later = ['请稍候以原内容重试；持续出现时请运维查看 huilian status', 'wait and repeat the same call; if it goes on, have operations look at huilian status'] as const;
const distrust = ['不要使用该数据；保留文件，并按成员目录中的联系方式通知发布方', 'do not use the data; keep the file and tell the publisher, whose contact is in the member list'] as const;
const newOffer = ['节点会自动重新取得应允，重试即可；自行编写的账本客户端请向发布方节点重新索取', "repeat the request: the node asks for a new offer; a client of your own asks the publisher's node for one"] as const;
const ownClient = ['节点生成的批次不会出现此错误：请检查自行编写的账本客户端，按详情改正', 'a node never makes such a batch: check the ledger client of your own, details say what is wrong'] as const;
const current = ['请先查询记录的现行版本，再以它为基础提交下一版本', 'query the record for its current version and submit the next one upon it'] as const;
const done = ['已是所要的结果，无需再做', 'what you asked for is already so; nothing is left to do'] as const;

const protocolRows = {
  CANONICAL_INVALID: [400, '内容不是规范的 JSON（重复键、多余字节、非 UTF-8、过深或类型不对）', 'this is not JSON as the protocol takes it: a key twice, extra bytes, no UTF-8, too deep, or another content type', '请发送 UTF-8 编码、无重复键、无 BOM 的 JSON：application/json，记录流用 application/x-ndjson', 'send JSON in UTF-8, each key once, no byte order mark: as application/json, a stream of records as application/x-ndjson'],
  BAD_FIELD: [400, '某个字段的值不合规则', 'the value of a field breaks its rule', ...fix],
  UNKNOWN_FIELD: [400, '出现了不认识的字段', 'a field is present that is not known here', '请删除详情中 path 所指的字段；多余字段不会被忽略，以免被误认为已生效', 'remove the field named by path; extra fields are refused, never ignored, so that nobody believes they hold'],
  BAD_ID: [400, '标识不合语法或校验码不符', 'an id breaks its grammar or its check character', '请核对详情中 path 所指的标识：权属人为 org: 加 18 位统一社会信用代码', 'check the id named by path; an owner is org: and the 18 characters of its unified social credit code'],
  CODE_INVALID: [400, '代码校验不通过', 'a code fails its check', '请对照证照原件核对代码，常见原因是错字或漏字', 'compare the code with the original document; most often a character is wrong or missing'],
  SCHEMA_INVALID: [400, '数据标准文档无效', 'the schema document is invalid', ...fix],
  SCHEMA_UNKNOWN: [404, '联盟未采用该种类或版本', 'the consortium has not adopted this kind and version', '请用 huilian governance list 查看已采用的种类；新种类须先提案表决', 'see the adopted kinds with huilian governance list; a new one is proposed and voted first'],
  RECORD_INVALID: [422, '记录不符合数据标准', 'the record does not meet its schema', '逐条改正所列问题（位置与规则）后重新发布该行；其余行不受影响', 'correct each listed problem (place and rule) and publish the row again; other rows are not affected'],
  MAPPING_INVALID: [422, '字段映射与数据种类不符', 'the mapping does not fit its kind', '详情中 path 指出映射中的位置、reason 指出原因、field 指出字段；用 huilian mapping check 查看全部问题', 'details name the place in the mapping (path), the reason and the field; huilian mapping check lists all that is wrong'],
  RIGHTS_NOT_ALLOWED: [400, '该种类不允许此确权类别', 'this kind does not allow this rights class', '请在该种类允许的类别中选择；权属人类别要求主体为企业', 'choose a class that the kind allows; the class owner needs an organisation as subject'],
  PURPOSE_UNKNOWN: [400, '用途不在封闭清单内', 'the purpose is not on the closed list', '请从用途清单中选择一项，逐字填写', 'take one purpose from the list, spelt exactly'],
  HEADER_INVALID: [400, '记录头各字段不相配', 'the fields of the record header do not fit together', ...ownClient],
  BATCH_MALFORMED: [400, '批次参数无法解析', 'the batch argument cannot be read', ...ownClient],
  BATCH_TRAILING_BYTES: [400, '批次参数末尾有多余字节', 'bytes follow the end of the batch argument', ...ownClient],
  BATCH_TOO_LARGE: [413, '批次参数超过大小上限', 'the batch argument exceeds its size limit', '请拆分为较小的批次；上限见文档 limits', 'split it into smaller batches; the limits are in the document limits'],
  BATCH_TOO_MANY: [413, '批次记录数超过上限', 'the batch holds more headers than allowed', '请拆分为较小的批次；上限见文档 limits', 'split it into smaller batches; the limits are in the document limits'],
  BATCH_NOT_CANONICAL: [400, '批次解压后不是规范字节', 'the inflated batch is not in canonical form', ...ownClient],
  BATCH_DUPLICATE_RECORD: [400, '同一批次内同一记录出现两次', 'one record appears twice in the batch', ...ownClient],
  MERKLE_PATH_INVALID: [400, '默克尔路径不能把记录头连到批次根', 'the Merkle path does not lead from this header to the root of its batch', '请从节点重新查询该记录，用返回的路径；仍不符时不要采信该记录头', 'query the record at a node again and use the path it gives; if that fails too, do not trust the header'],
  PAYLOAD_MALFORMED: [400, '载荷不是有效的 SD-JWT VC', 'the payload is not a valid SD-JWT VC', ...distrust],
  PAYLOAD_BAD_SIGNATURE: [400, '载荷签名无效', "the payload's signature is not the publisher's", ...distrust],
  PAYLOAD_DIGEST_MISMATCH: [422, '载荷与账本上记录头的摘要不符', 'the payload does not match the digest in the header on the ledger', ...distrust],
  DISCLOSURE_INVALID: [400, '披露项不属于该载荷，或超出授权', 'a disclosure does not belong to the payload, or was not granted', ...distrust],
  GRANT_BAD_SIGNATURE: [403, '授权签名不是该权属人所签，或内容在签名后被改动', "the signature is not this owner's, or the grant was changed after signing", '请原样使用权属人签署的授权；不确定时请权属人以登记的密钥重新签署', 'use the grant exactly as the owner signed it; if in doubt ask the owner to sign again with the registered key'],
  GRANT_NONCANONICAL_SIG: [400, '签名不是规范编码（须 65 字节、低 S、v 为 27 或 28、小写十六进制）', 'the signature is not in its one form: 65 bytes, low S, v 27 or 28, lower-case hex', '请使用钱包给出的签名原文；自行编写的钱包请规范化 s 与 v', 'use the signature as the wallet gave it; a wallet of your own normalises s and v'],
  GRANT_WRONG_DOMAIN: [403, '所签内容属于另一联盟或另一应用', 'what was signed belongs to another consortium or application', '请对照节点 /v1/consortium 的域，在本联盟重新签署', 'compare the domain with /v1/consortium of a node and have it signed again for this consortium'],
  GRANT_SUITE_UNSUPPORTED: [400, '签名套件不受支持', 'the signature suite is not supported', '请用 eip712-secp256k1 套件签署', 'sign with the suite eip712-secp256k1'],
  REVOCATION_BAD_SIGNATURE: [403, '撤销不是该权属人所签', 'the revocation is not signed by this owner', ...sign],
  REQUEST_MALFORMED: [400, '访问请求与其自身或授权不相配', 'the access request does not fit itself or its grant', '请用 SDK 按授权生成请求；详情中 reason 指出不符之处', 'let the SDK make the request from the grant; reason in the details says what does not fit'],
  REQUEST_BAD_SIGNATURE: [403, '访问请求签名无效', "the access request's signature is not the reader's", ...sign],
  REQUEST_WRONG_DOMAIN: [403, '访问请求是为另一联盟签署的', 'the access request was signed for another consortium', '请核对所连接的节点属于哪个联盟，再重新签署', 'check which consortium the node you call belongs to, then sign a new request'],
  REQUEST_MIXED: [400, '一个请求只能涉及一个发布方、一个权属人或策略，且每条记录一次', 'one request names one publisher, one owner or policy, and each record once', '请按发布方和权属人拆分为多个请求', 'split it into requests by publisher and owner'],
  OFFER_BAD_SIGNATURE: [403, '应允签名不是发布方所签', "the offer's signature is not the publisher's", ...newOffer],
  OFFER_MISMATCH: [409, '应允与请求不符', 'the offer does not answer this request', ...newOffer],
  RELEASE_BAD_SIGNATURE: [403, '释放签名不是发布方所签', "the release's signature is not the publisher's", ...distrust],
  RELEASE_HASH_MISMATCH: [422, '密文与已签名的释放不符，途中可能损坏', 'the ciphertext does not match the signed release; it may have been damaged on the way', '请用同一凭证重新取得释放，不另计次数；仍不符则不要使用并通知发布方', 'fetch the release of the same ticket again, which costs no use; if it still differs, do not use it and tell the publisher'],
  RECEIPT_BAD_SIGNATURE: [403, '回执签名不是读取方所签', "the receipt's signature is not the reader's", ...sign],
  RECEIPT_MISMATCH: [409, '回执与凭证或释放不符', 'the receipt does not belong to this ticket or release', '请为详情所指凭证、以收到的释放重新签署回执', 'sign the receipt for the ticket in question, from the release that was received'],
  STATEMENT_BAD_SIGNATURE: [403, '声明签名无效', "the statement's signature is not that of the key it needs", ...sign],
  EVIDENCE_MALFORMED: [400, '证据包无法解析', 'the evidence file cannot be read', '文件可能不完整：请用 huilian evidence 重新导出', 'the file may be incomplete: export it again with huilian evidence'],
  EVIDENCE_INVALID: [422, '证据包验证不通过', 'the evidence does not verify', '不要采信该文件；详情中 reason 指出第一处不成立之处，请核对章程指纹', 'do not rely on this file; reason names the first thing that does not hold; check the charter fingerprint you verify from'],
} as const satisfies Record<string, Row>;

const ledgerRows = {
  ARG_MALFORMED: [400, '合约参数无法解析或函数不存在', 'the argument cannot be read, or there is no such function', '节点不会发出此类调用：请检查自行编写的账本客户端与合约版本', 'a node never sends this: check the ledger client of your own and the version of the contract'],
  ARG_TOO_LARGE: [413, '合约参数超过该函数的上限', "the argument exceeds the function's limit", '请减小内容或拆分；上限见文档 limits', 'make it smaller or split it; the limits are in the document limits'],
  TX_TIME_REJECTED: [403, '交易时间与背书节点相差超过允许范围', "the transaction time is too far from the endorsers' clocks", '请校准本节点时钟（NTP）后重试', "set this node's clock by NTP and try again"],
  FORBIDDEN: [403, '该身份无权执行此操作', 'this identity may not do this', '请核对登录的成员与其类别，确需此操作请联系本中心管理员；读取服务拒绝的，请以 127.0.0.1 调用，且不要由浏览器发起', "check which member you are signed in as, and its kind, or ask your centre's administrator; where the sidecar refused, call it as 127.0.0.1 and not from a browser"],
  FORBIDDEN_CALLER: [403, '不接受其他链码的调用', 'calls from another chaincode are not accepted', '请由成员的客户端直接调用合约', "call the contract from a member's client directly"],
  NOT_FOUNDED: [409, '联盟尚未成立', 'the consortium is not founded yet', '请等全部创始中心提交同一章程（huilian governance found）', 'wait until every founding centre has submitted the same charter (huilian governance found)'],
  ALREADY_FOUNDED: [409, '联盟已成立', 'the consortium is already founded', ...done],
  CHARTER_MISMATCH: [409, '章程与预期的不一致', 'the charter is not the expected one', '创始中心：核对各方章程文件的指纹，用同一文件重新提交；成员：核对节点地址与已公布的章程指纹，不符切勿继续', 'founders compare the fingerprints of their charter files and submit the same one; members check the address of the node and the published fingerprint, and go no further while they differ'],
  NOT_A_FOUNDER: [403, '章程未列出本中心', 'the charter does not name this centre as a founder', '请核对章程中的成员标识与组织；创始之后须经表决加入', 'check member id and organisation in the charter; after the founding a centre joins by vote'],
  NOT_A_CENTRE: [403, '只有在册中心可以提案和表决', 'only an active centre proposes and votes', '请由在册中心的操作员提交', 'let the operator of an active centre submit it'],
  PROPOSAL_UNKNOWN: [404, '提案不存在', 'the proposal is unknown', '请用 huilian governance list 核对提案编号', 'check the proposal id with huilian governance list'],
  PROPOSAL_EXISTS: [409, '相同提案已存在', 'the same proposal exists already', '请用 huilian governance approve 对现有提案表决', 'vote on the existing one with huilian governance approve'],
  PROPOSAL_CLOSED: [409, '提案已结束', 'the proposal is closed', '请用 huilian governance list 查看结果；要再次提出，请用下一轮次（--round）', 'see the result with huilian governance list; to propose it again use the next --round'],
  ALREADY_VOTED: [409, '本中心已对该提案表决', 'this centre has already voted on the proposal', ...done],
  PROPOSAL_INVALID: [400, '提案内容无效', "the proposal's content is invalid", ...fix],
  MEMBER_UNKNOWN: [404, '成员不存在', 'the member is unknown', '请对照 /v1/members 核对成员标识', 'check the member id against /v1/members'],
  MEMBER_EXISTS: [409, '成员标识已被占用', 'a member of this id exists already', '请使用其他标识；变更现有成员请用相应的提案', 'use another id; to change the existing member use the proposal meant for it'],
  MEMBER_SUSPENDED: [403, '成员已被表决暂停', 'the member was suspended by vote', '请联系接入中心；恢复须由各中心表决', 'contact the centre that hosts it; the centres lift a suspension by vote'],
  BATCH_EXISTS: [409, '该批次号已存在', 'a batch of this number exists already', '根相同即已发布，无需再做；根不同说明两个节点共用了同一发布方，请立即停止其中之一', 'if the stored root is yours it is published, and nothing is left to do; if not, two nodes publish as one centre: stop one at once'],
  NOT_RECORD_OWNER: [403, '只能发布、变更本中心自己的记录', 'a centre publishes and changes its own records only', '请由记录所属的发布中心提交', 'let the publishing centre of the record submit it'],
  VERSION_ORDER: [409, '记录版本不连续', 'the version is not the one after the current', ...current],
  PREVIOUS_MISMATCH: [409, '所引前一版本与账本不符', 'the previous header is not the one on the ledger', ...current],
  SUPERSEDE_CHANGES_OWNER: [403, '新版本不得改变种类、主体或权属人', 'a new version may not change kind, subject or owner', '请撤销原记录，再作为新记录发布', 'revoke the old record and publish this as a new one'],
  SEALED_OPENING_INVALID: [400, '启封内容与封存时的承诺不符', 'the opening does not match the sealed commitment', '请用封存时的原始内容与盐值启封', 'open it with the content and salt it was sealed with'],
  RECORD_SEALED: [403, '记录尚未启封', 'the record is still sealed', '请等发布方启封后再请求', 'ask again once the publisher has opened it'],
  RECORD_STALE: [409, '记录已有新版本', 'a newer version of the record exists', '请重新查询记录，对现行版本发起请求', 'query the record again and make the request for its current version'],
  RECORD_REVOKED: [410, '发布方已撤销该记录', 'the publisher has revoked the record', '请勿使用；查询该主体是否有替代的记录', 'do not use it; look for another record of the subject that took its place'],
  RECORD_CONTESTED: [409, '同一版本有两个互相矛盾的记录头', 'two contradicting headers of this version exist', '请勿使用；联系发布方，待其发布新版本', 'do not use it; tell the publisher and wait for its next version'],
  ATTESTATION_UNKNOWN: [404, '本中心未对该版本作过佐证', 'this centre has attested nothing on this version', '请先查看该记录的佐证；只能撤回本中心对同一版本的佐证', "look at the record's attestations first; a centre takes back only its own word on the same version"],
  NOT_CONTESTED: [409, '两个记录头并不矛盾', 'the two headers do not contradict each other', '须为同一记录同一版本的两个不同记录头；无需再做则忽略', 'this takes two different headers of one record and version; otherwise there is nothing to report'],
  RECORD_UNKNOWN: [404, '记录不存在', 'the record is unknown', '请用 huilian query 核对记录标识；刚发布的记录须待入块', 'check the record id with huilian query; one just published has to be in a block first'],
  OWNER_UNKNOWN: [404, '该权属人尚未登记密钥', 'this owner has registered no key', '请权属人先登记：huilian owner register', 'have the owner register first: huilian owner register'],
  OWNER_EXISTS: [409, '该权属人已登记密钥', 'the owner has a key already', '更换密钥用 huilian owner rotate；密钥遗失用 huilian owner recover', 'change the key with huilian owner rotate; if it is lost, huilian owner recover'],
  STATEMENT_OTHER_RECORD: [403, '声明所指与该记录不符，或该记录与签署人无关', 'the statement speaks of another record, or the record is not about whoever signed', '请从节点查询记录的现行版本与摘要，由其权属人或主体签署', 'query the record for its current version and digest, and have its owner or subject sign'],
  STATEMENT_SUPERSEDED: [409, '已有该权属人更晚签署的声明', 'a statement that the owner signed later stands already', '请查看该记录的声明；确需更改请现在重新签署', "look at the record's statements; to change it, sign a new one now"],
  STATEMENT_EXPIRED: [403, '声明已过期或时间相差过大', 'the statement has expired, or its time is too far off', '请校准时钟，重新签署并立即提交', 'set the clock right, sign a new one and send it at once'],
  CA_UNKNOWN: [403, '证书不由联盟表决认可的 CA 签发', 'the certificate does not chain to a CA that the consortium voted for', '请使用认可的 CA 签发的证书，并附上完整证书链', 'use a certificate of a voted CA, with its whole chain'],
  CERTIFICATE_INVALID: [400, '证书无效', 'the certificate is invalid', '请核对文件：须为企业证书（DER 或 PEM），含其密钥用途；详情中 reason 指出原因', "check the file: an organisation's certificate, DER or PEM; reason in the details says what is wrong"],
  CERTIFICATE_EXPIRED: [403, '证书不在有效期内', 'the certificate is outside its validity', '请向签发 CA 更新证书后重试', 'renew the certificate at its CA and try again'],
  CERTIFICATE_OTHER_ENTITY: [403, '证书属于另一主体', 'the certificate names another entity', '请使用载有本企业统一社会信用代码的证书', "use the certificate that names this entity's own unified social credit code"],
  RECOVERY_PENDING: [409, '恢复尚未生效', 'a recovery is under way and not effective yet', '恢复由您发起：请等满 72 小时；不是您发起：立即用 huilian owner object 提出异议', 'if you began it, wait for its 72 hours; if not, object at once with huilian owner object'],
  RECOVERY_UNKNOWN: [404, '没有进行中的恢复', 'no recovery is under way', '无需异议；请核对权属人标识', "there is nothing to object to; check the owner's id"],
  GRANT_NOT_OWNER: [403, '授权由另一权属人签署', "the grant is another owner's, not that of the record", '请由记录的权属人签署授权；权属人见记录头', "have the owner named in the record's header sign the grant"],
  GRANT_WRONG_GRANTEE: [403, '授权给的是另一读取方', 'the grant names another reader', '授权不可转用：请权属人为您签署授权', 'a grant cannot be passed on: ask the owner to sign one for you'],
  GRANT_WRONG_PURPOSE: [403, '请求的用途与授权不符', "the purpose is not the grant's", '请以授权所列用途请求；用途不同请权属人另签', 'ask for the purpose that the grant names; for another one the owner signs another grant'],
  GRANT_CLAIM_NOT_COVERED: [403, '请求的数据项超出授权范围', 'a claim is outside the grant', '请只请求授权所列数据项，或请权属人另签', 'ask for the claims of the grant only, or for a new grant with this one'],
  GRANT_EXPIRED: [403, '授权已过期', 'the grant has expired', ...askOwner],
  GRANT_NOT_YET_VALID: [403, '授权尚未生效', 'the grant is not valid yet', '请在详情所示时间之后使用；若时间已到，请校准时钟', 'use it after the time in the details; if that has passed, set the clock right'],
  GRANT_EXHAUSTED: [403, '授权次数已用完', 'the grant has no uses left', ...askOwner],
  GRANT_REVOKED: [403, '权属人已撤销授权', 'the owner has revoked the grant', '请停止使用；仍有需要时请权属人签署新的授权', 'stop using it; if the need remains, ask the owner to sign a new grant'],
  GRANT_REQUIRED: [403, '该记录需要权属人授权', "this record needs its owner's grant", '请用 SDK 的 ask 或其他途径请权属人签署授权，并随请求提交', "ask the owner for a grant, by the SDK's ask or otherwise, and send it with the request"],
  POLICY_UNKNOWN: [403, '没有该有效的开放策略', 'there is no such policy in force', '请从记录的发布中心查询现行策略', 'ask the publishing centre which policy is in force'],
  POLICY_NOT_COVERED: [403, '开放策略不覆盖该请求', 'the policy does not cover the request', '详情中 reason 指出超出之处（种类、数据项、用途、读取方类别、期限）；请相应缩小请求', 'reason says what lies outside (kind, claim, purpose, class of reader, term); narrow the request to it'],
  REQUEST_EXPIRED: [403, '访问请求的签署时间与现在相差超过 5 分钟', 'the access request was signed more than 5 minutes before or after now', '请校准时钟，再以新的请求编号签署并立即发送', 'set the clock right, sign a new request with a new id and send it at once'],
  REQUEST_ID_REUSED: [409, '请求编号已用于其他内容', 'the request id was used with other content', ...askAgain],
  REQUEST_NOT_READER: [403, '请求由另一成员签署', 'the request was signed by another member than the one that sends it', '请用登录成员自己的密钥签署请求', 'sign the request with the key of the member that is signed in'],
  ENCRYPTION_KEY_MISMATCH: [403, '加密密钥不是读取方登记的密钥', "the encryption key is not the reader's registered one", '请用成员目录中登记的加密密钥；刚更换的，请等更换入块', 'use the encryption key in the member list; after a change, wait until it is on the ledger'],
  OFFER_EXPIRED: [409, '应允已过期', 'the offer has expired', ...newOffer],
  SLOT_TAKEN: [409, '次数编号已被占用', 'this use of the grant is taken already', '请换用下一个次数编号；节点会自动选择', 'take the next use number; a node chooses it by itself'],
  TICKET_UNKNOWN: [404, '访问凭证不存在', 'the ticket is unknown', '请核对凭证编号；没有凭证时请重新发起访问请求', 'check the ticket id; without a ticket make a new access request'],
  TICKET_CONFIRMED: [409, '凭证已有确认的回执', 'the ticket has a confirmed receipt already', ...done],
  TICKET_REFUSED: [409, '凭证已被发布方退回，次数已返还', 'the publisher refused the ticket; its use was given back', ...askAgain],
} as const satisfies Record<string, Row>;

const nodeRows = {
  TICKET_ENDED: [403, '凭证已失效：过期、授权被撤销或已退回', 'the ticket has ended: expired, its grant revoked, or given back', '请重新发起访问请求；授权已撤销时请权属人签署新的授权', 'make a new access request; if the grant was revoked, ask the owner for a new one first'],
  TICKET_OTHER_READER: [403, '凭证属于另一读取方', 'the ticket belongs to another reader', '请以取得该凭证的成员身份登录，或自行发起访问请求', 'sign in as the member that opened it, or make an access request of your own'],
  RELEASE_TOO_LATE: [409, '入块过晚，凭证已退回，次数已返还', 'the block came too late after the transaction time; the ticket was given back with its use', '请用同一授权重新请求；反复出现请校准时钟并检查账本', 'repeat the request with the same grant; if it recurs, check clocks and the ledger'],
  STORAGE_FAILED: [503, '存储出错，结果未知', 'storage failed; whether the data was kept is not known', '请重新启动节点后以原内容原编号重试：已保存的不会重复', 'restart the node and repeat the same rows or ids: what was kept is not stored twice'],
  DISK_NEARLY_FULL: [507, '磁盘空间不足，暂不接收', 'the disk is nearly full, so nothing is taken in', '请在数据目录所在磁盘腾出空间后重试；已确认的数据不受影响', 'make room on the disk of the data folder and try again; acknowledged data is safe'],
  OUTBOX_TAIL_LOST: [503, '已确认的数据在发件箱末尾缺失，可能是磁盘或目录被回退', 'acknowledged rows at the end of the outbox are missing; the disk or folder may have been rolled back', '请勿删除文件：按运维手册“告警”一节恢复，缺失的行从来源重新导入', 'delete nothing: recover by the page alarms of the operations guide and import the missing rows again from their source'],
  RESTORE_UNFINISHED: [503, '节点由备份恢复，尚未读完账本，暂不接收记录', 'the node was restored from a backup and has not read the ledger to its end, so it takes no records yet', '请等账本可达并读完（huilian doctor 可查看进度）后重试', 'wait until the ledger is reached and read (huilian doctor shows how far), then send the rows again'],
  PAYLOAD_MISSING: [503, '发布方节点由备份恢复，缺少此后发布的该记录内容', "the publisher's node was restored from a backup older than this record and lacks its content", '请联系发布中心重新导入该记录；导入后会有新版本可用，未扣次数', 'ask the publishing centre to import the record again: a new version follows; no use was spent'],
  VAULT_CORRUPT: [500, '保管库中的载荷损坏，未予释放', 'a payload in the vault is damaged and was not released', '请发布方从备份恢复，或从来源重新导入该记录', 'the publisher restores it from a backup, or imports the record again from its source'],
  LEDGER_UNAVAILABLE: [503, '账本暂不可用', 'the ledger cannot be reached', ...later],
  LEDGER_CONFLICT: [409, '账本上另一并发变更先完成', 'a concurrent change came first on the ledger', '现状可能已变：请重新查询，再决定是否提交', 'things may have changed: look at what is there now, then decide whether to send it again'],
  LEDGER_REJECTED: [502, '账本拒绝了交易', 'the ledger rejected the transaction', '详情载有账本的验证码：背书不足请确认各中心合约版本一致，其余请联系账本运维', "the details hold the ledger's code: for a lack of endorsements compare the contract versions of the centres, else tell who runs the ledger"],
  OUTCOME_UNKNOWN: [202, '已发出，结果尚在核实', 'it was sent and its outcome is still being settled', '请勿换新编号重发：以原编号重试或查询，直到有结果', 'do not send it under a new id: repeat or ask with the same id until it is settled'],
  BLOCK_FORK: [500, '收到的区块与已知区块不符', 'a block differs from the one known at its place', '节点已停止：保留数据，核对各中心区块，立即通知联盟', 'the node has stopped: keep its data, compare blocks with the other centres and alert the consortium at once'],
  PUBLISHER_UNAVAILABLE: [503, '发布方节点暂不可达，未扣次数', "the publisher's node cannot be reached; no use was spent", '请稍后以同一授权重试；持续出现请联系发布中心', 'try again later with the same grant; if it goes on, contact the publishing centre'],
  PEER_UNKNOWN: [403, '对方节点身份不在账本登记', "the other node's identity is not on the ledger", '请核对对方中心登记的节点标识；更换后须登记', 'check the node identity that centre has on the ledger; a changed one has to be registered'],
  EXCHANGE_FAILED: [502, '与另一节点的往来中断或答复无效', 'the exchange with a node broke off, or its answer was invalid', '请确认所连节点已启动（huilian start）、地址正确，稍后重试；reason 为 sign-in 的，请核对接入中心、密钥与成员状态', 'check that the node called is running (huilian start) and its address right, then try again; where the reason is sign-in, check host centre, keys and whether the member is suspended'],
  NOT_FOUND: [404, '没有找到', 'nothing is found here', '请核对地址与标识；也可能不属于您', 'check address and id; it may also not be yours'],
  METHOD_NOT_ALLOWED: [405, '该地址不支持此请求方法', 'the address does not take this method', '请使用 Allow 所列方法；各地址的方法见 /openapi.json', 'use one of the methods in Allow; /openapi.json lists those of every address'],
  ERASED: [410, '数据已按要求删除', 'the data was erased on request', '无法恢复：请勿重试；仍需要时与发布方联系', 'it cannot be recovered: do not retry; if it is still needed, contact the publisher'],
  TOKEN_INVALID: [401, '登录凭据缺失、过期或无效', 'the token or assertion is missing, expired or invalid', '请用成员密钥在接入中心的节点重新登录（POST /v1/token）；读取服务请用其令牌文件中的令牌；仍被拒绝请校准时钟、核对受众地址，并确认成员未被暂停', "sign in again with the member's key at the node of its host centre (POST /v1/token), at the sidecar with the token in its token file; if it is still refused, check the clock, the audience address, and that the member is not suspended"],
  REPLAYED: [401, '该签名已被使用过', 'this signature was used before', '请用新的随机数重新签署，每次只发送一次', 'sign a new one with a new nonce, and send each once'],
  IDEMPOTENCY_MISMATCH: [422, '同一幂等键用于不同内容', 'the Idempotency-Key was used with another body', '重发请用原内容；新的操作请用新的幂等键', 'to repeat a call send the same body; for a new one take a new key'],
  RATE_LIMITED: [429, '请求过于频繁', 'too many calls', '请按 Retry-After 所示时间等待后重试', 'wait for the time in Retry-After, then try again'],
  SIGN_IN_FAILED: [401, '账号或密码不正确', 'the account or the password is not right', '请核对账号与密码（区分大小写）；忘记时请管理员重设', 'check account and password (case counts); an administrator can set a new one'],
  SIGN_IN_LOCKED: [429, '登录失败次数过多，暂不受理', 'too many failed sign-ins: no further one is looked at for now', '请等待详情中 waitSeconds 所示秒数；管理员可用 huilian accounts unlock 解除', 'wait as many seconds as waitSeconds says; an administrator ends it with huilian accounts unlock'],
  SESSION_ENDED: [401, '会话已结束：闲置过久、已到期，或账号有变更', 'the session has ended: unused for too long, over, or the account was changed', '请重新登录后再操作', 'sign in again'],
  CROSS_SITE_REFUSED: [403, '该操作不是由本节点的页面发出', "what changes something must come from this node's own pages", '请在控制台操作；程序请使用令牌，或带上 x-huilian-request 请求头', 'use the console; a program uses a token, or sends the header x-huilian-request'],
  ACCOUNT_DISABLED: [403, '账号已停用', 'the account is disabled', '请联系管理员启用', 'ask an administrator to enable it'],
  ACCOUNT_EXISTS: [409, '账号名已被使用', 'an account of this name exists', '请另选名称；停用账号的名称不会再分配', 'choose another name; that of a disabled account is never given again'],
  ACCOUNT_UNKNOWN: [404, '没有此账号', 'there is no such account', '请用 huilian accounts list 查看账号', 'see the accounts with huilian accounts list'],
  ACCOUNT_OF_DIRECTORY: [409, '该账号由单位统一身份目录管理', "the account is the staff directory's", '角色与密码请在统一身份目录中变更；本节点只能停用它', 'change role and password in the staff directory; here it can only be disabled'],
  DIRECTORY_SIGN_IN_FAILED: [401, '统一身份目录登录未成功', 'the sign-in at the staff directory came to nothing', '请从控制台重新登录；持续出现请管理员查看操作日志，并核对 huilian.json 的 oidc 与目录中的回调地址', 'sign in again from the console; if it goes on, an administrator looks at the audit log and compares oidc in huilian.json with the callback address in the directory'],
  DIRECTORY_UNAVAILABLE: [503, '统一身份目录暂不可达', 'the staff directory cannot be reached', '请稍后重试，或用本地账号登录；请管理员核对 oidc 配置与网络', 'try again later or use a local account; an administrator checks the oidc settings and the network'],
  ROLE_UNMAPPED: [403, '统一身份目录未给予您在本节点的角色', 'the staff directory gives you no role at this node', '请管理员在目录中将您加入 oidc.roles 所列的组', 'ask an administrator to put you into a group that oidc.roles names'],
  PASSWORD_WEAK: [422, '密码不合要求：过短、过于常见或含有账号名', 'the password breaks a rule: too short, too common, or with a name in it', '请用 12 个以上字符、他人猜不到的密码，如几个不相干的词；详情中 reason 指出原因', 'take 12 characters or more that nobody guesses, such as several unrelated words; reason in the details says which rule'],
  AUDIT_CHECKPOINT_INVALID: [422, '检查点不是本节点所签，或不完整', "the checkpoint is not this node's, or not whole", '请使用本节点现行密钥签署的检查点；密钥更换前的检查点不再适用', "use a checkpoint that this node signed with the key it has now; one of before a change of keys serves no more"],
  AUDIT_LOG_BROKEN: [422, '操作日志与其链条或检查点不符', 'the log of administrative acts does not fit its chain or a checkpoint', '详情中 seq 指出自哪一条起、reason 指出如何：保留数据目录与检查点，按手册 accounts 处理', 'seq in the details says from which entry on, reason how: keep the state folder and the checkpoints, and go on as the page accounts says'],
  WEBHOOK_TARGET_FORBIDDEN: [403, '推送地址不允许：不是公网 https 地址', 'the address of the webhook is not allowed: not a public https address', '请改用公网 https 地址，或请运维在配置 webhooks 中允许该网段', 'use a public https address, or have the operator allow its network under webhooks in the configuration'],
  WEBHOOK_TARGET_FAILED: [422, '推送目标没有确认接收', 'the target of the webhook did not take the delivery', '请确认目标在线并以 2xx 答复；节点会按间隔重试', 'see that the target is up and answers 2xx; the node tries again by itself'],
  WEBHOOK_PAUSED: [409, '推送长期失败，已暂停', 'the webhook failed for too long and is paused', '请修复推送目标后恢复推送，将从停下处继续', 'repair the target, then resume the webhook: it goes on where it stopped'],
  TOO_MANY_SUBSCRIBERS: [429, '订阅数已达上限', 'there are too many subscribers', '请关闭不用的订阅或推送后重试', 'close subscriptions or webhooks that are not needed, then try again'],
  CONSUMER_TOO_SLOW: [408, '接收方读取过慢，连接已断开', 'the consumer read too slowly and was cut off', '请以最后收到的事件编号重新连接，不会遗漏', 'connect again with the id of the last event received: nothing is missed'],
  BODY_TOO_LARGE: [413, '请求体超过上限', 'the body exceeds its limit', '请拆分为多个请求；大量记录请用 NDJSON 流', 'split it into several calls; for many records send an NDJSON stream'],
  STREAM_TRUNCATED: [400, '数据流在一行中间中断', 'the stream ended inside a line', '已确认的行已保存，请从详情所示的行继续', 'acknowledged lines are safe; go on from the line in the details'],
  CONFIG_INVALID: [400, '配置无效', 'the configuration is invalid', '请改正详情中 path 所指的项，再运行 huilian config check', 'correct the entry named by path, then run huilian config check'],
  KEYS_MISSING: [500, '密钥文件缺失或损坏', 'a key file is missing or damaged', '新成员请运行 huilian init；已有成员请用 huilian keys import 导入导出的密钥，切勿另造', 'a new member runs huilian init; a member that had keys brings them back with huilian keys import and makes no new ones'],
  KEY_FILE_UNREADABLE: [400, '密钥文件无法打开：口令有误或文件已损坏', 'the key file does not open: the passphrase is wrong or the file damaged', '请核对口令（区分大小写与空格），或使用另一份导出', 'check the passphrase, letter by letter, or take another export'],
  KEY_FILE_NEWER: [400, '密钥文件由更新的软件写成', 'the key file was written by newer software', '请先把本节点升级到写出该文件的版本', 'upgrade this node first, to the version that wrote the file'],
  KEY_COPY_FAILED: [503, '保管库密钥的副本无法写入：不能新增或删除密钥', 'the copy of the vault keys cannot be written, so no key is made or removed', '请恢复 huilian.json 中 vaultKeyCopy 所指的位置（例如重新挂载）后，以原内容原编号重试', 'bring the place named by vaultKeyCopy in huilian.json back, for example mount it, and repeat the same rows or call'],
  KEY_COPY_DIFFERS: [409, '保管库密钥的副本含有密钥文件中没有的密钥', 'the copy of the vault keys holds keys that the key file does not', '密钥文件可能被换成了旧的：请按运维手册“备份与恢复”一节，以副本替换密钥文件；副本属于另一节点的，请改正 vaultKeyCopy', 'the key file may be an old one: put the copy in its place (operations guide, back up and restore); where the copy is of another node, correct vaultKeyCopy'],
  KEY_FILE_OTHER_MEMBER: [409, '密钥属于另一成员', "the keys are another member's", '请核对 --state 与文件：密钥只能导入其所属成员的目录', 'check --state and the file: keys go into the folder of the member they belong to'],
  BACKUP_DAMAGED: [400, '文件不是完整的备份', 'the file is no whole backup', '请换用另一份备份；未写入任何数据。详情中 reason 指出问题', 'take another backup: nothing of this one was written; reason says what is wrong with it'],
  BACKUP_NEWER: [400, '备份由更新的软件写成', 'the backup was written by newer software', '请先安装写出该备份的版本或更新版本，再恢复', 'install the version that wrote it, or a newer one, and restore again'],
  MIRROR_FAILED: [503, '本中心数据库镜像未能跟进', "the mirror in the centre's own database does not follow", '请按 reason 处理：away、denied 恢复数据库或权限后自动继续；other-chain、refused 请执行 huilian mirror rebuild；见 docs/operations/mirror.md', 'see reason: away and denied go on by themselves once database and rights are back; other-chain and refused need huilian mirror rebuild; docs/operations/mirror.md'],
  BACKUP_FAILED: [503, '备份无法写入或读取', 'a backup cannot be written or read', '请检查 file 所在磁盘的空间与权限后重新备份；先前的备份不受影响', 'check space and rights where the file lies and back up again; earlier backups are as they were'],
  STORE_NEWER: [503, '数据由更新的软件写成，本版本不予打开', 'the data was written by newer software and is not opened by this one', '请安装较新版本；要退回旧版本，请恢复升级前自动保存的备份', 'install the newer version again; to go back, restore the backup that was made before the data was changed'],
  STORE_OLDER: [503, '数据仍是旧格式', 'the data is still of an older format', '请先以本版本启动一次节点：将先备份再转换', 'start the node once with this version: it makes a backup and then converts the data'],
  CSV_INVALID: [400, 'CSV 文件无法解析', 'the CSV file cannot be read', '请以 UTF-8 保存、首行为国标字段名、文件以种类命名；详情中 reason 指出原因', 'save it as UTF-8 with the national field names in the first line, and name it after its kind; reason says what is wrong'],
  MAPPING_UNKNOWN: [404, '本节点没有此字段映射', 'this node holds no mapping of this name', '用 huilian mapping list 查看名称，或用 huilian mapping put 放入', 'see the names with huilian mapping list, or put one in with huilian mapping put'],
  SCHEMA_RETIRED: [409, '该种类的此版本已停用，不再接收新记录', 'this version of the kind has ended: no new record is taken under it', '请改用现行版本：huilian catalogue 列出各版本；本方旧记录可用 huilian migrate 转换', 'use the version in force, see huilian catalogue; own records of before are carried over by huilian migrate'],
  MIGRATION_UNKNOWN: [404, '没有经表决通过的此版本转换规则', 'no migration between these versions was adopted', '请用 huilian catalogue 查看已通过的转换；新的转换须先提案表决', 'see the migrations with huilian catalogue; a new one is proposed and voted first'],
  JOIN_UNKNOWN: [404, '没有此加入申请', 'there is no such request to join', '请核对申请编号与受理节点；申请 180 天后清除', 'check the id of the request and the node it was sent to; requests are kept for 180 days'],
  JOIN_CLOSED: [409, '加入申请已有结果', 'the request to join is decided', '请用 huilian join status 查看结果；需要时重新提交申请', 'see the outcome with huilian join status; ask again where that makes sense'],
  DUPLICATE_IN_FILE: [422, '同一文件内自然键重复', 'one natural key appears twice in the file', '请保留其中一行，删除另一行后重新同步', 'keep one of the rows, remove the other, and sync again'],
  ROW_TOO_LONG: [413, '该行超过单行上限', 'the row is longer than a row may be', '请检查该行是否缺少换行或引号，或把附件移出该行；其余行不受影响', 'see whether a line end or a quote is missing there, or move attachments out of the row; other rows are not affected'],
  ROW_UNREADABLE: [422, '该行无法读出：编码与文件不同、引号不成对，或列数与首行不符', 'no row can be made of this line: another encoding than the file, quotes that do not pair, or not as many cells as columns', '请在来源中改正该行后重新同步；其余行不受影响', 'correct the line in the source and sync again; other rows are not affected'],
  SOURCE_UNKNOWN: [404, '没有该数据源', 'there is no such source', '请用 huilian sources 查看已配置的数据源；新的数据源写入 huilian.json 的 sources', 'see the configured ones with huilian sources; a new one goes under sources in huilian.json'],
  SOURCE_UNREADABLE: [422, '数据源无法读取：格式、编码或文件本身有问题', 'the source cannot be read: its format, its encoding or the file itself', '请按详情中 file、line、reason 改正后重新同步；此前的行已保存', 'details name the file, the line and the reason: correct it and sync again; rows before it were taken'],
  SOURCE_CHANGED: [409, '数据源在读取中变了：文件被替换，或列缺失、改名', 'the source changed while it was read: a file was replaced, or a column is missing or has another name', '请等文件写完，或恢复该列（改名的请在映射中说明；数据库在视图或 columns 中更正）后重新同步；已接收的行不会重复', 'let the file be written to its end, or bring the column back (a new name: say it in the mapping, or mend the view or `columns` of a database), and sync again; rows that were taken are not taken twice'],
  SOURCE_UNAVAILABLE: [503, '数据源暂不可达', 'the source cannot be reached', '节点会自动重试，并从停下处继续；持续出现请核对地址、账号权限与密码文件', 'the node tries again by itself and goes on where it stopped; if it goes on, check address, rights of the account and the file of its password'],
  SYNC_RUNNING: [409, '该数据源正在同步', 'a run of this source is under way', '请等它结束，或先停止它（huilian sources stop）', 'wait for its end, or stop it first (huilian sources stop)'],
  SYNC_STOPPED: [422, '被拒绝的行过多，同步已停止', 'too many rows were refused, so the run was stopped', '请查看被拒绝的原因（huilian sources 或死信列表），改正种类、列名或映射后重新同步：将从头读起，已接收的行不会重复', 'see why they were refused (huilian sources, or the dead-letter list), correct kind, columns or mapping, and sync again: it reads from the beginning, and takes nothing twice'],
  INTERNAL: [500, '内部错误', 'internal error', '请以原编号重试一次；仍出现请把时间与代码交运维查日志', 'repeat once with the same id; if it recurs, give the time and the code to operations, who find it in the log'],
} as const satisfies Record<string, Row>;

const clientRows = {
  PAYLOAD_DECRYPT_FAILED: [422, '解密失败：密钥不是本释放的收件方，或密文损坏', 'decryption failed: the key is not the one this was encrypted to, or the ciphertext is damaged', '请用签署请求时登记的加密密钥；否则重新取得释放', 'use the encryption key that was registered when the request was signed, or fetch the release again'],
  WEBHOOK_BAD_SIGNATURE: [401, '推送签名无效或已过期', "the webhook's signature is invalid or too old", '丢弃该请求；核对登记推送时取得的密钥与本机时钟', 'drop the request; compare the secret given at registration, and the clock'],
  WALLET_UNREADABLE: [400, '钱包无法把所签内容完整写成文字，拒绝签名', 'the wallet cannot put all of this into words, so it does not sign', '不要以其他方式签署；请核对请求来源与钱包版本', "do not sign it by other means; check where the request comes from, and the wallet's version"],
  WALLET_DOMAIN_CHANGED: [403, '联盟域与首次使用时记住的不同', "the consortium's domain differs from the one remembered at first use", '请停止签署；向本中心核实章程指纹，可能有人冒充节点', 'stop signing; ask your centre for the charter fingerprint: someone may pretend to be the node'],
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
