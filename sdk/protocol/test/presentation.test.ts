import { createHash } from 'node:crypto';
import { compactVerify, exportJWK, generateKeyPair, importJWK, CompactSign } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  buildPayload, issuerOf, payloadDigest, presentPayload, ProtocolError, signPayload, verifyPresentation,
  type Es256Key, type Es256Sign, type JsonObject, type PayloadInput,
} from '@huilian/protocol';

const pair = await generateKeyPair('ES256', { extractable: true });
const { crv, kty, x = '', y = '' } = await exportJWK(pair.publicKey);
const signingKey = { crv, kty, x, y } as Es256Key;

/** Signs with jose: the protocol gives the signing input, jose's signature is cut from its own compact form. */
const sign: Es256Sign = async (signingInput) => {
  const [head = '', body = ''] = Buffer.from(signingInput).toString('ascii').split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as { alg: string };
  const compact = await new CompactSign(Buffer.from(body, 'base64url')).setProtectedHeader(header).sign(pair.privateKey);
  // jose writes the header's members as they were given, so both sign the same text.
  expect(compact.split('.').slice(0, 2).join('.')).toBe(`${head}.${body}`);
  return new Uint8Array(Buffer.from(compact.split('.')[2] ?? '', 'base64url'));
};

const claimNames = ['attachments', 'bank', 'contact', 'identity'];
const data: JsonObject = { bank: { account: '0000 invented' }, contact: [{ page: 'https://example.invalid', note: '引号" 与 反斜线\\' }], identity: { name: '示例公司（虚构）', uscc: '91440101MA5CK8T02A' } };
const input: PayloadInput = {
  recordId: 'guangzhou/entity/aaaaaaaaaaaaaaaaaaaaaaaaaa', version: 1, schema: 1, subject: 'org:91440101MA5CK8T02A', claimNames, data,
};

/** Bytes that look random and are another each time. */
function randomness(): (length: number) => Uint8Array {
  let count = 0;
  return (length) => {
    count += 1;
    return new Uint8Array(createHash('sha256').update(`salt ${String(count)}`).digest().subarray(0, length));
  };
}

const built = buildPayload(input, randomness());
const jwt = await signPayload(built.segment, ['bm8gY2VydGlmaWNhdGU='], sign);

/** RFC 9901 §7.1 as another implementer would read it: nothing of the protocol's package. */
async function independentReading(presentation: string): Promise<{ payload: Record<string, unknown>; claims: Record<string, unknown> }> {
  const [token = '', ...rest] = presentation.split('~');
  expect(rest.pop()).toBe('');
  const { payload, protectedHeader } = await compactVerify(token, await importJWK(signingKey, 'ES256'));
  expect(protectedHeader.typ).toBe('dc+sd-jwt');
  const facts = JSON.parse(Buffer.from(payload).toString('utf8')) as { _sd: string[]; _sd_alg: string };
  expect(facts._sd_alg).toBe('sha-256');
  const claims: Record<string, unknown> = {};
  for (const disclosure of rest) {
    const digest = createHash('sha256').update(disclosure, 'ascii').digest('base64url');
    expect(facts._sd.filter((entry) => entry === digest)).toHaveLength(1);
    const [salt, name, value] = JSON.parse(Buffer.from(disclosure, 'base64url').toString('utf8')) as [string, string, unknown];
    expect(Buffer.from(salt, 'base64url')).toHaveLength(16);
    expect(name in facts || name in claims).toBe(false);
    claims[name] = value;
  }
  return { payload: facts, claims };
}

describe('presentations', () => {
  const names = Object.keys(built.disclosures);
  const subsets = Array.from({ length: 2 ** names.length }, (_, bits) => names.filter((_name, at) => (bits >> at) % 2 === 1));

  it.each(subsets.map((shown) => [shown.join(' and ') || 'no claim', shown] as const))('of %s are read alike by another implementation', async (_, shown) => {
    const presentation = presentPayload(jwt, shown.map((name) => built.disclosures[name] ?? ''));
    const independent = await independentReading(presentation);
    const ours = verifyPresentation(presentation, { digest: built.digest, signingKey });
    expect(ours.claims).toEqual(independent.claims);
    expect(ours.claims).toEqual(Object.fromEntries(shown.map((name) => [name, data[name]])));
    expect(independent.payload).toMatchObject({ iss: issuerOf('guangzhou'), record: input.recordId, sub: input.subject, vct: 'urn:huilian:record:entity:1', version: 1 });
  });

  it('commit to the segment, whoever signs it', async () => {
    expect(built.digest).toBe(createHash('sha256').update(built.segment, 'ascii').digest('hex'));
    const other = await generateKeyPair('ES256', { extractable: true });
    const again = await new CompactSign(Buffer.from(built.segment, 'base64url')).setProtectedHeader({ alg: 'ES256', typ: 'dc+sd-jwt', x5c: ['bmV3'] }).sign(other.privateKey);
    const { crv: c, kty: k, x: newX = '', y: newY = '' } = await exportJWK(other.publicKey);
    const newKey = { crv: c, kty: k, x: newX, y: newY } as Es256Key;
    expect(verifyPresentation(presentPayload(again, []), { digest: built.digest, signingKey: newKey }).recordId).toBe(input.recordId);
    expect(() => verifyPresentation(presentPayload(again, []), { digest: built.digest, signingKey })).toThrow('PAYLOAD_BAD_SIGNATURE');
  });

  it('do not tell how many claims a record has', () => {
    const digests = (partial: JsonObject): unknown => {
      const { segment } = buildPayload({ ...input, data: partial }, randomness());
      return (JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')) as { _sd: string[] })._sd.map((digest) => digest.length);
    };
    expect(digests(data)).toEqual(digests({ identity: data['identity'] ?? null }));
    expect(digests({})).toEqual(claimNames.map(() => 43));
  });

  it('say nothing of time or holder', () => {
    const fields = Object.keys(JSON.parse(Buffer.from(built.segment, 'base64url').toString('utf8')) as object);
    expect(fields).toEqual(['_sd', '_sd_alg', 'iss', 'record', 'sub', 'vct', 'version']);
  });
});

const codeOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return error instanceof ProtocolError ? `${error.code} ${String(error.details['reason'])}` : `threw ${String(error)}`;
  }
  return 'taken';
};

