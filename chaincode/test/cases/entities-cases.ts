import { generateKeyPairSync } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import {
  businessCa,
  centreDocument,
  codeExtension,
  COMPANY,
  companyCertificate,
  derOf,
  domainOf,
  fingerprintOf,
  issue,
  keyOf,
  newWallet,
  OTHER_COMPANY,
  OTHER_OWNER,
  otherWallet,
  OWNER,
  registration,
  signed,
  TIME,
  wallet,
  type Issued,
} from '../consortium.js';
import type { LedgerCall } from '../memory-ledger.js';
import type { Json, JsonRecord } from '../plain-json.js';
import { ca, call, memberState, ownerState, type LedgerCase } from './ledger-case.js';

const threeDays = 72 * 3600;

function certified(name: string, argument: Json, chain: readonly string[], fields: Partial<LedgerCall> = {}): LedgerCall {
  return call(name, argument, { transient: { certificate: chain }, ...fields });
}

function registered(key: string, certificate: Issued, fields: JsonRecord = {}): JsonRecord {
  return { ca, certificate: fingerprintOf(certificate), key, owner: OWNER, registeredAt: TIME, sequence: 1, ...fields };
}

const intermediate = await issue({ subject: 'CN=Issuing CA (invented)', ca: true, pathLength: 0 }, businessCa);
const underIntermediate = await issue({ subject: `CN=Invented Company, OU=${COMPANY}`, algorithm: 'rsa' }, intermediate);
const bySubject = await issue({ subject: `CN=${COMPANY}` }, businessCa);
const bySerialNumber = await issue({ subject: `2.5.4.5=${COMPANY}, CN=Invented Company` }, businessCa);
const bareText = await issue({ subject: 'CN=Invented Company', extensions: [new x509.Extension('1.2.86.11.7.4', false, Buffer.from(COMPANY))] }, businessCa);
const printable = await issue(
  { subject: 'CN=Invented Company', extensions: [new x509.Extension('1.2.86.11.7.4', false, Buffer.concat([Buffer.from([0x13, 18]), Buffer.from(COMPANY)]))] },
  businessCa,
);

const otherCompany = await issue({ subject: `CN=${COMPANY}`, extensions: [codeExtension(OTHER_COMPANY)] }, businessCa);
const twoCodes = await issue({ subject: `CN=${OTHER_COMPANY}, OU=${COMPANY}` }, businessCa);
const noCode = await issue({ subject: 'CN=Invented Company' }, businessCa);
const expired = await issue({ subject: `CN=${COMPANY}`, until: TIME - 1 }, businessCa);
const notYet = await issue({ subject: `CN=${COMPANY}`, from: TIME + 1 }, businessCa);
const encrypting = await issue({ subject: `CN=${COMPANY}`, usages: x509.KeyUsageFlags.keyEncipherment }, businessCa);
const strangerCa = await issue({ subject: 'CN=Stranger CA (invented)', ca: true });
const byStranger = await issue({ subject: `CN=${COMPANY}` }, strangerCa);
const impostorCa = await issue({ subject: 'CN=Business CA (invented), O=Invented', ca: true });
const byImpostor = await issue({ subject: `CN=${COMPANY}` }, impostorCa);
const notIssuer = await issue({ subject: 'CN=Not an issuer (invented)' }, businessCa);
const byNotIssuer = await issue({ subject: `CN=${COMPANY}` }, notIssuer);
const tooDeepCa = await issue({ subject: 'CN=Too deep CA (invented)', ca: true }, intermediate);
const tooDeep = await issue({ subject: `CN=${COMPANY}` }, tooDeepCa);
const strange = await issue({ subject: `CN=${COMPANY}`, extensions: [new x509.Extension('1.2.3.4.5', true, Buffer.from([5, 0]))] }, businessCa);
const unlikeIssuer = await issue({ subject: `CN=${COMPANY}` }, { certificate: strangerCa.certificate, keys: businessCa.keys });
const certSigning = await issue({ subject: 'CN=No CA that may sign (invented)', usages: x509.KeyUsageFlags.keyCertSign }, businessCa);
const byCertSigning = await issue({ subject: `CN=${COMPANY}` }, certSigning);
const mayNotSign = await issue({ subject: 'CN=CA that may not sign (invented)', ca: true, usages: x509.KeyUsageFlags.cRLSign }, businessCa);
const byMayNotSign = await issue({ subject: `CN=${COMPANY}` }, mayNotSign);
const weak = await issue({ subject: `CN=${COMPANY}`, algorithm: 'rsa1024' }, businessCa);
const unlistedCurve = await issue(
  { subject: `CN=${COMPANY}`, publicKey: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'der', type: 'spki' }) },
  businessCa,
);
const otherCurve = await issue({ subject: `CN=${COMPANY}`, algorithm: 'p384' }, businessCa);
const companyCa = await issue({ subject: `CN=${COMPANY}`, ca: true, usages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature }, businessCa);

