import { createHash, createPrivateKey, generateKeyPairSync, sign, webcrypto, type KeyObject } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { keccak256, TypedDataEncoder, toUtf8Bytes, Wallet } from 'ethers';
import { digestOf, sha256, sortedJson, type Json, type JsonRecord } from './plain-json.js';

/**
 * An invented consortium of three centres, a bank and a platform, with everything it signs, made without the code under
 * test: JSON sorted by hand, JWS over node:crypto, EIP-712 by ethers, Merkle trees by RFC 6962's recursive definition.
 */
export const TIME = 1_800_000_000;
export const FOUNDING = 'f0'.repeat(32);

export interface Signer {
  readonly signingKey: JsonRecord;
  readonly encryptionKey: JsonRecord;
  readonly key: KeyObject;
}

export function makeSigner(): Signer {
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encryption = generateKeyPairSync('x25519');
  const { crv, kty, x, y } = signing.publicKey.export({ format: 'jwk' }) as Record<string, string>;
  const okp = encryption.publicKey.export({ format: 'jwk' }) as Record<string, string>;
  return {
    signingKey: { crv: crv ?? '', kty: kty ?? '', x: x ?? '', y: y ?? '' },
    encryptionKey: { crv: okp['crv'] ?? '', kty: okp['kty'] ?? '', x: okp['x'] ?? '' },
    key: signing.privateKey,
  };
}

function base64url(data: string | Uint8Array): string {
  return Buffer.from(data).toString('base64url');
}

/** Compact JWS, ES256, header exactly {alg, kid, typ}. */
export function jws(typ: string, kid: string, payload: Json, signer: Signer): string {
  const input = `${base64url(sortedJson({ alg: 'ES256', kid, typ }))}.${base64url(sortedJson(payload))}`;
  return `${input}.${base64url(sign('sha256', Buffer.from(input), { key: signer.key, dsaEncoding: 'ieee-p1363' }))}`;
}

/** RFC 7638. */
export function thumbprint(jwk: JsonRecord): string {
  return createHash('sha256').update(sortedJson(jwk)).digest('base64url');
}

// --- Members ---------------------------------------------------------------------------------------------------------

const places = {
  guangzhou: { msp: 'GuangzhouMSP', zh: '广州', region: '440100', peerId: '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN' },
  zhuhai: { msp: 'ZhuhaiMSP', zh: '珠海', region: '440400', peerId: '12D3KooWH3uVF6wv47WnArKHk5p6cvgCJEb74UTmxztmQDc298L3' },
  beijing: { msp: 'BeijingMSP', zh: '北京', region: '110000', peerId: '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo' },
  shenzhen: { msp: 'ShenzhenMSP', zh: '深圳', region: '440300', peerId: '12D3KooWLJtG8fd2hkQzTn96MrLvThmnNQjTUFZwGEsLRz5EmSzc' },
} as const;
export type Centre = keyof typeof places;
export const mspOf = (centre: Centre): string => places[centre].msp;

const signers = new Map<string, Signer>();
export function signerOf(member: string): Signer {
  const signer = signers.get(member) ?? makeSigner();
  signers.set(member, signer);
  return signer;
}

function keysOf(member: string): { encryptionKey: JsonRecord; signingKey: JsonRecord } {
  const { encryptionKey, signingKey } = signerOf(member);
  return { encryptionKey, signingKey };
}

export function centreDocument(id: Centre): JsonRecord {
  const { msp, peerId, region, zh } = places[id];
  return {
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
    contact: 'https://centre.example.invalid',
    id,
    kind: 'centre',
    name: { en: `${id} trading centre (invented)`, zh: `${zh}公共资源交易中心（虚构）` },
    organisation: msp,
    peerId,
    region,
    ...keysOf(id),
  };
}

export function hostedDocument(id: string, kind: 'institution' | 'platform' | 'supervisor', host: Centre): JsonRecord {
  return {
    addresses: [],
    contact: 'https://member.example.invalid',
    host,
    id,
    kind,
    name: { en: `${id} (invented)`, zh: '成员（虚构）' },
    organisation: places[host].msp,
    region: places[host].region,
    ...keysOf(id),
  };
}

// --- Certificates ----------------------------------------------------------------------------------------------------

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const p384 = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-256' };
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
x509.cryptoProvider.set(webcrypto as Crypto);

export interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

export interface CertificateWish {
  readonly subject: string;
  readonly ca?: boolean;
  readonly pathLength?: number;
  readonly algorithm?: 'ecdsa' | 'p384' | 'rsa' | 'rsa1024';
  readonly usages?: x509.KeyUsageFlags;
  readonly from?: number;
  readonly until?: number;
  readonly extensions?: x509.Extension[];
  /** SubjectPublicKeyInfo (DER) in place of the generated one. */
  readonly publicKey?: Uint8Array;
}

