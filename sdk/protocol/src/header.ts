import { canonicalize } from './canonical.js';
import { ProtocolError } from './errors.js';
import { digestShape, kindShape, localIdShape, ownerIdShape, saltShape, sealedOwnerShape } from './ids.js';
import { leafHashOfText } from './merkle.js';
import { integer, object, oneOf, optional, text, type Read, type Shape } from './shape.js';

/** What the consortium sees of a record; closed grammars only, never personal data. */
const subjectShape: Shape<string> = text(/|org:[0-9A-HJ-NPQRTUWXY]{18}/, 22);
/** An owner as headers name it: known, or sealed until its opening. */
export const anyOwnerShape: Shape<string> = {
  schema: { anyOf: [ownerIdShape.schema, sealedOwnerShape.schema] },
  read: (value, path = ''): string =>
    typeof value === 'string' && value.startsWith('sealed:') ? sealedOwnerShape.read(value, path) : ownerIdShape.read(value, path),
};

export const headerShape = object({
  /** SHA-256 of the ASCII payload segment of the SD-JWT VC, hex. */
  digest: digestShape,
  kind: kindShape,
  localId: localIdShape,
  /** Present exactly when rights is `owner`; `sealed:…` for a sealed record. */
  owner: optional(anyOwnerShape),
  rights: oneOf('owner', 'publisher', 'public'),
  /** Only in the version that opens a sealed record: the salt of its commitment, hex. */
  salt: optional(saltShape),
  /** Version of the kind's schema; 0 for a sealed record. */
  schema: integer(0, 9999),
  status: oneOf('active', 'revoked'),
  /** `org:<USCC>`, or empty for a project, a fact about a natural person, or a sealed record. */
  subject: subjectShape,
  version: integer(1, 1_000_000),
});
export type Header = Read<typeof headerShape>;

/** Reads a header and checks how its fields fit together. @throws HEADER_INVALID {reason}, BAD_FIELD, UNKNOWN_FIELD, BAD_ID */
export function readHeader(value: unknown, path = ''): Header {
  const header = headerShape.read(value, path);
  if (header.subject !== '' && header.subject !== header.owner) ownerIdShape.read(header.subject, `${path}/subject`);
  const reason = headerFault(header);
  if (reason !== undefined) throw new ProtocolError('HEADER_INVALID', { path, reason });
  return header;
}

function headerFault(header: Header): string | undefined {
  if ((header.rights === 'owner') !== (header.owner !== undefined)) return 'owner-and-rights';
  if (header.status === 'revoked' && header.version === 1) return 'revoked-first-version';
  if (header.salt !== undefined && header.version === 1) return 'salt-without-opening';
  return header.kind === 'sealed' ? sealedFault(header) : openFault(header);
}

function sealedFault(header: Header): string | undefined {
  if (header.subject !== '' || header.schema !== 0) return 'sealed-fields';
  return header.owner?.startsWith('sealed:') === true && header.salt === undefined ? undefined : 'sealed-owner';
}

function openFault(header: Header): string | undefined {
  if (header.schema === 0) return 'schema';
  return header.owner?.startsWith('sealed:') === true ? 'owner' : undefined;
}

/** Leaf of the batch tree: RFC 6962 leaf hash of the header's canonical bytes. */
export function headerLeaf(header: Header): Uint8Array {
  return leafHashOfText(canonicalize(header));
}

/** Two headers are the same exactly when their canonical texts are. */
export function sameHeader(left: Header, right: Header): boolean {
  return canonicalize(left) === canonicalize(right);
}
