// What the vectors speak of: an invented consortium, invented records, test keys.
import { keccak256 } from 'ethers';
import { auditPath, encryptionKey, jcs, jws, leafOf, localId, memberKey, ownerWallet, seeded, sha256Hex, thumbprint } from './second-source.mjs';

export const publisher = 'guangzhou';
export const reader = 'sample-bank';
export const owner = 'org:91440105MA6NNHC07C';
export const otherOwner = 'org:91440101MA5CK8T02A';
export const now = 1_790_000_000;
export const publisherKey = memberKey(publisher);
export const readerKey = memberKey(reader);
export const strangerKey = memberKey('stranger');
export const wallet = ownerWallet('first');
const charterDigest = sha256Hex('charter of the vectors');
const founding = sha256Hex('founding transaction of the vectors');
export const domainFacts = { channel: 'huilian', chaincode: 'huilian', charter: charterDigest, founding };
/** @param {any} facts */
const saltOf = (facts) => keccak256(Buffer.from(jcs(facts)));
export const domain = { name: 'Huilian', version: '1', salt: saltOf(domainFacts) };
export const otherDomain = { ...domain, salt: saltOf({ ...domainFacts, channel: 'another' }) };
export const localIdKey = seeded('localId key');
export const ticket = `${sha256Hex('ticket transaction')}/0`;

/** @param {number} number */
export const idOf = (number) => localId(localIdKey, 'performance', `["row ${number}"]`);

/** @param {number} number @param {object} [changes] */
export function header(number, changes = {}) {
  return { digest: sha256Hex(`record ${number}`), kind: 'performance', localId: idOf(number), owner, rights: 'owner', schema: 1, status: 'active', subject: owner, version: 1, ...changes };
}

export const publisherHeader = (() => {
  const { owner: _owner, ...rest } = header(900, { rights: 'publisher' });
  return rest;
})();

/** @param {any[]} headers @param {number} index @param {number} seq */
export function placed(headers, index, seq) {
  return { header: headers[index], index, path: auditPath(index, headers.map((entry) => leafOf(jcs(entry)))), seq, size: headers.length };
}

export const batchHeaders = [header(1), header(2), header(3)];
export const request = {
  basis: { kind: 'grant', digest: `0x${sha256Hex('a grant')}` },
  claims: ['contract', 'project'],
  encryptionKey: thumbprint(encryptionKey(reader)),
  headers: [placed(batchHeaders, 0, 1), placed(batchHeaders, 2, 1)],
  issuedAt: now,
  publisher,
  purpose: 'credit-check',
  reader,
  requestId: idOf(7),
  salt: domain.salt,
};
/** @param {any} payload @param {any} [head] @param {ReturnType<typeof memberKey>} [key] */
export const requestJws = (payload, head = {}, key = readerKey) => jws({ alg: 'ES256', kid: reader, typ: 'huilian-request+jwt', ...head }, payload, key);

export const grant = {
  owner,
  grantee: reader,
  claims: ['performance/contract', 'performance/project'],
  purpose: 'credit-check',
  reference: `0x${sha256Hex('reference')}`,
  notBefore: now,
  expires: now + 7 * 86_400,
  maxUses: 3,
  nonce: `0x${sha256Hex('nonce')}`,
};

/** An invented CA certificate's text: PEM of bytes that are no certificate; only contracts look inside. */
export const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(seeded('certificate')).toString('base64')}\n-----END CERTIFICATE-----\n`;

export const centre = {
  addresses: ['/ip4/127.0.0.1/tcp/4001'],
  contact: 'https://centre.example.invalid',
  encryptionKey: encryptionKey(publisher),
  id: publisher,
  kind: 'centre',
  name: { en: 'Guangzhou centre (invented)', zh: '广州交易中心（虚构）' },
  organisation: 'GuangzhouMSP',
  peerId: '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
  region: '440100',
  signingKey: publisherKey.jwk,
};

export const bank = {
  addresses: [],
  contact: 'tel:+86-20-00000000',
  encryptionKey: encryptionKey(reader),
  host: publisher,
  id: reader,
  kind: 'institution',
  name: { en: 'Sample Bank (invented)', zh: '示例银行（虚构）' },
  organisation: 'GuangzhouMSP',
  region: '440100',
  signingKey: readerKey.jwk,
};

const second = { ...centre, id: 'foshan', organisation: 'FoshanMSP', region: '440600', signingKey: strangerKey.jwk };
export const charter = {
  chaincode: 'huilian',
  channel: 'huilian',
  founders: [{ caCertificate: pem, member: centre }, { caCertificate: pem, member: second }],
  name: { en: 'Consortium of the vectors (invented)', zh: '向量联盟（虚构）' },
  values: { offerSeconds: 60, ticketSeconds: 900 },
};
