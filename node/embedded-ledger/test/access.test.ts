import { createHash, createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { common, gateway as gatewayProtos, msp, orderer, peer } from '@hyperledger/fabric-protos';
import { signers, type GatewayError } from '@hyperledger/fabric-gateway';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueIdentity, startLedger, type Ledger } from '../src/index.js';
import { Notes } from './contracts.js';
import { Place, text, type Client, type Person } from './fixture.js';

const DAY = 24 * 3_600_000;

let place: Place;
let strangers: string;
let ledger: Ledger;
let river: Client;
let shift = 0;
const people = new Map<string, Person>();

/** Identities that must be refused everywhere, and why. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'unknown issuer': /not issued by the authority/,
  'unknown organisation': /is unknown/,
  expired: /has expired/,
  'not yet valid': /not yet valid/,
  'wrong MSP': /not issued by the authority/,
  'missing role': /states no role/,
  'two roles': /more than one role/,
  'signed with another key': /signature over the request is not valid/,
};

beforeAll(async () => {
  place = await Place.make();
  ledger = await place.start({ clock: () => new Date(Date.now() + shift) });
  river = await place.client(ledger);
  strangers = await mkdtemp(join(tmpdir(), 'embedded-ledger-strangers-'));
  const elsewhere = await startLedger({ dir: strangers, chaincodes: { notes: { contracts: [Notes] } }, organisations: [{ mspId: 'RiverMSP', name: 'Another of that name' }, { mspId: 'FarMSP', name: 'Far' }] });
  await elsewhere.close();
  const now = Date.now();
  const issue = async (name: string, mspId: string, request: Partial<Parameters<typeof issueIdentity>[2]>): Promise<void> => {
    people.set(name, await place.issue(mspId, { name: name.replaceAll(' ', '-'), role: 'client', ...request }));
  };
  people.set('unknown issuer', await issueIdentity(strangers, 'RiverMSP', { name: 'stranger', role: 'client' }));
  people.set('unknown organisation', await issueIdentity(strangers, 'FarMSP', { name: 'stranger', role: 'client' }));
  await issue('expired', 'RiverMSP', { notBefore: new Date(now - 2 * DAY), notAfter: new Date(now - DAY) });
  await issue('not yet valid', 'RiverMSP', { notBefore: new Date(now + DAY), notAfter: new Date(now + 2 * DAY) });
  await issue('missing role', 'RiverMSP', { ou: [] });
  await issue('two roles', 'RiverMSP', { ou: ['client', 'admin'] });
  await issue('a peer', 'RiverMSP', { role: 'peer' });
  await issue('an administrator', 'RiverMSP', { role: 'admin' });
  await issue('an auditor in a department', 'RiverMSP', { ou: ['client', 'audit'] });
  people.set('wrong MSP', { ...(await place.issue('HillMSP', { name: 'hill', role: 'client' })), mspId: 'RiverMSP' });
  const other = await place.issue('RiverMSP', { name: 'other', role: 'client' });
  people.set('signed with another key', { ...(await place.issue('RiverMSP', { name: 'self', role: 'client' })), key: other.key });
});
afterAll(async () => {
  await place.leave();
  await rm(strangers, { recursive: true, force: true });
});

function person(name: string): Person {
  const found = people.get(name);
  if (!found) throw new Error(`no such person: ${name}`);
  return found;
}

async function refusal(action: Promise<unknown>): Promise<GatewayError> {
  return action.then(
    () => { throw new Error('was accepted'); },
    (error: unknown) => error as GatewayError,
  );
}

function creatorOf({ mspId, certificate }: Person): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(certificate));
  return identity.serializeBinary();
}

async function sign(key: string, bytes: Uint8Array): Promise<Uint8Array> {
  return signers.newPrivateKeySigner(createPrivateKey(key))(createHash('sha256').update(bytes).digest());
}

/** A transaction endorsed for someone in good standing, then claimed and signed by another. */
async function claimedBy(other: Person): Promise<common.Envelope> {
  const endorsed = await river.contract.newProposal('put', { arguments: ['stolen', 'x'] }).endorse();
  const envelope = gatewayProtos.PreparedTransaction.deserializeBinary(endorsed.getBytes()).getEnvelope();
  const payload = common.Payload.deserializeBinary(envelope?.getPayload_asU8() ?? new Uint8Array(0));
  const header = payload.getHeader();
  const signatureHeader = common.SignatureHeader.deserializeBinary(header?.getSignatureHeader_asU8() ?? new Uint8Array(0));
  signatureHeader.setCreator(creatorOf(other));
  header?.setSignatureHeader(signatureHeader.serializeBinary());
  const claimed = new common.Envelope();
  claimed.setPayload(payload.serializeBinary());
  claimed.setSignature(await sign(other.key, claimed.getPayload_asU8()));
  return claimed;
}

