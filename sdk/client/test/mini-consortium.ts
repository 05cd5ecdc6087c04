import 'reflect-metadata';
import { createPrivateKey, createSign, webcrypto, type KeyObject } from 'node:crypto';
import { ledger, msp, peer } from '@hyperledger/fabric-protos';
import * as x509 from '@peculiar/x509';
import { Wallet } from 'ethers';
import { CompactEncrypt, importJWK } from 'jose';
import {
  batchRoot,
  buildPayload,
  canonicalBytes,
  documentDigest,
  domainOf,
  headerLeaf,
  jweDigest,
  jwkThumbprint,
  kindDefinition,
  localId,
  MerkleTree,
  presentPayload,
  readRequest,
  recordId,
  referenceOf,
  sha256Hex,
  signPayload,
  signReceipt,
  signRelease,
  stateKey,
  ticketApv,
  toBase64url,
  utf8,
  type Charter,
  type Domain,
  type Header,
  type JsonObject,
  type PlacedHeader,
  type Ticket,
} from '@huilian/protocol';
import { buildRequest, es256Signer, generateMemberKeys, memoryPin, OwnerWallet, publicKeysOf, type EndorsedTransaction, type Evidence, type MemberKeys, type OpenedAccess } from '../src/index.js';

/** A consortium made by hand: its CAs, peers, keys and the bytes its peers would endorse. All names are invented. */
export interface Centre {
  readonly keys: MemberKeys;
  readonly organisation: string;
  readonly caPem: string;
  readonly caKeys: webcrypto.CryptoKeyPair;
  readonly peer: { readonly pem: string; readonly key: KeyObject };
}