const register = async (by: Issued, chain: readonly Issued[] = [by], fields: JsonRecord = {}, options: Partial<LedgerCall> = {}): Promise<LedgerCall> =>
  certified('entities:register', await registration(fields, by), chain.map(derOf), options);
const recover = async (caller: string, fields: JsonRecord = {}, options: Partial<LedgerCall> = {}): Promise<LedgerCall> =>
  certified('entities:recover', await registration({ key: keyOf(newWallet), ...fields }, companyCertificate), [derOf(companyCertificate)], { caller, ...options });

async function registers(name: string, by: Issued, chain: readonly Issued[] = [by]): Promise<LedgerCase> {
  const payload = { key: keyOf(wallet), owner: OWNER, sequence: 1 };
  return {
    name: `register: ${name}`,
    given: 'trusting',
    call: await register(by, chain),
    expect: { response: payload, event: { name: 'registerOwner', payload }, writes: { [`owner ${OWNER}`]: registered(keyOf(wallet), by) }, reads: [`owner ${OWNER}`] },
  };
}

async function refused(name: string, code: string, by: Issued, chain: readonly Issued[] = [by]): Promise<LedgerCase> {
  return { name: `register: ${name}`, given: 'trusting', call: await register(by, chain), code };
}

function recovery(approvals: readonly string[], effectiveAt: number, fields: JsonRecord = {}): JsonRecord {
  return { approvals, ca, certificate: fingerprintOf(companyCertificate), effectiveAt, key: keyOf(newWallet), ...fields };
}
const withRecovery = (value: JsonRecord): Readonly<Record<string, Json>> => ({ [`owner ${OWNER}`]: { ...ownerState, recovery: value } });

const rotationTerms = { expires: TIME + 600, newKey: keyOf(otherWallet), owner: OWNER };
const rotation = await signed('KeyRotation', 'rotation', rotationTerms, wallet);
const rotate = (argument: Json): LedgerCall => call('entities:rotateKey', argument, { caller: 'ZhuhaiMSP' });
const objectionTerms = { newKey: keyOf(newWallet), owner: OWNER };
const objection = await signed('RecoveryObjection', 'objection', objectionTerms, wallet);

function recovered(approvals: readonly string[], effectiveAt: number): { event: { name: string; payload: Json }; response: Json } {
  const payload = { approvals, effectiveAt, key: keyOf(newWallet), owner: OWNER };
  return { response: payload, event: { name: 'recoverOwner', payload } };
}

