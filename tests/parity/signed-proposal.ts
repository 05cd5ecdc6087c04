import { createHash, createPrivateKey } from 'node:crypto';
import { signers, type Signer } from '@hyperledger/fabric-gateway';
import { common, msp, peer } from '@hyperledger/fabric-protos';
import { Wire } from './wire-fields.js';
import type { Call } from './call-writer.js';
import type { Delivery, envelopeChanges } from './schedule.js';

export interface Identity {
  readonly mspId: string;
  readonly certificate: string;
  /** PKCS#8 PEM */
  readonly key: string;
}

/** A proposal as it goes to every engine: the same bytes, so the same transaction id. */
export interface SignedProposal {
  readonly transactionId: string;
  readonly nonce: Uint8Array;
  readonly channel: string;
  /** peer.SignedProposal */
  readonly bytes: Uint8Array;
  /** Organisations asked to endorse; none leaves it to the gateway. */
  readonly organisations: readonly string[];
}

/** An envelope ready to be ordered. */
export interface SignedTransaction {
  readonly transactionId: string;
  readonly channel: string;
  /** common.Envelope */
  readonly bytes: Uint8Array;
}

const signersByKey = new Map<string, Signer>();

async function sign(key: string, message: Uint8Array): Promise<Uint8Array> {
  const signer = signersByKey.get(key) ?? signers.newPrivateKeySigner(createPrivateKey(key));
  signersByKey.set(key, signer);
  return await signer(createHash('sha256').update(message).digest());
}

function identityBytes({ certificate, mspId }: Identity): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(certificate));
  return identity.serializeBinary();
}

function transactionIdOf(nonce: Uint8Array, identity: Identity): string {
  return createHash('sha256').update(nonce).update(identityBytes(identity)).digest('hex');
}

const shifts: Readonly<Record<string, number>> = { 'hour ago': -3600, 'hour ahead': 3600, 'two minutes ago': -120 };

function timestamp(delivery: Delivery): Uint8Array {
  const milliseconds = Date.now() + (shifts[delivery.dated ?? ''] ?? 0) * 1000;
  return Wire.message().uint(1, Math.floor(milliseconds / 1000)).uint(2, (milliseconds % 1000) * 1_000_000).bytes();
}

function channelHeader(call: Call, channel: string, transactionId: string, delivery: Delivery): Uint8Array {
  const { fault } = delivery;
  const chaincode = new peer.ChaincodeID();
  chaincode.setName(fault === 'header chaincode' ? 'another' : fault === 'chaincode' ? 'nothing' : call.chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(chaincode);
  const header = Wire.message().uint(1, fault === 'type' ? common.HeaderType.CONFIG_UPDATE : common.HeaderType.ENDORSER_TRANSACTION);
  if (delivery.dated !== 'none') header.field(3, timestamp(delivery));
  header.text(4, fault === 'channel' ? 'elsewhere' : channel).text(5, fault === 'transaction id' ? 'ab'.repeat(32) : transactionId);
  if (fault === 'epoch') header.uint(6, 1);
  return header.field(7, extension.serializeBinary()).bytes();
}

function proposalPayload(call: Call, delivery: Delivery): Uint8Array {
  const chaincode = new peer.ChaincodeID();
  chaincode.setName(delivery.fault === 'chaincode' ? 'nothing' : call.chaincode);
  const input = new peer.ChaincodeInput();
  input.setArgsList([Buffer.from(call.function), ...call.args]);
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.NODE);
  spec.setChaincodeId(chaincode);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  for (const [field, value] of Object.entries(call.transient)) payload.getTransientmapMap().set(field, value);
  return payload.serializeBinary();
}

/** Builds and signs a proposal. */
export async function signProposal(call: Call, channel: string, identity: Identity, nonce: Uint8Array, delivery: Delivery = {}, signingKey = identity.key): Promise<SignedProposal> {
  const transactionId = transactionIdOf(delivery.fault === 'no nonce' ? Buffer.alloc(0) : nonce, identity);
  const signature = Wire.message();
  if (delivery.fault !== 'no creator') signature.field(1, identityBytes(identity));
  if (delivery.fault !== 'no nonce') signature.field(2, nonce);
  const header = Wire.message().field(1, channelHeader(call, channel, transactionId, delivery)).field(2, signature.bytes()).bytes();
  const proposal = new peer.Proposal();
  proposal.setHeader(delivery.fault === 'garbage' ? Buffer.from('no header') : header);
  proposal.setPayload(proposalPayload(call, delivery));
  const proposalBytes = proposal.serializeBinary();
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposalBytes);
  signed.setSignature(await sign(signingKey, proposalBytes));
  return { transactionId, nonce, channel: delivery.fault === 'channel' ? 'elsewhere' : channel, bytes: signed.serializeBinary(), organisations: delivery.organisations ?? [] };
}

/** Parts of an envelope that a change may touch. */
interface Parts {
  channelHeader: Uint8Array;
  signatureHeader: Uint8Array;
  proposalPayload: Uint8Array;
  responsePayload: Uint8Array;
  endorsements: Uint8Array[];
  actionHeader: Uint8Array;
}

