import { ProtocolError } from './errors.js';
import { documentDigest } from './hash.js';
import { bytes32Shape, digestShape, memberIdShape, ownerIdShape, ownerKeyShape, timeShape } from './ids.js';
import { checkJwsHeader, es256KeyShape, parseJws, signJws, verifyEs256, x25519KeyShape, type Es256Sign } from './jws.js';
import { limits } from './limits.js';
import { anyObject, integer, list, object, oneOf, optional, prose, text, type Read } from './shape.js';

/** Governance: the charter, members, proposals and votes; and what an owner states when it registers a key. */

export const memberKinds = ['centre', 'institution', 'platform', 'supervisor'] as const;
export type MemberKind = (typeof memberKinds)[number];

const titleShape = object({ en: prose(120), zh: prose(60) });
const mspIdShape = text(/[A-Za-z][A-Za-z0-9.-]{0,63}/, 64);
const pemShape = text(/-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,76}\n)+-----END CERTIFICATE-----\n?/, 8192);

/** What admission fixes of a member. `contact` is a page or a switchboard, never a person. */
export const memberDocumentShape = object({
  /** libp2p multiaddrs of the node (centres only), without the peer id. */
  addresses: list(text(/\/(?:ip4|ip6|dns4|dns6|dns)\/[^\s/]+\/tcp\/[0-9]{1,5}/, 200), 0, 8),
  contact: text(/https?:\/\/[\x21-\x7e]{1,180}|tel:\+?[0-9-]{3,20}/, 200),
  encryptionKey: x25519KeyShape,
  /** Member id of the centre that serves this member; absent for centres. */
  host: optional(memberIdShape),
  id: memberIdShape,
  kind: oneOf(...memberKinds),
  name: titleShape,
  /** MSP id of the member's own organisation, or of its host's. */
  organisation: mspIdShape,
  /** libp2p peer id of the node (centres only). */
  peerId: optional(text(/[1-9A-HJ-NP-Za-km-z]{46,60}/, 60)),
  region: text(/[0-9]{6}/, 6),
  signingKey: es256KeyShape,
});
export type MemberDocument = Read<typeof memberDocumentShape>;

/** @throws BAD_FIELD, UNKNOWN_FIELD */
export function readMemberDocument(value: unknown, path = ''): MemberDocument {
  const member = memberDocumentShape.read(value, path);
  const centre = member.kind === 'centre';
  if (centre !== (member.host === undefined) || centre !== (member.peerId !== undefined) || centre === (member.addresses.length === 0)) {
    throw new ProtocolError('BAD_FIELD', { path, reason: 'centre-fields' });
  }
  return member;
}

/** The founding document: its canonical SHA-256 is the charter's fingerprint, from which evidence is verified offline. */
export const charterShape = object({
  chaincode: text(/[a-z][a-z0-9-]{0,31}/, 32),
  channel: text(/[a-z][a-z0-9.-]{0,63}/, 64),
  /** Founding centres with the CA certificate that their endorsing peers' certificates chain to. */
  founders: list(object({ caCertificate: pemShape, member: memberDocumentShape }), 1, 32),
  name: titleShape,
  values: object({ offerSeconds: integer(5, limits.offerSeconds), ticketSeconds: integer(60, 86_400) }),
});
export type Charter = Read<typeof charterShape>;

/** @throws BAD_FIELD, UNKNOWN_FIELD */
export function readCharter(value: unknown): Charter {
  const charter = charterShape.read(value);
  charter.founders.forEach(({ member }, index) => {
    if (readMemberDocument(member, `/founders/${String(index)}/member`).kind !== 'centre') {
      throw new ProtocolError('BAD_FIELD', { path: `/founders/${String(index)}/member/kind`, reason: 'not-a-centre' });
    }
  });
  const ids = new Set(charter.founders.map(({ member }) => member.id));
  const organisations = new Set(charter.founders.map(({ member }) => member.organisation));
  if (ids.size !== charter.founders.length || organisations.size !== charter.founders.length) {
    throw new ProtocolError('BAD_FIELD', { path: '/founders', reason: 'duplicate' });
  }
  return charter;
}

