import type { ChaincodeStub } from 'fabric-shim-api';
import { fromUtf8, ProtocolError } from '@huilian/protocol';

// As fabric-shim decodes the signed proposal; its typings differ from what it answers.
interface DecodedProposal {
  readonly proposal?: { readonly header?: { readonly channelHeader?: { getExtension_asU8(): Uint8Array } } };
}

// peer.ChaincodeHeaderExtension.chaincode_id and peer.ChaincodeID.name.
const chaincodeIdField = 2;
const nameField = 2;

/**
 * Name of the chaincode that the signed proposal calls. Where another chaincode calls in, the proposal is still the one
 * its client signed and names that other one; rules compare it with the charter's. @throws FORBIDDEN_CALLER where there is
 * no proposal to read
 */
export function calledChaincode(stub: ChaincodeStub): string {
  const decoded = stub.getSignedProposal() as unknown as DecodedProposal | undefined;
  const extension = decoded?.proposal?.header?.channelHeader?.getExtension_asU8();
  const id = extension && lengthDelimited(extension, chaincodeIdField);
  const name = id && lengthDelimited(id, nameField);
  if (name === undefined) throw new ProtocolError('FORBIDDEN_CALLER', { reason: 'no-proposal' });
  return fromUtf8(name);
}

/** The last length-delimited field of a number in a protobuf message that has no fields of other wire types. */
function lengthDelimited(message: Uint8Array, field: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const length = readVarint(message, tag.next);
    const end = length.next + length.value;
    if ((tag.value & 7) !== 2 || end > message.length) return undefined;
    if (tag.value >> 3 === field) found = message.subarray(length.next, end);
    at = end;
  }
  return found;
}

function readVarint(message: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let at = from;
  // 28 bits: more than any message a peer accepts is long.
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = message[at] ?? 0;
    at += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at };
  }
  return { value: Number.MAX_SAFE_INTEGER, next: at };
}