const day = 86_400;
let serial = 1;

/** A certificate by an issuer, or self-signed. */
export async function issue(wish: CertificateWish, issuer?: Issued): Promise<Issued> {
  const algorithm = { ecdsa, p384, rsa, rsa1024: { ...rsa, modulusLength: 1024 } }[wish.algorithm ?? 'ecdsa'];
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  const usages = wish.usages ?? (wish.ca === true ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign : x509.KeyUsageFlags.digitalSignature);
  serial += 1;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(16, '0'),
    subject: wish.subject,
    issuer: issuer?.certificate.subject ?? wish.subject,
    notBefore: new Date((wish.from ?? TIME - 30 * day) * 1000),
    notAfter: new Date((wish.until ?? TIME + 300 * day) * 1000),
    signingKey: (issuer?.keys ?? keys).privateKey,
    publicKey: wish.publicKey === undefined ? keys.publicKey : new x509.PublicKey(new Uint8Array(wish.publicKey)),
    signingAlgorithm: (issuer?.keys.privateKey.algorithm.name ?? algorithm.name) === 'ECDSA' ? ecdsa : rsa,
    extensions: [
      new x509.BasicConstraintsExtension(wish.ca === true, wish.pathLength, true),
      new x509.KeyUsagesExtension(usages, true),
      ...(wish.extensions ?? []),
    ],
  });
  return { certificate, keys };
}

export function derOf({ certificate }: Issued): string {
  return Buffer.from(certificate.rawData).toString('base64');
}