function unaryCall(path: string, request: Uint8Array): Promise<Buffer> {
  const client = new grpc.Client(ledger.address, grpc.credentials.createInsecure());
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, (bytes: Uint8Array) => Buffer.from(bytes), (bytes) => bytes, request, (error, answer) => {
      client.close();
      if (error) reject(error);
      else resolve(answer ?? Buffer.alloc(0));
    });
  });
}

async function submitRaw(envelope: common.Envelope): Promise<Buffer> {
  const request = new gatewayProtos.SubmitRequest();
  request.setChannelId('huilian');
  request.setPreparedTransaction(envelope);
  return unaryCall('/gateway.Gateway/Submit', request.serializeBinary());
}

async function commitStatusRaw(who: Person, txId: string): Promise<Buffer> {
  const request = new gatewayProtos.CommitStatusRequest();
  request.setChannelId('huilian');
  request.setTransactionId(txId);
  request.setIdentity(creatorOf(who));
  const signed = new gatewayProtos.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  signed.setSignature(await sign(who.key, signed.getRequest_asU8()));
  return unaryCall('/gateway.Gateway/CommitStatus', signed.serializeBinary());
}

interface SeekOptions {
  readonly start?: (position: orderer.SeekPosition) => void;
  readonly stop?: (position: orderer.SeekPosition) => void;
  readonly failIfNotReady?: boolean;
  readonly channel?: string;
  readonly at?: Date;
  readonly path?: string;
}

const oldest = (position: orderer.SeekPosition): void => { position.setOldest(new orderer.SeekOldest()); };
const newest = (position: orderer.SeekPosition): void => { position.setNewest(new orderer.SeekNewest()); };
const number = (value: number) => (position: orderer.SeekPosition): void => {
  const specified = new orderer.SeekSpecified();
  specified.setNumber(value);
  position.setSpecified(specified);
};

async function seekEnvelope(who: Person, { start = oldest, stop = newest, failIfNotReady = false, channel = 'huilian', at = new Date() }: SeekOptions): Promise<common.Envelope> {
  const [from, to] = [new orderer.SeekPosition(), new orderer.SeekPosition()];
  start(from);
  stop(to);
  const info = new orderer.SeekInfo();
  info.setStart(from);
  info.setStop(to);
  info.setBehavior(failIfNotReady ? orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY : orderer.SeekInfo.SeekBehavior.BLOCK_UNTIL_READY);
  // An empty timestamp to begin with: its class is not exported by fabric-protos.
  const channelHeader = common.ChannelHeader.deserializeBinary(Buffer.from([0x1a, 0]));
  channelHeader.getTimestamp()?.fromDate(at);
  channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
  channelHeader.setChannelId(channel);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creatorOf(who));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(info.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(await sign(who.key, envelope.getPayload_asU8()));
  return envelope;
}

