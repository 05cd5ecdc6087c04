import type { Header } from '@huilian/protocol';
import type { Dictionary } from './dictionary.js';
import { rightsClasses } from './record-columns.js';

/** Rows of one length in a place that survives nothing: read by their number, in microseconds. */
export interface RowFile {
  /** Writes rows behind each other from a number on. */
  write(row: number, bytes: Uint8Array): void;
  /** Fills the whole buffer with a row. */
  read(row: number, into: Uint8Array): void;
  close(): void;
}

/**
 * A header in 112 bytes: 1 flags | 1 rights | 2 kind | 2 schema | 2 nothing | 4 version | 32 digest | 26 local id | 18 subject | 18 owner | 6 nothing.
 * Kinds are codes of the columns, organisations their USCC. The few that do not fit (sealed owners, the salt of an opening) say so.
 */
export const headerRowBytes = 112;

const [fits, isRevoked, hasSubject, hasOwner] = [1, 2, 4, 8];
const at = { rights: 1, kind: 2, schema: 4, version: 8, digest: 12, localId: 44, subject: 70, owner: 88 } as const;
const ends = { digest: 44, localId: 70, subject: 88, owner: 106 } as const;
const [organisationLength, digestLength, localIdLength] = [22, 64, 26];

/** Writes a header, which the ledger has checked, into a row at an offset; one that does not fit leaves it marked as such. */
function encodeHeader(header: Header, kind: number, rows: Buffer, offset: number): void {
  const { digest, localId, owner, rights, salt, schema, status, subject, version } = header;
  rows[offset] = 0;
  const isPlain = salt === undefined && digest.length === digestLength && localId.length === localIdLength;
  if (!isPlain || !isOrganisation(owner ?? '') || !isOrganisation(subject)) return;
  rows[offset] = fits | (status === 'revoked' ? isRevoked : 0) | (subject === '' ? 0 : hasSubject) | (owner === undefined ? 0 : hasOwner);
  rows[offset + at.rights] = rightsClasses.indexOf(rights);
  rows.writeUInt16LE(kind, offset + at.kind);
  rows.writeUInt16LE(schema, offset + at.schema);
  rows.writeUInt32LE(version, offset + at.version);
  rows.write(digest, offset + at.digest, 'hex');
  rows.write(localId, offset + at.localId, 'latin1');
  if (subject !== '') rows.write(subject.slice(4), offset + at.subject, 'latin1');
  if (owner !== undefined) rows.write(owner.slice(4), offset + at.owner, 'latin1');
}

/** Of an organisation, or of none: a sealed owner is longer. */
function isOrganisation(id: string): boolean {
  return id === '' || id.length === organisationLength;
}

/** The header in a row; undefined where it did not fit. */
export function decodeHeader(row: Buffer, kinds: Dictionary): Header | undefined {
  const flags = row[0] ?? 0;
  if ((flags & fits) === 0) return undefined;
  const subject = (flags & hasSubject) === 0 ? '' : `org:${row.toString('latin1', at.subject, ends.subject)}`;
  return {
    digest: row.toString('hex', at.digest, ends.digest),
    kind: kinds.text(row.readUInt16LE(at.kind)),
    localId: row.toString('latin1', at.localId, ends.localId),
    ...((flags & hasOwner) === 0 ? {} : { owner: `org:${row.toString('latin1', at.owner, ends.owner)}` }),
    rights: rightsClasses[row[at.rights] ?? 0] ?? 'owner',
    schema: row.readUInt16LE(at.schema),
    status: (flags & isRevoked) === 0 ? 'active' : 'revoked',
    subject,
    version: row.readUInt32LE(at.version),
  };
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const codes = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, letters.indexOf(String.fromCharCode(code))));

/** 30 bits of a local id, which is random by nature. */
export function hashOfLocalId(localId: string): number {
  let hash = 0;
  for (let position = 0; position < 6; position += 1) hash = (hash << 5) | (codes[localId.charCodeAt(position)] ?? 0);
  return hash;
}

/** Headers on their way to be rows, encoded as they come. */
export class WaitingHeaders {
  private buffer = Buffer.alloc(64 * headerRowBytes);
  public readonly hashes: number[] = [];
  public readonly parties: Pick<Header, 'owner' | 'subject'>[] = [];

  public get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.hashes.length * headerRowBytes);
  }

  public add(header: Header, kind: number): void {
    const from = this.hashes.length * headerRowBytes;
    if (from + headerRowBytes > this.buffer.length) this.buffer = Buffer.concat([this.buffer, Buffer.alloc(this.buffer.length)]);
    encodeHeader(header, kind, this.buffer, from);
    this.hashes.push(hashOfLocalId(header.localId));
    this.parties.push(header.owner === undefined ? { subject: header.subject } : { owner: header.owner, subject: header.subject });
  }

  public clear(): void {
    this.hashes.length = 0;
    this.parties.length = 0;
  }
}
