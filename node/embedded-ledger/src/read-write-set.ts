import { message, repeated, WireMessage, type Rope } from './wire.js';

/** Where a value was written: block number and position of the transaction in it. */
export interface Version {
  readonly block: number;
  readonly transaction: number;
}

/** A key that was read, and the version found; undefined where the key was absent. */
export interface StateRead {
  readonly key: string;
  readonly version: Version | undefined;
}

/** A key that is written; value undefined deletes it. */
export interface StateWrite {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** A range that was scanned. Not exhausted: `endKey` is the last key seen and belongs to the range. */
export interface RangeRead {
  readonly startKey: string;
  readonly endKey: string;
  readonly exhausted: boolean;
  readonly reads: readonly StateRead[];
  /** The peer recorded Merkle hashes in place of the reads (real Fabric, long scans). */
  readonly hashed: boolean;
}

/** What a transaction read and wrote in one namespace (a chaincode's name). */
export interface NamespaceReadWrites {
  readonly namespace: string;
  readonly reads: readonly StateRead[];
  readonly ranges: readonly RangeRead[];
  readonly writes: readonly StateWrite[];
  /** Private-data hashes or state-based endorsement are present, which this module does not read. */
  readonly hasOther: boolean;
}

function versionMessage(version: Version | undefined): Rope | undefined {
  return version && message([1, version.block], [2, version.transaction]);
}

/** KVRead. A version of block 0, transaction 0 cannot occur: block 0 holds the configuration and writes no state. */
function readMessage({ key, version }: StateRead): Rope {
  return message([1, key], [2, versionMessage(version)]);
}

function rangeMessage({ startKey, endKey, exhausted, reads }: RangeRead): Rope {
  const rawReads = message(...repeated(1, reads.map(readMessage)));
  return message([1, startKey], [2, endKey], [3, exhausted], ...repeated(4, [rawReads]));
}

function writeMessage({ key, value }: StateWrite): Rope {
  return message([1, key], [2, value === undefined], [3, value]);
}

/** rwset.TxReadWriteSet with one namespace; none at all where nothing was read or written, as Fabric does. */
export function encodeReadWriteSet(set: NamespaceReadWrites): Uint8Array {
  const body = message(
    ...repeated(1, set.reads.map(readMessage)),
    ...repeated(2, set.ranges.map(rangeMessage)),
    ...repeated(3, set.writes.map(writeMessage)),
  );
  if (body.length === 0) return new Uint8Array(0);
  return message(...repeated(2, [message([1, set.namespace], [2, body])])).toBytes();
}

function decodeRead(read: WireMessage): StateRead {
  if (!read.has(2)) return { key: read.text(1), version: undefined };
  const version = read.message(2);
  return { key: read.text(1), version: { block: version.uint(1), transaction: version.uint(2) } };
}

function decodeRange(range: WireMessage): RangeRead {
  return {
    startKey: range.text(1),
    endKey: range.text(2),
    exhausted: range.uint(3) === 1,
    reads: range.message(4).messages(1).map(decodeRead),
    hashed: range.has(5),
  };
}

function decodeWrite(write: WireMessage): StateWrite {
  const value = write.bytes(3);
  return { key: write.text(1), value: write.uint(2) === 1 || value.length === 0 ? undefined : value };
}

/** @throws MalformedMessageError */
export function decodeReadWriteSet(bytes: Uint8Array): NamespaceReadWrites[] {
  return new WireMessage(bytes).messages(2).map((namespace) => {
    const body = new WireMessage(namespace.bytes(2));
    return {
      namespace: namespace.text(1),
      reads: body.messages(1).map(decodeRead),
      ranges: body.messages(2).map(decodeRange),
      writes: body.messages(3).map(decodeWrite),
      hasOther: namespace.has(3) || body.has(4),
    };
  });
}