describe('payloads that nobody could read', () => {
  it.each([
    ['a claim of the data that the kind does not name', { data: { ...data, extra: {} } }, 'RECORD_INVALID claim-unknown'],
    ['a claim with the name of a field of the payload', { claimNames: [...claimNames, 'version'], data: { version: 2 } }, 'RECORD_INVALID claim-name'],
    ['a claim that SD-JWT VC never discloses', { claimNames: [...claimNames, 'status'] }, 'RECORD_INVALID claim-name'],
    ['a claim named __proto__', { claimNames: [...claimNames, '__proto__'] }, 'RECORD_INVALID claim-name'],
    ['digests inside a claim', { data: { identity: { a: [{ _sd: [] }] } } }, 'RECORD_INVALID digest-key'],
    ['a digest inside a list', { data: { contact: [{ '...': 'digest' }] } }, 'RECORD_INVALID digest-key'],
    ['a fraction', { data: { identity: { share: 0.5 } } }, 'CANONICAL_INVALID number-not-integer'],
    ['a record id that is none', { recordId: 'entity/aaaa' }, 'BAD_ID record-id'],
  ])('are not built: %s', (_, changes, refusal) => {
    expect(codeOf(() => buildPayload({ ...input, ...changes } as PayloadInput, randomness()))).toBe(refusal);
  });

  it('takes a claim that has the name of something every object has', () => {
    const names = [...claimNames, 'constructor', 'toString'];
    const { disclosures } = buildPayload({ ...input, claimNames: names, data: { toString: { a: 1 } } as unknown as JsonObject }, randomness());
    expect(Object.keys(disclosures)).toEqual(['toString']);
  });
});

describe('disclosures that the payload commits to', () => {
  const salt = 'c2FsdCBvZiAxMjggYml0cw';
  /** A presentation whose payload lists the digest of this one disclosure. */
  async function committed(disclosure: string): Promise<{ presentation: string; digest: string }> {
    const payload = { _sd: [createHash('sha256').update(disclosure).digest('base64url')], _sd_alg: 'sha-256', iss: issuerOf('guangzhou'), record: input.recordId, vct: 'urn:huilian:record:entity:1', version: 1 };
    const segment = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return { presentation: presentPayload(await signPayload(segment, ['bm9uZQ=='], sign), [disclosure]), digest: payloadDigest(segment) };
  }

  it.each([
    ['as the publisher makes them', `["${salt}","identity",{"a":1}]`, 'taken'],
    ['with blanks', `["${salt}", "identity", {"a": 1}]`, 'DISCLOSURE_INVALID not-json'],
    ['with one key twice, which two readers would read as two things', `["${salt}","identity",{"a":1,"a":2}]`, 'DISCLOSURE_INVALID not-json'],
    ['with a fraction', `["${salt}","identity",1.5]`, 'DISCLOSURE_INVALID not-json'],
    ['with a short salt', '["c2FsdA","identity",{}]', 'DISCLOSURE_INVALID shape'],
    ['with a salt that is a number', '[7,"identity",{}]', 'DISCLOSURE_INVALID shape'],
    ['with the name of a field of the payload', `["${salt}","iss",{}]`, 'DISCLOSURE_INVALID shape'],
    ['with a name of another grammar', `["${salt}","Identity number",{}]`, 'DISCLOSURE_INVALID shape'],
    ['with digests inside', `["${salt}","identity",{"a":[{"_sd":[]}]}]`, 'DISCLOSURE_INVALID shape'],
    ['of one element of a list', `["${salt}","identity"]`, 'DISCLOSURE_INVALID shape'],
  ])('%s', async (_, text, refusal) => {
    const { presentation, digest } = await committed(Buffer.from(text).toString('base64url'));
    expect(codeOf(() => verifyPresentation(presentation, { digest, signingKey }))).toBe(refusal);
  });

  it('under a protected header with a member twice are refused', async () => {
    const { segment } = buildPayload(input, randomness());
    const head = Buffer.from('{"alg":"none","alg":"ES256","typ":"dc+sd-jwt","x5c":["bm9uZQ=="]}').toString('base64url');
    expect(codeOf(() => verifyPresentation(`${head}.${segment}.${'A'.repeat(86)}~`, { digest: payloadDigest(segment), signingKey }))).toBe('PAYLOAD_MALFORMED jws');
    await Promise.resolve();
  });
});