export const validEntities: readonly LedgerCase[] = [
  await registers('the code in an extension', companyCertificate),
  await registers('the code in the subject, chain with the CA itself', bySubject, [bySubject, businessCa]),
  await registers('the code as serial number of the subject', bySerialNumber),
  await registers('an RSA certificate under an intermediate', underIntermediate, [underIntermediate, intermediate]),
  await registers('bare text in the second extension voted for', bareText),
  await registers('a PrintableString', printable),
  {
    name: 'rotateKey: signed by the key in force, brought by any centre',
    given: 'published',
    call: rotate(rotation),
    expect: {
      response: { key: keyOf(otherWallet), owner: OWNER, sequence: 2 },
      event: { name: 'rotateOwnerKey', payload: { key: keyOf(otherWallet), owner: OWNER, sequence: 2 } },
      writes: { [`owner ${OWNER}`]: { ...ownerState, key: keyOf(otherWallet), sequence: 2 } },
    },
  },
  {
    name: 'rotateKey: by a key recovered 72 hours ago',
    given: 'published',
    state: withRecovery(recovery(['beijing', 'zhuhai'], TIME)),
    call: rotate(await signed('KeyRotation', 'rotation', rotationTerms, newWallet)),
    expect: {
      response: { key: keyOf(otherWallet), owner: OWNER, sequence: 3 },
      event: { name: 'rotateOwnerKey', payload: { key: keyOf(otherWallet), owner: OWNER, sequence: 3 } },
      writes: { [`owner ${OWNER}`]: { ...ownerState, key: keyOf(otherWallet), sequence: 3 } },
    },
  },
  {
    name: 'recover: the first centre',
    given: 'published',
    call: await recover('ZhuhaiMSP'),
    expect: { ...recovered(['zhuhai'], 0), writes: { [`owner ${OWNER}`]: { ...ownerState, recovery: recovery(['zhuhai'], 0) } } },
  },
  {
    name: 'recover: the second centre starts 72 hours',
    given: 'published',
    state: withRecovery(recovery(['zhuhai'], 0)),
    call: await recover('BeijingMSP'),
    expect: {
      ...recovered(['beijing', 'zhuhai'], TIME + threeDays),
      writes: { [`owner ${OWNER}`]: { ...ownerState, recovery: recovery(['beijing', 'zhuhai'], TIME + threeDays) } },
    },
  },
  {
    name: 'recover: another key starts anew before the second approval',
    given: 'published',
    state: withRecovery(recovery(['zhuhai'], 0, { key: keyOf(otherWallet) })),
    call: await recover('BeijingMSP'),
    expect: { ...recovered(['beijing'], 0), writes: { [`owner ${OWNER}`]: { ...ownerState, recovery: recovery(['beijing'], 0) } } },
  },
  {
    name: 'recover: another certificate starts anew before the second approval',
    given: 'published',
    state: withRecovery(recovery(['zhuhai'], 0, { certificate: fingerprintOf(bySubject) })),
    call: await recover('BeijingMSP'),
    expect: { ...recovered(['beijing'], 0), writes: { [`owner ${OWNER}`]: { ...ownerState, recovery: recovery(['beijing'], 0) } } },
  },
  {
    name: 'recover: the approval of a centre suspended since does not count',
    given: 'published',
    state: {
      ...withRecovery(recovery(['zhuhai'], 0)),
      electorate: { centres: ['beijing', 'guangzhou'] },
      'member zhuhai': memberState(centreDocument('zhuhai'), { status: 'suspended' }),
    },
    call: await recover('BeijingMSP'),
    expect: { ...recovered(['beijing'], 0), writes: { [`owner ${OWNER}`]: { ...ownerState, recovery: recovery(['beijing'], 0) } } },
  },
  {
    name: 'objectRecovery: the old key one second before the recovery takes effect',
    given: 'published',
    state: withRecovery(recovery(['beijing', 'zhuhai'], TIME + 1)),
    call: call('entities:objectRecovery', objection),
    expect: {
      response: { key: keyOf(newWallet), owner: OWNER },
      event: { name: 'objectRecovery', payload: { key: keyOf(newWallet), owner: OWNER } },
      writes: { [`owner ${OWNER}`]: ownerState },
    },
  },
];

const garbage = certified('entities:register', await registration({}, companyCertificate), [Buffer.from('no certificate').toString('base64')]);
const trailing = certified('entities:register', await registration({}, companyCertificate), [Buffer.concat([Buffer.from(derOf(companyCertificate), 'base64'), Buffer.from([0])]).toString('base64')]);
const sixCertificates = Array.from({ length: 6 }, () => derOf(companyCertificate));

