import { beforeAll, describe, expect, it } from 'vitest';
import { jweDigest, signRelease, type ReleaseEnvelope } from '@huilian/protocol';
import { es256Signer, fillForm, generateMemberKeys, ProtocolError, publicKeysOf, readRelease, type OpenedAccess } from '../src/index.js';
import { RememberedSignatures } from '../src/remembered-signatures.js';
import { encrypt, makeAccess, makeConsortium, type Access } from './mini-consortium.js';

let access: Access;
beforeAll(async () => {
  access = await makeAccess(await makeConsortium());
});

async function verdict(opened: OpenedAccess, key = access.bank.encryptionKey): Promise<string> {
  try {
    await readRelease(opened, key);
    return 'read';
  } catch (error) {
    return error instanceof ProtocolError ? error.code : `not a refusal: ${String(error)}`;
  }
}

/** The same access with other content inside, signed by the publisher all the same. */
async function releasing(presentations: readonly { recordId: string; presentation: string }[], { apv = access.opened.ticket, ticket = access.opened.ticket } = {}): Promise<OpenedAccess> {
  const [publisher] = access.consortium.centres;
  if (publisher === undefined) throw new Error('a publisher');
  const jwe = await encrypt({ presentations, ticket }, apv, access.bank);
  const release = await signRelease({ jwe: jweDigest(jwe), publisher: publisher.keys.memberId, releasedAt: access.opened.state.openedAt, ticket: access.opened.ticket }, await es256Signer(publisher.keys.signingKey));
  return { ...access.opened, release: { jwe, release } };
}

const content = (): { recordId: string; presentation: string }[] =>
  access.opened.state.records.map(({ recordId }, index) => ({ recordId, presentation: access.presentations[index] ?? '' }));

describe('a release', () => {
  it('gives the granted claims of each record, and presentations that verify by themselves', async () => {
    const records = await readRelease(access.opened, access.bank.encryptionKey);
    expect(records.map(({ recordId, version }) => [recordId, version])).toEqual(access.opened.state.records.map(({ recordId }) => [recordId, 1]));
    for (const { claims } of records) expect(claims).toEqual({ entry: { code: 'HY-2026-0001', title: '虚构条目' }, score: { score: '92' } });
    expect(records.map(({ presentation }) => presentation)).toEqual(access.presentations);
  });

  it('is read with the reader\'s key only', async () => {
    expect(await verdict(access.opened, (await generateMemberKeys('other')).encryptionKey)).toBe('PAYLOAD_DECRYPT_FAILED');
  });

  it('is refused when any byte of the ciphertext, the statement or the publisher\'s key is another', async () => {
    const { jwe, release } = access.opened.release;
    const swapped = (text: string, at: number): string => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    const altered: ReleaseEnvelope[] = [];
    for (let at = 0; at < jwe.length; at += Math.floor(jwe.length / 25)) altered.push({ jwe: swapped(jwe, at), release });
    for (let at = 0; at < release.length; at += Math.floor(release.length / 25)) altered.push({ jwe, release: swapped(release, at) });
    for (const envelope of altered) expect(await verdict({ ...access.opened, release: envelope })).toMatch(/^(?:RELEASE_|BAD_FIELD|UNKNOWN_FIELD)/);
    const stranger = publicKeysOf(await generateMemberKeys('other')).signingKey;
    expect(await verdict({ ...access.opened, publisherKey: stranger })).toBe('RELEASE_BAD_SIGNATURE');
  });

  it('does not pass for another ticket', async () => {
    expect(await verdict({ ...access.opened, ticket: `${'a'.repeat(64)}/0` })).toBe('RELEASE_HASH_MISMATCH');
    expect(await verdict(await releasing(content(), { apv: `${'a'.repeat(64)}/0` }))).toBe('PAYLOAD_DECRYPT_FAILED');
    expect(await verdict(await releasing(content(), { ticket: `${'a'.repeat(64)}/0` }))).toBe('RELEASE_HASH_MISMATCH');
  });

  it('is refused with records missing, doubled, exchanged or of other content', async () => {
    const [first, second] = content();
    if (first === undefined || second === undefined) throw new Error('two records');
    expect(await verdict(await releasing([first, second]))).toBe('read');
    expect(await verdict(await releasing([first]))).toBe('RELEASE_HASH_MISMATCH');
    expect(await verdict(await releasing([first, first]))).toBe('RELEASE_HASH_MISMATCH');
    expect(await verdict(await releasing([second, first]))).toBe('RELEASE_HASH_MISMATCH');
    expect(await verdict(await releasing([{ ...first, presentation: second.presentation }, second]))).toBe('PAYLOAD_DIGEST_MISMATCH');
  });

  it('is refused with more than the ticket covers', async () => {
    const { state } = access.opened;
    expect(await verdict({ ...access.opened, state: { ...state, claims: ['entry'] } })).toBe('DISCLOSURE_INVALID');
  });
});