/** Block numbers in the order delivered, then the status. */
async function seek(who: Person, options: SeekOptions = {}): Promise<number[]> {
  const client = new grpc.Client(ledger.address, grpc.credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(
    options.path ?? '/protos.Deliver/Deliver',
    (message: common.Envelope) => Buffer.from(message.serializeBinary()),
    (bytes) => peer.DeliverResponse.deserializeBinary(bytes),
  );
  stream.write(await seekEnvelope(who, options));
  const answers: number[] = [];
  try {
    for await (const answer of stream as AsyncIterable<peer.DeliverResponse>) {
      if (answer.getTypeCase() === peer.DeliverResponse.TypeCase.STATUS) {
        answers.push(-answer.getStatus());
        break;
      }
      answers.push(answer.getBlock()?.getHeader()?.getNumber() ?? -1);
    }
  } finally {
    stream.cancel();
    client.close();
  }
  return answers;
}

describe.each(Object.keys(REFUSED))('an identity that is refused: %s', (name) => {
  const reason = REFUSED[name] ?? /never/;

  it('at Evaluate', async () => {
    const error = await refusal(place.as(ledger, person(name)).contract.evaluateTransaction('get', 'a'));
    expect([error.code, error.message]).toEqual([name.includes('expired') ? grpc.status.UNAVAILABLE : grpc.status.FAILED_PRECONDITION, expect.stringMatching(reason)]);
  });

  it('at Endorse', async () => {
    const error = await refusal(place.as(ledger, person(name)).contract.newProposal('put', { arguments: ['a', 'b'] }).endorse());
    expect([error.name, error.code, error.details[0]?.message]).toEqual(['EndorseError', grpc.status.ABORTED, expect.stringMatching(reason)]);
  });

  it('at Submit', async () => {
    const height = ledger.height();
    const error = await refusal(submitRaw(await claimedBy(person(name))));
    expect([error.code, error.message]).toEqual([grpc.status.ABORTED, expect.stringMatching(reason)]);
    expect(error.message).toContain('FORBIDDEN');
    expect(ledger.height()).toBe(height);
  });

  it('at Deliver and DeliverFiltered', async () => {
    expect(await seek(person(name))).toEqual([-common.Status.FORBIDDEN]);
    expect(await seek(person(name), { path: '/protos.Deliver/DeliverFiltered' })).toEqual([-common.Status.FORBIDDEN]);
  });

  it('at CommitStatus and ChaincodeEvents', async () => {
    expect(await refusal(commitStatusRaw(person(name), 'x'))).toMatchObject({ code: grpc.status.PERMISSION_DENIED });
    const events = await place.as(ledger, person(name)).network.getChaincodeEvents('notes', { startBlock: 0n });
    const error = await refusal(events[Symbol.asyncIterator]().next());
    expect([error.code, error.message]).toEqual([grpc.status.PERMISSION_DENIED, expect.stringMatching(reason)]);
  });
});

describe('roles', () => {
  it.each(['an administrator', 'an auditor in a department'])('%s may do all that a client may', async (name) => {
    const client = place.as(ledger, person(name));
    await client.contract.submitTransaction('put', 'role', name);
    expect(text(await client.contract.evaluateTransaction('get', 'role'))).toBe(name);
    expect((await seek(person(name))).at(-1)).toBe(-common.Status.SUCCESS);
  });

  it('a peer may read blocks and may not act', async () => {
    expect((await seek(person('a peer'))).at(-1)).toBe(-common.Status.SUCCESS);
    expect((await refusal(place.as(ledger, person('a peer')).contract.evaluateTransaction('get', 'a'))).message).toMatch(/role peer/);
    expect((await refusal(place.as(ledger, person('a peer')).contract.newProposal('get', { arguments: ['a'] }).endorse())).code).toBe(grpc.status.ABORTED);
    expect((await refusal(submitRaw(await claimedBy(person('a peer'))))).message).toMatch(/role peer/);
  });
});

describe('signatures and times', () => {
  it('a high s is refused, as in Fabric', async () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const admin = person('an administrator');
    const good = await seekEnvelope(admin, {});
    const der = Buffer.from(good.getSignature_asU8());
    const at = 4 + (der[3] ?? 0);
    const s = order - BigInt(`0x${der.subarray(at + 2).toString('hex')}`);
    const digits = Buffer.from(`00${s.toString(16).padStart(64, '0')}`, 'hex');
    const body = Buffer.concat([der.subarray(2, at), Buffer.from([2, digits.length]), digits]);
    const high = Buffer.concat([Buffer.from([0x30, body.length]), body]);
    good.setSignature(high);
    const client = new grpc.Client(ledger.address, grpc.credentials.createInsecure());
    const stream = client.makeBidiStreamRequest('/protos.Deliver/Deliver', (message: common.Envelope) => Buffer.from(message.serializeBinary()), (bytes) => peer.DeliverResponse.deserializeBinary(bytes));
    stream.write(good);
    const [answer] = await stream.take(1).toArray() as peer.DeliverResponse[];
    expect(answer?.getStatus()).toBe(common.Status.FORBIDDEN);
    client.close();
  });

  it.each([-200, 200])('a proposal dated %s seconds from the clock is refused, one of 150 is not', async (seconds) => {
    shift = Math.sign(seconds) * 150_000;
    await river.contract.evaluateTransaction('get', 'a');
    shift = seconds * 1000;
    try {
      expect((await refusal(river.contract.evaluateTransaction('get', 'a'))).message).toContain('180 s apart');
      expect((await refusal(river.contract.newProposal('put', { arguments: ['a', 'b'] }).endorse())).details[0]?.message).toContain('180 s apart');
    } finally {
      shift = 0;
    }
  });

  it('a transaction may be submitted long after it was endorsed, a proposal not sent twice', async () => {
    const proposal = river.contract.newProposal('put', { arguments: ['late', 'yes'] });
    const endorsed = await proposal.endorse();
    shift = 400_000;
    try {
      expect((await (await endorsed.submit()).getStatus()).successful).toBe(true);
    } finally {
      shift = 0;
    }
    expect((await refusal(proposal.endorse())).details[0]?.message).toContain('duplicate transaction found');
  });

  it('a certificate that expires during a stream ends it', async () => {
    const soon = await place.issue('RiverMSP', { name: 'soon', role: 'client', notAfter: new Date(Date.now() + DAY) });
    const events = await place.as(ledger, soon).network.getBlockEvents({ startBlock: 0n });
    const iterator = events[Symbol.asyncIterator]();
    for (let block = 0n; block < ledger.height(); block += 1n) await iterator.next();
    const endorsed = await river.contract.newProposal('put', { arguments: ['a', 'b'] }).endorse();
    shift = 2 * DAY;
    try {
      const next = refusal(iterator.next());
      await (await endorsed.submit()).getStatus();
      expect((await next).message).toContain(String(common.Status.FORBIDDEN));
    } finally {
      shift = 0;
      events.close();
    }
  });
});