/** `governance.found`: the whole charter and which founder is calling. */
export const foundArgumentShape = object({ charter: charterShape, founder: memberIdShape });

export const trustedCaShape = object({
  certificate: pemShape,
  effective: optional(timeShape),
  name: titleShape,
  retires: optional(timeShape),
  /** OIDs whose certificate extension carries the USCC, tried in order before the subject (domain rule, configurable). */
  usccOids: list(text(/[0-2](?:\.(?:0|[1-9][0-9]{0,9})){2,20}/, 100), 1, 8),
});
export type TrustedCaDocument = Read<typeof trustedCaShape>;

/**
 * From when on and until when an adopted document is in force, Unix seconds. Without `effective` it is from the moment it was
 * adopted, without `retires` until a vote ends it.
 */
const termFields = { effective: optional(timeShape), retires: optional(timeShape) };
const documentNameShape = text(/[a-z][a-z0-9-]{1,40}/, 41);

/** What a vote adopts documents of, and later retires. */
export const retirable = ['ca', 'code-set', 'rule-set', 'schema'] as const;
export type Retirable = (typeof retirable)[number];

/** Kinds of proposal and the content of each. */
export const proposalContents = {
  admit: object({ caCertificate: optional(pemShape), member: memberDocumentShape }),
  suspend: object({ member: memberIdShape }),
  'publish-schema': object({ document: anyObject(), ...termFields }),
  'trust-ca': trustedCaShape,
  'code-set': object({ document: anyObject(), name: documentNameShape, version: integer(1, 9999), ...termFields }),
  'rule-set': object({ document: anyObject(), name: documentNameShape, version: integer(1, 9999), ...termFields }),
  /** How records of one version of a kind become records of a later one: see kinds/migration.ts. */
  migration: object({ document: anyObject() }),
  /** Ends an adopted document at a time, or at once where that has passed. `id` is a kind, a name, or a CA's fingerprint. */
  retire: object({ id: text(/[a-z0-9][a-z0-9-]{0,63}/, 64), of: oneOf(...retirable), retires: timeShape, version: optional(integer(1, 9999)) }),
} as const;
export type ProposalAction = keyof typeof proposalContents;
export const proposalActions = Object.keys(proposalContents) as readonly ProposalAction[];

/** `governance.propose`; `round` lets the same content be proposed again after a rejection. */
export const proposeArgumentShape = object({ action: oneOf(...proposalActions), content: anyObject(), round: integer(1, 1000) });
export type ProposeArgument = Read<typeof proposeArgumentShape>;
export const approveArgumentShape = object({ proposal: digestShape });

/** Why a centre votes against something: the ledger has codes only, words are for people to write each other. */
export const rejectionReasons = {
  'content-wrong': { zh: '内容有误，请更正后重新提出', en: 'the content is wrong; correct it and propose again' },
  'credit-record': { zh: '信用记录不符合要求', en: 'the credit record does not meet the requirements' },
  'documents-incomplete': { zh: '申请材料不齐', en: 'the documents are incomplete' },
  'host-unavailable': { zh: '接入中心暂不能提供接入', en: 'the hosting centre cannot serve another member now' },
  'identity-unverified': { zh: '身份或密钥未能核实', en: 'identity or keys could not be verified' },
  'not-agreed': { zh: '成员未达成一致', en: 'the members do not agree' },
  'not-qualified': { zh: '不具备加入资格', en: 'the applicant is not qualified to join' },
  'superseded': { zh: '已有更新的提案', en: 'a newer proposal takes its place' },
  'technical': { zh: '技术条件不满足', en: 'technical requirements are not met' },
  'term': { zh: '生效或停用时间不合适', en: 'the dates of effect or retirement do not fit' },
} as const;
/** Why a vote ends a proposal against it, as the one who proposed reads it. */
export type RejectionReason = keyof typeof rejectionReasons;
export const rejectionReasonShape = oneOf(...(Object.keys(rejectionReasons) as RejectionReason[]));
export const rejectArgumentShape = object({ proposal: digestShape, reason: optional(rejectionReasonShape) });