export const invalidEntities: readonly LedgerCase[] = [
  { name: 'register: the owner has a key', given: 'published', call: await register(companyCertificate), code: 'OWNER_EXISTS' },
  { name: 'register: expired', given: 'trusting', call: await register(companyCertificate, undefined, { expires: TIME }), code: 'STATEMENT_EXPIRED' },
  { name: 'register: signed for more than a day ahead', given: 'trusting', call: await register(companyCertificate, undefined, { expires: TIME + 86_401 }), code: 'BAD_FIELD' },
  { name: 'register: for another consortium', given: 'trusting', call: await register(companyCertificate, undefined, { salt: domainOf('00'.repeat(32)).salt }), code: 'GRANT_WRONG_DOMAIN' },
  { name: 'register: by an organisation of no member', given: 'trusting', call: await register(companyCertificate, undefined, {}, { caller: 'StrangerMSP' }), code: 'FORBIDDEN' },
  { name: 'register: before the founding', given: 'empty', call: await register(companyCertificate), code: 'NOT_FOUNDED' },
  { name: 'register: no certificate', given: 'trusting', call: call('entities:register', await registration({}, companyCertificate)), code: 'CERTIFICATE_INVALID' },
  { name: 'register: transient data that is no list', given: 'trusting', call: call('entities:register', await registration({}, companyCertificate), { transient: { certificate: 'x' } }), code: 'CERTIFICATE_INVALID' },
  { name: 'register: bytes that are no certificate', given: 'trusting', call: garbage, code: 'CERTIFICATE_INVALID' },
  { name: 'register: a byte after the certificate', given: 'trusting', call: trailing, code: 'CERTIFICATE_INVALID' },
  { name: 'register: a chain too long', given: 'trusting', call: certified('entities:register', await registration({}, companyCertificate), sixCertificates), code: 'CERTIFICATE_INVALID' },
  await refused('a certificate for encryption only', 'CERTIFICATE_INVALID', encrypting),
  await refused('a CA\'s own certificate', 'CERTIFICATE_INVALID', companyCa),
  await refused('a critical extension nobody understands', 'CERTIFICATE_INVALID', strange),
  await refused('issued by a certificate that is no CA\'s', 'CERTIFICATE_INVALID', byNotIssuer, [byNotIssuer, notIssuer]),
  await refused('issued by what may sign certificates but is no CA', 'CERTIFICATE_INVALID', byCertSigning, [byCertSigning, certSigning]),
  await refused('issued by a CA that may not sign certificates', 'CERTIFICATE_INVALID', byMayNotSign, [byMayNotSign, mayNotSign]),
  await refused('an RSA key of 1,024 bits', 'CERTIFICATE_INVALID', weak),
  await refused('a key on a curve off the list', 'CERTIFICATE_INVALID', unlistedCurve),
  await refused('a key on another curve', 'STATEMENT_BAD_SIGNATURE', otherCurve),
  await refused('the voted CA\'s key under another issuer\'s name', 'CA_UNKNOWN', unlikeIssuer),
  { name: 'register: a second spelling of the same bytes', given: 'trusting', call: certified('entities:register', await registration({}, companyCertificate), [`${derOf(companyCertificate)}\n`]), code: 'CERTIFICATE_INVALID' },
  await refused('deeper than the intermediate may issue', 'CERTIFICATE_INVALID', tooDeep, [tooDeep, tooDeepCa, intermediate]),
  await refused('a CA that nobody voted for', 'CA_UNKNOWN', byStranger),
  await refused('a CA that nobody voted for, in the chain', 'CA_UNKNOWN', byStranger, [byStranger, strangerCa]),
  await refused('a CA of the voted one\'s name', 'CA_UNKNOWN', byImpostor),
  await refused('a chain whose links do not fit', 'CA_UNKNOWN', companyCertificate, [companyCertificate, intermediate]),
  await refused('an expired certificate', 'CERTIFICATE_EXPIRED', expired),
  await refused('a certificate not valid yet', 'CERTIFICATE_EXPIRED', notYet),
  await refused('another company in the extension', 'CERTIFICATE_OTHER_ENTITY', otherCompany),
  await refused('two companies in the subject', 'CERTIFICATE_OTHER_ENTITY', twoCodes),
  await refused('no company at all', 'CERTIFICATE_OTHER_ENTITY', noCode),
  {
    name: 'register: signed by another certificate\'s key',
    given: 'trusting',
    call: certified('entities:register', await registration({}, bySubject), [derOf(companyCertificate)]),
    code: 'STATEMENT_BAD_SIGNATURE',
  },
  {
    name: 'register: the statement changed after signing',
    given: 'trusting',
    call: certified('entities:register', { ...(await registration({}, companyCertificate)), statement: { ...((await registration({}, companyCertificate))['statement'] as JsonRecord), key: keyOf(otherWallet) } }, [derOf(companyCertificate)]),
    code: 'STATEMENT_BAD_SIGNATURE',
  },
  { name: 'rotateKey: unknown owner', given: 'published', call: rotate(await signed('KeyRotation', 'rotation', { ...rotationTerms, owner: OTHER_OWNER }, wallet)), code: 'OWNER_UNKNOWN' },
  { name: 'rotateKey: signed by a stranger', given: 'published', call: rotate(await signed('KeyRotation', 'rotation', rotationTerms, newWallet)), code: 'STATEMENT_BAD_SIGNATURE' },
  { name: 'rotateKey: by the old key after a recovery took effect', given: 'published', state: withRecovery(recovery(['beijing', 'zhuhai'], TIME)), call: rotate(rotation), code: 'STATEMENT_BAD_SIGNATURE' },
  { name: 'rotateKey: while a recovery waits', given: 'published', state: withRecovery(recovery(['beijing', 'zhuhai'], TIME + 1)), call: rotate(rotation), code: 'RECOVERY_PENDING' },
  { name: 'rotateKey: expired', given: 'published', call: rotate(await signed('KeyRotation', 'rotation', { ...rotationTerms, expires: TIME }, wallet)), code: 'STATEMENT_EXPIRED' },
  { name: 'rotateKey: for another consortium', given: 'published', call: rotate(await signed('KeyRotation', 'rotation', rotationTerms, wallet, domainOf('00'.repeat(32)))), code: 'GRANT_WRONG_DOMAIN' },
  { name: 'rotateKey: to the same key', given: 'published', call: rotate(await signed('KeyRotation', 'rotation', { ...rotationTerms, newKey: keyOf(wallet) }, wallet)), code: 'BAD_FIELD' },
  { name: 'rotateKey: upper-case signature', given: 'published', call: rotate({ ...rotation, signature: `0x${String(rotation['signature']).slice(2).toUpperCase()}` }), code: 'GRANT_NONCANONICAL_SIG' },
  { name: 'rotateKey: another suite', given: 'published', call: rotate({ ...rotation, suite: 'sm2' }), code: 'GRANT_SUITE_UNSUPPORTED' },
  { name: 'recover: by an organisation that is no centre\'s', given: 'published', call: await recover('StrangerMSP'), code: 'NOT_A_CENTRE' },
  { name: 'recover: an owner without a key', given: 'trusting', call: await recover('ZhuhaiMSP'), code: 'OWNER_UNKNOWN' },
  { name: 'recover: one centre twice', given: 'published', state: withRecovery(recovery(['zhuhai'], 0)), call: await recover('ZhuhaiMSP'), code: 'ALREADY_VOTED' },
  { name: 'recover: a third centre', given: 'published', state: withRecovery(recovery(['beijing', 'zhuhai'], TIME + 1)), call: await recover('GuangzhouMSP'), code: 'RECOVERY_PENDING' },
  { name: 'recover: the key in force', given: 'published', call: await recover('ZhuhaiMSP', { key: keyOf(wallet) }), code: 'BAD_FIELD' },
  { name: 'recover: expired', given: 'published', call: await recover('ZhuhaiMSP', { expires: TIME - 1 }), code: 'STATEMENT_EXPIRED' },
  { name: 'objectRecovery: nothing waits', given: 'published', call: call('entities:objectRecovery', objection), code: 'RECOVERY_UNKNOWN' },
  { name: 'objectRecovery: another key waits', given: 'published', state: withRecovery(recovery(['zhuhai'], 0, { key: keyOf(otherWallet) })), call: call('entities:objectRecovery', objection), code: 'RECOVERY_UNKNOWN' },
  { name: 'objectRecovery: when the recovery has taken effect', given: 'published', state: withRecovery(recovery(['beijing', 'zhuhai'], TIME)), call: call('entities:objectRecovery', objection), code: 'RECOVERY_UNKNOWN' },
  {
    name: 'objectRecovery: signed by the new key',
    given: 'published',
    state: withRecovery(recovery(['beijing', 'zhuhai'], TIME + 1)),
    call: call('entities:objectRecovery', await signed('RecoveryObjection', 'objection', objectionTerms, newWallet)),
    code: 'STATEMENT_BAD_SIGNATURE',
  },
];