describe('Deliver', () => {
  const admin = (): Person => person('an administrator');

  it('oldest to newest, a single block, and its own statuses', async () => {
    const last = Number(ledger.height()) - 1;
    expect(await seek(admin())).toEqual([...Array.from({ length: last + 1 }, (_, index) => index), -200]);
    expect(await seek(admin(), { start: newest })).toEqual([last, -200]);
    expect(await seek(admin(), { start: oldest, stop: oldest })).toEqual([0, -200]);
    expect(await seek(admin(), { start: number(1), stop: number(1) })).toEqual([1, -200]);
  });

  it('what cannot be delivered is refused with the status that Fabric gives', async () => {
    const height = Number(ledger.height());
    expect(await seek(admin(), { start: number(2), stop: number(1) })).toEqual([-common.Status.BAD_REQUEST]);
    expect(await seek(admin(), { start: number(height + 1), stop: number(height + 5) })).toEqual([-common.Status.NOT_FOUND]);
    expect(await seek(admin(), { start: number(height - 1), stop: number(height + 5), failIfNotReady: true })).toEqual([height - 1, -common.Status.NOT_FOUND]);
    expect(await seek(admin(), { channel: 'other' })).toEqual([-common.Status.NOT_FOUND]);
    expect(await seek(admin(), { start: () => undefined })).toEqual([-common.Status.BAD_REQUEST]);
  });

  it('an envelope dated more than 15 minutes away is refused', async () => {
    expect(await seek(admin(), { at: new Date(Date.now() - 16 * 60_000) })).toEqual([-common.Status.BAD_REQUEST]);
    expect((await seek(admin(), { at: new Date(Date.now() - 14 * 60_000) })).at(-1)).toBe(-200);
  });

  it('waits for blocks to come', async () => {
    const height = Number(ledger.height());
    const waiting = seek(admin(), { start: number(height), stop: number(height) });
    await river.contract.submitTransaction('put', 'wake', 'up');
    expect(await waiting).toEqual([height, -200]);
  });

  it('private data is UNIMPLEMENTED', async () => {
    expect(await refusal(seek(admin(), { path: '/protos.Deliver/DeliverWithPrivateData' }))).toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  });
});

