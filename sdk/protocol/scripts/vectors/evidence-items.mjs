// Evidence files: their shape, and files of the right shape that prove nothing. Files that do prove an access need the
// endorsements of a running ledger and are made in the tests of the SDK.
import { accepts, b64, documentDigest, hex, jws, ownerWallet, refuses, seeded, sha256Hex, spoil, types } from './second-source.mjs';
import { batchHeaders, charter, domain, domainFacts, grant, now, placed, publisher, publisherKey, reader, readerKey, requestJws, request, ticket } from './samples.mjs';
import { TypedDataEncoder } from 'ethers';

/** Protobuf fields of bytes shorter than 128. @param {[number, string | Uint8Array][]} fields */
function message(fields) {
  return Buffer.concat(fields.map(([number, value]) => Buffer.concat([Buffer.of((number << 3) | 2, Buffer.from(value).length), Buffer.from(value)])));
}
/** @param {string} organisation */
const endorsedBy = (organisation) => ({
  endorsements: [{ identity: b64(message([[1, organisation], [2, 'no certificate']])), signature: b64(seeded('endorsement')) }],
  proposalResponse: b64(message([[1, seeded('proposal')], [2, 'no action']])),
  transactionId: ticket.split('/')[0],
});
const jwe = 'invented.ciphertext.of.a.release';
const signature = ownerWallet('first').signingKey.sign(TypedDataEncoder.hash(domain, { Grant: types.Grant }, grant)).serialized;
const evidence = {
  batches: [{ ...endorsedBy('GuangzhouMSP'), seq: 1 }],
  charter,
  domain,
  format: 'evidence/0',
  founding: domainFacts.founding,
  jweDigest: sha256Hex(jwe),
  readerKey: readerKey.jwk,
  receipt: jws({ alg: 'ES256', kid: reader, typ: 'huilian-receipt+jwt' }, { jwe: sha256Hex(jwe), reader, receivedAt: now + 9, resend: false, ticket }, readerKey),
  records: [placed(batchHeaders, 0, 1)],
  release: jws({ alg: 'ES256', kid: publisher, typ: 'huilian-release+jwt' }, { jwe: sha256Hex(jwe), publisher, releasedAt: now + 5, ticket }, publisherKey),
  request: requestJws(request),
  ticket: endorsedBy('GuangzhouMSP'),
  ticketId: ticket,
};
const withGrant = { ...evidence, grant: { domain, grant, signature, suite: 'eip712-secp256k1' } };
const compact = JSON.stringify(evidence);
const fingerprint = documentDigest(charter);
/** @param {object} value @param {string} [spelling] */
const reads = (value, spelling = JSON.stringify(value)) => [{ file: spelling }, { digest: documentDigest(value) }];
/** @param {string} name @param {any[]} pair */
const readable = (name, [input, expected]) => accepts(name, input, expected);
/** @param {string} name @param {string} file */
const malformed = (name, file) => refuses(name, { file }, 'EVIDENCE_MALFORMED');
/** @param {string} name @param {string} path @param {any} value */
const spoilt = (name, path, value) => malformed(name, JSON.stringify(spoil(evidence, path, value)));
/** @param {string} name @param {any} value @param {string} [trusted] */
const unproved = (name, value, trusted = fingerprint) => refuses(name, { file: JSON.stringify(value), fingerprint: trusted }, 'EVIDENCE_INVALID');

/** @type {import('./second-source.mjs').Item} */
export const evidenceFile = {
  item: 'evidence-file',
  about: 'Evidence files read as text and, where a charter’s fingerprint is given, verified: the code is that of the first check that fails. Endorsements and certificates are invented, test keys',
  valid: [
    readable('compact', reads(evidence)),
    readable('indented by two', reads(evidence, JSON.stringify(evidence, undefined, 2))),
    readable('final line feed', reads(evidence, `${compact}\n`)),
    readable('with the grant', reads(withGrant)),
    readable('with the registration', reads({ ...evidence, registration: endorsedBy('GuangzhouMSP') })),
  ],
  invalid: [
    malformed('empty', ''),
    malformed('not JSON', 'evidence'),
    malformed('a list', '[]'),
    malformed('indented by four', JSON.stringify(evidence, undefined, 4)),
    malformed('two line feeds', `${compact}\n\n`),
    malformed('one key twice', compact.replace('"format":', '"format":"evidence/1","format":')),
    spoilt('another format', 'format', 'evidence/1'),
    spoilt('unknown field', 'note', ''),
    spoilt('no endorsement', 'ticket/endorsements', []),
    spoilt('no records', 'records', []),
    spoilt('release missing', 'release', undefined),
    spoilt('header without owner', 'records/0/header/owner', undefined),
    spoilt('one founder twice', 'charter/founders/1', charter.founders[0]),
    spoilt('private part of the reader’s key', 'readerKey/d', hex(seeded('no key'))),
    malformed('grant of an unknown purpose', JSON.stringify(spoil(withGrant, 'grant/grant/purpose', '*'))),
    unproved('fingerprint of another charter', evidence, sha256Hex('another charter')),
    unproved('charter changed', spoil(evidence, 'charter/values/ticketSeconds', 901)),
    unproved('founding of another consortium', { ...evidence, founding: sha256Hex('another founding') }),
    unproved('endorser without a certificate', evidence),
    unproved('endorser of no founder', { ...evidence, ticket: endorsedBy('OtherMSP') }),
  ],
};