describe('a release that comes again', () => {
  it('is read again, and refused where any byte of it, the key or the ticket is another', async () => {
    const { verify } = new RememberedSignatures();
    const again = async (opened: OpenedAccess, key = access.bank.encryptionKey): Promise<unknown> =>
      await readRelease(opened, key, verify).catch((error: unknown) => (error instanceof ProtocolError ? error.code : `not a refusal: ${String(error)}`));
    const first = await again(access.opened);
    expect(Array.isArray(first)).toBe(true);
    expect(await again(access.opened)).toEqual(first);
    const { jwe, release } = access.opened.release;
    const swapped = (text: string, at: number): string => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    for (let at = 0; at < jwe.length; at += Math.floor(jwe.length / 25)) expect(await again({ ...access.opened, release: { jwe: swapped(jwe, at), release } })).toMatch(/^RELEASE_HASH_MISMATCH$/);
    for (let at = 0; at < release.length; at += Math.floor(release.length / 25)) expect(await again({ ...access.opened, release: { jwe, release: swapped(release, at) } })).toMatch(/^(?:RELEASE_|BAD_FIELD|UNKNOWN_FIELD)/);
    expect(await again({ ...access.opened, publisherKey: publicKeysOf(await generateMemberKeys('other')).signingKey })).toBe('RELEASE_BAD_SIGNATURE');
    expect(await again({ ...access.opened, ticket: `${'a'.repeat(64)}/0` })).toBe('RELEASE_HASH_MISMATCH');
    expect(await again(access.opened, (await generateMemberKeys('other')).encryptionKey)).toBe('PAYLOAD_DECRYPT_FAILED');
    expect(await again({ ...access.opened, state: { ...access.opened.state, claims: ['entry'] } })).toBe('DISCLOSURE_INVALID');
    // The publisher signed these as well, but not what they carry.
    const [one, two] = content();
    if (one === undefined || two === undefined) throw new Error('two records');
    const [head = '', payload = '', rest = ''] = one.presentation.split('.');
    for (const presentation of [`${head}.${payload}.${swapped(rest, 3)}`, `${swapped(head, 40)}.${payload}.${rest}`]) expect(await again(await releasing([{ ...one, presentation }, two]))).toMatch(/^PAYLOAD_/);
    expect(await again(access.opened)).toEqual(first);
  });

  it('is remembered by the signature\'s key, bytes and message together', async () => {
    const { verify } = new RememberedSignatures();
    const keys = await generateMemberKeys('bank');
    const { signingKey } = publicKeysOf(keys);
    const message = new TextEncoder().encode('an invented message');
    const signature = new Uint8Array(await (await es256Signer(keys.signingKey))(message));
    for (let times = 0; times < 2; times += 1) {
      expect(verify(signingKey, message, signature)).toBe(true);
      expect(verify(publicKeysOf(access.bank).signingKey, message, signature)).toBe(false);
      expect(verify(signingKey, message.subarray(1), signature)).toBe(false);
      expect(verify(signingKey, message, signature.with(5, (signature[5] ?? 0) ^ 1))).toBe(false);
      expect(verify(signingKey, message, signature.subarray(1))).toBe(false);
    }
  });
});

describe('a form', () => {
  it('is filled with verified claims, each naming its record; the rest is missing', async () => {
    const records = await readRelease(access.opened, access.bank.encryptionKey);
    const form = fillForm({ 条目: 'credit/entry.title', 评分: 'credit/score.score', 认定: 'credit/finding.text', 名称: 'entity/identity.name', 错: 'no path' }, records);
    const from = { recordId: records[0]?.recordId, version: 1 };
    expect(form.fields).toEqual({ 条目: { value: '虚构条目', from }, 评分: { value: '92', from } });
    expect(form.missing).toEqual(['认定', '名称', '错']);
  });
});