/** Id of a proposal: SHA-256 of its canonical content, so everyone votes on the same bytes. */
export function proposalId(proposal: ProposeArgument): string {
  return documentDigest({ action: proposal.action, content: proposal.content, round: proposal.round });
}

/** `governance.rotateMemberKeys`: JWS of the member's old key (typ huilian-rotation+jwt) over this payload. */
export const memberRotationShape = object({
  encryptionKey: x25519KeyShape,
  expires: timeShape,
  member: memberIdShape,
  salt: bytes32Shape,
  signingKey: es256KeyShape,
});
export const rotateMemberKeysArgumentShape = object({ rotation: text(/[A-Za-z0-9_.-]+/, limits.argumentBytes) });

/**
 * What an applicant asks to be admitted with: its member document, and for a centre the CA of its peers, signed by the key that
 * the document names (JWS, typ huilian-join+jwt, kid the member). Its id is SHA-256 of the canonical payload.
 */
export const joinRequestShape = object({ caCertificate: optional(pemShape), document: memberDocumentShape, expires: timeShape, nonce: bytes32Shape, salt: bytes32Shape });
export interface JoinRequest {
  readonly id: string;
  readonly document: MemberDocument;
  readonly caCertificate?: string;
  /** Unix seconds: until then it is taken in. */
  readonly expires: number;
}
const joinType = 'huilian-join+jwt';

/** @throws BAD_FIELD, UNKNOWN_FIELD */
export async function signJoinRequest(request: Read<typeof joinRequestShape>, sign: Es256Sign): Promise<string> {
  return await signJws({ alg: 'ES256', kid: request.document.id, typ: joinType }, joinRequestShape.read(request), sign);
}

/** Reads a request to join the consortium of a domain. @throws BAD_FIELD, UNKNOWN_FIELD, GRANT_WRONG_DOMAIN, STATEMENT_BAD_SIGNATURE */
export function readJoinRequest(jws: string, salt: string): JoinRequest {
  const parsed = parseJws(jws, 'BAD_FIELD');
  const kid = checkJwsHeader(parsed, joinType, 'BAD_FIELD');
  const { caCertificate, expires, ...request } = joinRequestShape.read(parsed.payload);
  const document = readMemberDocument(request.document, '/document');
  if (kid !== document.id) throw new ProtocolError('BAD_FIELD', { path: '/kid', reason: 'other-member' });
  if ((document.kind === 'centre') !== (caCertificate !== undefined)) throw new ProtocolError('BAD_FIELD', { path: '/caCertificate', reason: 'centres-only' });
  if (request.salt !== salt) throw new ProtocolError('GRANT_WRONG_DOMAIN');
  if (!verifyEs256(document.signingKey, parsed.signingInput, parsed.signature)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE', { member: document.id });
  return { id: documentDigest(parsed.payload), document, expires, ...(caCertificate === undefined ? {} : { caCertificate }) };
}

/** What the holder of an entity's certificate states: this is the owner's key. Signed over its canonical bytes. */
export const registrationStatementShape = object({ expires: timeShape, key: ownerKeyShape, owner: ownerIdShape, salt: bytes32Shape });
export type RegistrationStatement = Read<typeof registrationStatementShape>;
/** ECDSA P-256 in DER, or RSA PKCS#1 v1.5, both with SHA-256; base64url. */
export const signedStatementShape = object({
  algorithm: oneOf('ecdsa-sha256', 'rsa-sha256'),
  signature: text(/[A-Za-z0-9_-]{40,1400}/, 1400),
  statement: registrationStatementShape,
});
export type SignedStatement = Read<typeof signedStatementShape>;
/**
 * Name of the transient field that carries the certificate chain: canonical JSON array of base64 DER, leaf first, then its
 * intermediates upwards (at most 3), then the voted CA's own certificate or nothing.
 */
export const certificateTransientField = 'certificate';