function takeApart(payload: Uint8Array): Parts {
  const header = new Wire(payload).message(1);
  const action = new Wire(payload).message(2).message(1);
  const body = action.message(2);
  const endorsed = body.message(2);
  return {
    channelHeader: header.get(1),
    signatureHeader: header.get(2),
    actionHeader: action.get(1),
    proposalPayload: body.get(1),
    responsePayload: endorsed.get(1),
    endorsements: endorsed.all(2),
  };
}

function putTogether(parts: Parts): Uint8Array {
  const endorsed = Wire.message().field(1, parts.responsePayload);
  for (const endorsement of parts.endorsements) endorsed.field(2, endorsement);
  const body = Wire.message().field(1, parts.proposalPayload).field(2, endorsed.bytes()).bytes();
  const action = Wire.message().field(1, parts.actionHeader).field(2, body).bytes();
  const header = Wire.message().field(1, parts.channelHeader).field(2, parts.signatureHeader).bytes();
  return Wire.message().field(1, header).field(2, Wire.message().field(1, action).bytes()).bytes();
}

/** ProposalResponsePayload.extension is a ChaincodeAction: results 1, events 2, response 3, chaincode 4. */
function changeAction(parts: Parts, field: number, bytes: Uint8Array): void {
  const payload = new Wire(parts.responsePayload);
  parts.responsePayload = payload.with(2, payload.message(2).with(field, bytes)).slice();
}

type EnvelopeChange = (typeof envelopeChanges)[number];
type PartsChange = (parts: Parts, identity: Identity) => void;

async function clientEndorsement(parts: Parts, identity: Identity): Promise<Uint8Array> {
  const endorser = identityBytes(identity);
  const signature = await sign(identity.key, Buffer.concat([parts.responsePayload, endorser]));
  return Wire.message().field(1, endorser).field(2, signature).bytes();
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
  return copy;
}

const changes: Readonly<Partial<Record<EnvelopeChange, PartsChange>>> = {
  'one endorsement': (parts) => { parts.endorsements.splice(1); },
  'no endorsement': (parts) => { parts.endorsements.splice(0); },
  'endorsement twice': (parts) => { parts.endorsements.splice(1, parts.endorsements.length, ...parts.endorsements.slice(0, 1)); },
  'broken endorsement': (parts) => {
    const endorsement = new Wire(parts.endorsements[0] ?? Buffer.alloc(0));
    parts.endorsements.splice(2);
    parts.endorsements[0] = endorsement.with(2, flipped(endorsement.get(2)));
  },
  'changed write': (parts) => { changeAction(parts, 1, changedWrites(new Wire(parts.responsePayload).message(2).get(1))); },
  'changed response': (parts) => { changeAction(parts, 3, Wire.message().uint(1, 200).text(3, 'another').bytes()); },
  'changed event': (parts) => { changeAction(parts, 2, Wire.message().text(1, 'probe').text(2, 'ab'.repeat(32)).text(3, 'another').bytes()); },
  'changed chaincode': (parts) => { changeAction(parts, 4, Wire.message().text(2, 'another').text(3, '1').bytes()); },
  'changed arguments': (parts) => {
    const payload = new Wire(parts.proposalPayload);
    parts.proposalPayload = payload.with(1, Buffer.concat([payload.get(1), Wire.message().text(9, 'x').bytes()]));
  },
  'changed transaction id': (parts) => { parts.channelHeader = new Wire(parts.channelHeader).with(5, Buffer.from(createHash('sha256').update(parts.channelHeader).digest('hex'))); },
  'changed nonce': (parts) => { parts.signatureHeader = new Wire(parts.signatureHeader).with(2, Buffer.from('another nonce of 24 byte')); },
  'another channel': (parts) => { parts.channelHeader = new Wire(parts.channelHeader).with(4, Buffer.from('elsewhere')); },
  epoch: (parts) => { parts.channelHeader = Buffer.concat([parts.channelHeader, Wire.message().uint(6, 1).bytes()]); },
  'dated anew': (parts) => { parts.channelHeader = new Wire(parts.channelHeader).with(3, Wire.message().uint(1, 1_700_000_000).bytes()); },
  'garbage payload': (parts) => { parts.responsePayload = Buffer.from('no payload'); },
  'garbage action': (parts) => { parts.actionHeader = Buffer.from('no header'); },
};

/** A key-value write of the set gets another value. */
function changedWrites(results: Uint8Array): Uint8Array {
  const set = Buffer.from(results);
  set[set.length - 1] = (set[set.length - 1] ?? 0) ^ 1;
  return set;
}

/** The transaction as it is submitted: the payload that an engine endorsed, changed if asked, signed by its creator. */
export async function signTransaction(endorsed: Uint8Array, identity: Identity, stranger: Identity, change?: EnvelopeChange): Promise<SignedTransaction> {
  const parts = takeApart(endorsed);
  if (change === 'endorsed by a client') parts.endorsements.splice(1, parts.endorsements.length, await clientEndorsement(parts, stranger));
  else if (change !== undefined) changes[change]?.(parts, identity);
  const payload = putTogether(parts);
  const key = change === 'signed with another key' ? stranger.key : identity.key;
  const signature = change === 'unsigned' ? Buffer.from('no signature') : await sign(key, payload);
  const envelope = new common.Envelope();
  envelope.setPayload(payload);
  envelope.setSignature(signature);
  const header = new Wire(parts.channelHeader);
  return { transactionId: Buffer.from(header.get(5)).toString(), channel: Buffer.from(header.get(4)).toString(), bytes: envelope.serializeBinary() };
}