export interface MiniConsortium {
  readonly centres: readonly Centre[];
  readonly charter: Charter;
  readonly fingerprint: string;
  readonly founding: string;
  readonly domain: Domain;
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
export const subject = 'org:91440105MA6NNHC07C';
export const openedAt = 1_790_000_000;

function validity(): { notBefore: Date; notAfter: Date } {
  // Long over: evidence outlives certificates.
  return { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
}

async function makeCa(name: string): Promise<{ pem: string; keys: webcrypto.CryptoKeyPair }> {
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name} CA`,
    ...validity(),
    keys,
    signingAlgorithm: p256,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  });
  return { pem: `${certificate.toString('pem')}\n`, keys };
}

/** A certificate of a CA; a real peer's unless a test wants a wrong one. */
export async function certify(ca: { pem: string; keys: webcrypto.CryptoKeyPair }, name: string, { curve = 'P-256', units = ['peer'] } = {}): Promise<Centre['peer']> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '0a',
    subject: [{ OU: units }, { CN: [name] }],
    issuer: new x509.X509Certificate(ca.pem).subject,
    ...validity(),
    signingAlgorithm: p256,
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { pem: certificate.toString('pem'), key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
}

/** The certificate that x5c names, base64 DER: a member's signing key, certified by itself. */
export async function selfCertificate({ memberId, signingKey }: MemberKeys): Promise<string> {
  const { crv, d, kty, x, y } = signingKey;
  const load = async (jwk: JsonWebKey, usage: 'sign' | 'verify'): Promise<webcrypto.CryptoKey> => await webcrypto.subtle.importKey('jwk', jwk as webcrypto.JsonWebKey, p256, true, [usage]);
  const keys = { privateKey: await load({ crv, d, kty, x, y } as JsonWebKey, 'sign'), publicKey: await load({ crv, kty, x, y } as JsonWebKey, 'verify') };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({ name: [{ CN: [memberId] }], serialNumber: '0b', ...validity(), keys, signingAlgorithm: p256 });
  return certificate.toString('base64');
}

async function makeCentre(id: string): Promise<Centre> {
  const organisation = `${id}MSP`;
  const ca = await makeCa(id);
  return { keys: await generateMemberKeys(id), organisation, caPem: ca.pem, caKeys: ca.keys, peer: await certify(ca, `peer0.${id}`) };
}

export async function makeConsortium(ids: readonly string[] = ['heyuan', 'qingyuan', 'meizhou']): Promise<MiniConsortium> {
  const centres: Centre[] = [];
  for (const id of ids) centres.push(await makeCentre(id));
  const charter: Charter = {
    chaincode: 'huilian',
    channel: 'huilian',
    name: { en: 'Invented consortium', zh: '虚构联盟' },
    values: { offerSeconds: 60, ticketSeconds: 900 },
    founders: centres.map(({ caPem, keys, organisation }) => ({
      caCertificate: caPem,
      member: {
        addresses: ['/ip4/127.0.0.1/tcp/7001'],
        contact: 'https://sample.invalid',
        ...publicKeysOf(keys),
        id: keys.memberId,
        kind: 'centre' as const,
        name: { en: `Centre ${keys.memberId}`, zh: `${keys.memberId}交易中心（虚构）` },
        organisation,
        peerId: '12D3KooWGzBmZ6KvzNLhKFpFVN9cXqTjH8TRdKVJ4mqYaqz8vTfY',
        region: '440000',
      },
    })),
  };
  const fingerprint = documentDigest(charter);
  const founding = sha256Hex(utf8('founding'));
  return { centres, charter, fingerprint, founding, domain: domainOf({ chaincode: 'huilian', channel: 'huilian', charter: fingerprint, founding }) };
}

export interface EndorsedParts {
  readonly transactionId: string;
  readonly writes: Readonly<Record<string, unknown>>;
  readonly chaincode?: string;
  readonly namespace?: string;
  readonly status?: number;
  /** Id in the event, where it differs from the transaction's. */
  readonly eventId?: string;
  readonly deleted?: boolean;
}

/** The proposal response payload as a Fabric peer writes it. */
export function proposalResponse(parts: EndorsedParts): Uint8Array {
  const { chaincode = 'huilian', deleted = false, eventId, namespace = 'huilian', status = 200, transactionId, writes } = parts;
  const sets = new ledger.rwset.kvrwset.KVRWSet();
  for (const [key, value] of Object.entries(writes)) {
    const write = new ledger.rwset.kvrwset.KVWrite();
    write.setKey(key);
    write.setIsDelete(deleted);
    if (!deleted) write.setValue(canonicalBytes(value));
    sets.addWrites(write);
  }
  const read = new ledger.rwset.kvrwset.KVRead();
  read.setKey('read');
  sets.addReads(read);
  const own = new ledger.rwset.NsReadWriteSet();
  own.setNamespace(namespace);
  own.setRwset(sets.serializeBinary());
  const lifecycle = new ledger.rwset.NsReadWriteSet();
  lifecycle.setNamespace('_lifecycle');
  lifecycle.setRwset(new ledger.rwset.kvrwset.KVRWSet().serializeBinary());
  const results = new ledger.rwset.TxReadWriteSet();
  results.setNsRwsetList([lifecycle, own]);
  const event = new peer.ChaincodeEvent();
  event.setChaincodeId(chaincode);
  event.setTxId(eventId ?? transactionId);
  event.setEventName('open');
  const response = new peer.Response();
  response.setStatus(status);
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const action = new peer.ChaincodeAction();
  action.setResults(results.serializeBinary());
  action.setEvents(event.serializeBinary());
  action.setResponse(response);
  action.setChaincodeId(id);
  const payload = new peer.ProposalResponsePayload();
  payload.setProposalHash(Buffer.from(sha256Hex(utf8(transactionId)), 'hex'));
  payload.setExtension$(action.serializeBinary());
  return payload.serializeBinary();
}

export interface Endorser {
  readonly organisation: string;
  readonly peer: Centre['peer'];
}

export function endorse(payload: Uint8Array, endorsers: readonly Endorser[]): EndorsedTransaction['endorsements'] {
  return endorsers.map(({ organisation, peer: { key, pem } }) => {
    const serialised = new msp.SerializedIdentity();
    serialised.setMspid(organisation);
    serialised.setIdBytes(Buffer.from(pem));
    const identity = serialised.serializeBinary();
    const signature = createSign('sha256').update(payload).update(identity).sign(key);
    return { identity: toBase64url(identity), signature: toBase64url(signature) };
  });
}

export function transaction(consortium: MiniConsortium, parts: EndorsedParts, endorsers: readonly Endorser[] = consortium.centres): EndorsedTransaction {
  const payload = proposalResponse(parts);
  return { transactionId: parts.transactionId, proposalResponse: toBase64url(payload), endorsements: endorse(payload, endorsers) };
}

const random = (length: number): Uint8Array => webcrypto.getRandomValues(new Uint8Array(length));

export interface Access {
  readonly consortium: MiniConsortium;
  readonly bank: MemberKeys;
  readonly evidence: Evidence;
  readonly presentations: readonly string[];
  /** What the node would have handed to the reader. */
  readonly opened: OpenedAccess;
}

const credit: JsonObject = { entry: { code: 'HY-2026-0001', title: '虚构条目' }, score: { score: '92' }, finding: { text: 'not granted' } };

/** One access from the first header to the receipt, as the parts of the product would have made it; under a grant, or a policy of that digest. */
export async function makeAccess(consortium: MiniConsortium, { policy }: { readonly policy?: string } = {}): Promise<Access> {
  const { domain, charter, founding } = consortium;
  const [publisher] = consortium.centres;
  if (publisher === undefined) throw new Error('a consortium needs a centre');
  const sign = await es256Signer(publisher.keys.signingKey);
  const bank = await generateMemberKeys('sample-bank');
  const wallet = new OwnerWallet(new Wallet(`0x${'17'.repeat(32)}`), memoryPin());

  // Three headers in a batch; the access is about the second and the third.
  const claimNames = Object.keys(kindDefinition('credit', 1)?.claims ?? {});
  const built = ['a', 'b', 'c'].map((name) => {
    const local = localId(random(32), 'credit', name);
    const id = recordId(publisher.keys.memberId, 'credit', local);
    const payload = buildPayload({ recordId: id, version: 1, schema: 1, subject, data: credit, claimNames }, random);
    const rights = policy === undefined ? { owner: subject, rights: 'owner' as const } : { rights: 'publisher' as const };
    const header: Header = { digest: payload.digest, kind: 'credit', localId: local, schema: 1, status: 'active', subject, version: 1, ...rights };
    return { header, id, payload };
  });
  const headers = built.map(({ header }) => header);
  const tree = new MerkleTree(headers.map(headerLeaf));
  const placed: PlacedHeader[] = [1, 2].map((index) => ({ header: headers[index] as Header, index, path: tree.path(index), seq: 7, size: headers.length }));
  const released = built.slice(1);

  const grant = await wallet.signGrant(domain, {
    owner: subject,
    grantee: bank.memberId,
    claims: ['credit/entry', 'credit/score'],
    purpose: 'credit-check',
    reference: referenceOf(random(16), 'invented'),
    notBefore: openedAt - 100,
    expires: openedAt + 1000,
    maxUses: 2,
    nonce: `0x${'02'.repeat(32)}`,
  });
  const reader = { memberId: bank.memberId, encryptionKey: publicKeysOf(bank).encryptionKey, sign: await es256Signer(bank.signingKey) };
  const basis = policy === undefined ? { grant } : { policy };
  const request = await buildRequest({ recordIds: released.map(({ id }) => id), claims: ['score', 'entry'], purpose: 'credit-check', ...basis }, placed, domain, reader);
  const signed = readRequest(request);

  const ticketTransaction = sha256Hex(utf8('open'));
  const ticketId = `${ticketTransaction}/0`;
  const readerKey = publicKeysOf(bank).signingKey;
  const state: Ticket = {
    basis: signed.request.basis,
    claims: signed.request.claims,
    encryptionKey: signed.request.encryptionKey,
    expires: openedAt + 900,
    openedAt,
    owner: policy === undefined ? subject : '',
    publisher: publisher.keys.memberId,
    purpose: 'credit-check',
    reader: bank.memberId,
    readerKey: jwkThumbprint(readerKey),
    records: released.map(({ header, id }) => ({ digest: header.digest, recordId: id, version: 1 })),
    request: signed.digest,
    requestId: signed.request.requestId,
    ...(policy === undefined ? { slot: 1 } : {}),
  };
  const x5c = [await selfCertificate(publisher.keys)];
  const presentations = await Promise.all(
    released.map(async ({ payload }) => presentPayload(await signPayload(payload.segment, x5c, sign), [payload.disclosures['entry'] ?? '', payload.disclosures['score'] ?? ''])),
  );
  const content = { ticket: ticketId, presentations: released.map(({ id }, index) => ({ recordId: id, presentation: presentations[index] ?? '' })) };
  const jwe = await encrypt(content, ticketId, bank);
  const release = await signRelease({ jwe: jweDigest(jwe), publisher: publisher.keys.memberId, releasedAt: openedAt + 1, ticket: ticketId }, sign);
  const receipt = await signReceipt({ jwe: jweDigest(jwe), reader: bank.memberId, receivedAt: openedAt + 2, resend: false, ticket: ticketId }, reader.sign);

  const ownerState = { ca: 'ab'.repeat(32), certificate: 'cd'.repeat(32), key: await wallet.key(), owner: subject, registeredAt: openedAt - 500, sequence: 1 };
  const evidence: Evidence = {
    format: 'evidence/0',
    charter,
    domain,
    founding,
    ticketId,
    ticket: transaction(consortium, { transactionId: ticketTransaction, writes: { [stateKey('ticket', ticketId)]: state, [stateKey('request', bank.memberId, state.requestId)]: { digest: signed.digest, ticket: ticketId } } }),
    batches: [{ ...transaction(consortium, { transactionId: sha256Hex(utf8('publish')), writes: { [stateKey('batch', publisher.keys.memberId, 7)]: { count: headers.length, root: batchRoot(headers) } } }), seq: 7 }],
    ...(policy === undefined ? { grant, registration: transaction(consortium, { transactionId: sha256Hex(utf8('register')), writes: { [stateKey('owner', subject)]: ownerState } }) } : {}),
    records: placed,
    request,
    readerKey,
    release,
    jweDigest: jweDigest(jwe),
    receipt,
  };
  const opened: OpenedAccess = { ticket: ticketId, state, release: { jwe, release }, publisherKey: publicKeysOf(publisher.keys).signingKey };
  return { consortium, bank, evidence, presentations, opened };
}

/** Encrypts a release's content as a publisher does. */
export async function encrypt(content: object, apvTicket: string, reader: MemberKeys): Promise<string> {
  const { crv, kty, x } = reader.encryptionKey;
  const key = await importJWK({ crv, kty, x } as Record<string, string>, 'ECDH-ES');
  return await new CompactEncrypt(canonicalBytes(content))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .setKeyManagementParameters({ apv: ticketApv(apvTicket) })
    .encrypt(key);
}