export function pemOf(issued: Issued): string {
  return `-----BEGIN CERTIFICATE-----\n${derOf(issued).replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

export function fingerprintOf({ certificate }: Issued): string {
  return sha256(Buffer.from(certificate.rawData));
}

const usccOid = '1.2.156.10260.4.1.4';

/** A UTF8String in an extension, as practice puts the unified social credit code. */
export function codeExtension(code: string, oid = usccOid): x509.Extension {
  return new x509.Extension(oid, false, Buffer.concat([Buffer.from([0x0c, code.length]), Buffer.from(code)]));
}

// Synthetic codes: right check characters, nobody's.
export const COMPANY = '91440101MA5CK8T02A';
export const OTHER_COMPANY = '91440105MA6NNHC07C';
export const OWNER = `org:${COMPANY}`;
export const OTHER_OWNER = `org:${OTHER_COMPANY}`;

export const peerCa = await issue({ subject: 'CN=Centre CA (invented)', ca: true });
export const businessCa = await issue({ subject: 'CN=Business CA (invented), O=Invented', ca: true });
export const companyCertificate = await issue({ subject: 'CN=Invented Company, O=Invented', extensions: [codeExtension(COMPANY)] }, businessCa);

// --- Documents -------------------------------------------------------------------------------------------------------

/** The smallest document that declares a kind. */
export function kindDocument(kind: string, rights: readonly string[], options: { readonly sealed?: boolean; readonly version?: number } = {}): JsonRecord {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    additionalProperties: false,
    properties: {
      detail: { additionalProperties: false, properties: { code: { pattern: '^[0-9A-Z]{1,20}$', type: 'string' } }, type: 'object' },
      summary: { additionalProperties: false, properties: { uscc: { type: 'string' } }, type: 'object' },
    },
    type: 'object',
    'x-huilian': {
      claims: { detail: { en: 'detail', personal: [], zh: '明细' }, summary: { en: 'summary', personal: [], zh: '摘要' } },
      defaultRights: rights[0] ?? '',
      import: {},
      kind,
      linkChecks: [],
      naturalKey: ['detail.code'],
      owner: rights.includes('owner') ? 'summary.uscc' : null,
      rights,
      rightsWhen: [],
      sealed: options.sealed ?? false,
      subject: 'summary.uscc',
      title: { en: `${kind} (invented)`, zh: '样例' },
      version: options.version ?? 1,
    },
  };
}

export const charter: JsonRecord = {
  chaincode: 'huilian',
  channel: 'huilian',
  founders: (['guangzhou', 'zhuhai', 'beijing'] as const).map((id) => ({ caCertificate: pemOf(peerCa), member: centreDocument(id) })),
  name: { en: 'Invented consortium', zh: '虚构联盟' },
  values: { offerSeconds: 60, ticketSeconds: 900 },
};

/** keccak256 of the sorted JSON of channel, chaincode, charter digest and founding transaction. */
export function domainOf(founding = FOUNDING): { name: string; version: string; salt: string } {
  const facts = sortedJson({ chaincode: 'huilian', channel: 'huilian', charter: digestOf(charter), founding });
  return { name: 'Huilian', version: '1', salt: keccak256(toUtf8Bytes(facts)) };
}
export const DOMAIN = domainOf();

// --- Records ---------------------------------------------------------------------------------------------------------

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** An id of 128 bits in base32, the same for the same text. */
export function id32(text: string): string {
  const bits = [...createHash('sha256').update(text).digest().subarray(0, 16)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.padEnd(130, '0').match(/.{5}/g) ?? []).map((five) => base32[Number.parseInt(five, 2)] ?? '').join('');
}

export function header(name: string, fields: JsonRecord = {}): JsonRecord {
  const { kind = 'credit', owner = OWNER, rights = 'owner', version = 1, ...rest } = fields;
  return {
    digest: sha256(`${name} version ${String(version)}`),
    kind,
    localId: id32(name),
    ...(rights === 'owner' ? { owner } : {}),
    rights,
    schema: 1,
    status: 'active',
    subject: rights === 'owner' ? owner : OWNER,
    version,
    ...rest,
  };
}

/** A header that hides kind, subject and owner until it is opened. */
export function sealedHeader(name: string, salt: string, owner = OWNER): JsonRecord {
  const commitment = createHash('sha256').update(Buffer.from(salt, 'hex')).update(owner).digest('hex');
  return { ...header(name), kind: 'sealed', owner: `sealed:${commitment}`, schema: 0, subject: '' };
}

function node(prefix: number, ...parts: Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat([Buffer.from([prefix]), ...parts])).digest();
}

function split(count: number): number {
  let left = 1;
  while (left * 2 < count) left *= 2;
  return left;
}

/** RFC 6962 2.1. */
function tree(headers: readonly JsonRecord[]): Buffer {
  const [only] = headers;
  if (headers.length === 1 && only !== undefined) return node(0, Buffer.from(sortedJson(only)));
  const left = split(headers.length);
  return node(1, tree(headers.slice(0, left)), tree(headers.slice(left)));
}

/** RFC 6962 2.1.1. */
function path(index: number, headers: readonly JsonRecord[]): string[] {
  if (headers.length === 1) return [];
  const left = split(headers.length);
  const [near, far, at] = index < left ? [headers.slice(0, left), headers.slice(left), index] : [headers.slice(left), headers.slice(0, left), index - left];
  return [...path(at, near), tree(far).toString('hex')];
}

export function rootOf(headers: readonly JsonRecord[]): string {
  return tree(headers).toString('hex');
}

export function place(headers: readonly JsonRecord[], index: number, seq: number): JsonRecord {
  return { header: headers[index] ?? {}, index, path: path(index, headers), seq, size: headers.length };
}

// --- Owners' signatures ----------------------------------------------------------------------------------------------

export const wallet = new Wallet(`0x${'17'.repeat(32)}`);
export const otherWallet = new Wallet(`0x${'23'.repeat(32)}`);
export const newWallet = new Wallet(`0x${'31'.repeat(32)}`);
export const keyOf = ({ address }: Wallet): string => address.toLowerCase();

const structs = {
  Grant: 'owner:string grantee:string claims:string[] purpose:string reference:bytes32 notBefore:uint64 expires:uint64 maxUses:uint32 nonce:bytes32',
  Revocation: 'owner:string grant:bytes32',
  KeyRotation: 'owner:string newKey:string expires:uint64',
  RecoveryObjection: 'owner:string newKey:string',
  RecordStatement: 'owner:string record:string version:uint32 digest:bytes32 claims:string[] verdict:string reason:string issuedAt:uint64',
} as const;

function typesOf(name: keyof typeof structs): Record<string, { name: string; type: string }[]> {
  return { [name]: structs[name].split(' ').map((entry) => ({ name: entry.split(':')[0] ?? '', type: entry.split(':')[1] ?? '' })) };
}

type Domain = typeof DOMAIN;

/** An owner's signature in its envelope; `field` names the message inside. */
export async function signed(name: keyof typeof structs, field: string, message: JsonRecord, signer: Wallet, domain: Domain = DOMAIN): Promise<JsonRecord> {
  const signature = await signer.signTypedData(domain, typesOf(name), message as Record<string, unknown>);
  return { domain, [field]: message, signature, suite: 'eip712-secp256k1' };
}

export function grantDigestOf(grant: JsonRecord, domain: Domain = DOMAIN): string {
  return TypedDataEncoder.hash(domain, typesOf('Grant'), grant as Record<string, unknown>);
}

/** The registration of a key, signed by the key of a certificate (DER for ECDSA). */
export async function registration(fields: JsonRecord, by: Issued): Promise<JsonRecord> {
  const statement = { expires: TIME + 600, key: keyOf(wallet), owner: OWNER, salt: DOMAIN.salt, ...fields };
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', by.keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const signature = sign('sha256', Buffer.from(sortedJson(statement)), key).toString('base64url');
  return { algorithm: key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ecdsa-sha256', signature, statement };
}