describe('requests that are no requests', () => {
  it('a second timestamp in the header, which stub and endorser would read differently, is refused', async () => {
    const proposed = gatewayProtos.ProposedTransaction.deserializeBinary(river.contract.newProposal('get', { arguments: ['a'] }).getBytes());
    const proposal = peer.Proposal.deserializeBinary(proposed.getProposal()?.getProposalBytes_asU8() ?? new Uint8Array(0));
    const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
    header.setChannelHeader(Buffer.concat([header.getChannelHeader_asU8(), Buffer.from([0x1a, 2, 0x10, 5])]));
    proposal.setHeader(header.serializeBinary());
    proposed.getProposal()?.setProposalBytes(proposal.serializeBinary());
    const error = await refusal(river.gateway.newProposal(proposed.serializeBinary()).evaluate());
    expect([error.code, error.message]).toEqual([grpc.status.INVALID_ARGUMENT, expect.stringContaining('occurs twice')]);
  });

  it.each(['Evaluate', 'Endorse', 'Submit', 'CommitStatus'])('%s answers bytes that are no message with INVALID_ARGUMENT', async (method) => {
    for (const bytes of [Buffer.from([0x0a]), Buffer.from('1a05ffff', 'hex'), Buffer.from('0a06ffffffffffff1a06ffffffffffff', 'hex'), Buffer.alloc(64, 0xff)]) {
      expect(await refusal(unaryCall(`/gateway.Gateway/${method}`, bytes))).toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
    }
  });
});

describe('an organisation that brings its authority', () => {
  it('certificates issued elsewhere act; another authority is refused at a later start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'embedded-ledger-given-'));
    const stranger = people.get('unknown issuer');
    const read = (name: string): Promise<string> => readFile(join(strangers, 'ca', 'RiverMSP', name), 'utf8');
    const organisation = { mspId: 'RiverMSP', name: 'River', authority: { certificate: await read('ca.pem'), key: await read('ca-key.pem') } };
    const options = { dir: folder, chaincodes: { notes: { contracts: [Notes] } } };
    const given = await startLedger({ ...options, organisations: [organisation] });
    if (!stranger) throw new Error('no stranger');
    const client = place.as(given, stranger);
    await client.contract.submitTransaction('put', 'given', 'authority');
    expect(text(await client.contract.evaluateTransaction('get', 'given'))).toBe('authority');
    await given.close();
    const other = await readFile(join(place.dir, 'ca', 'RiverMSP', 'ca.pem'), 'utf8');
    const mistaken = { ...organisation, authority: { ...organisation.authority, certificate: other } };
    await expect(startLedger({ ...options, organisations: [mistaken] })).rejects.toThrow('another authority');
    await rm(folder, { recursive: true, force: true });
  });
});
