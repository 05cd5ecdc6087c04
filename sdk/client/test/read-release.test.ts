import { beforeAll, describe, expect, it } from 'vitest';
import { jweDigest, signRelease, type ReleaseEnvelope } from '@huilian/protocol';
import { es256Signer, fillForm, generateMemberKeys, ProtocolError, publicKeysOf, readRelease, type OpenedAccess } from '../src/index.js';
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

describe('a form', () => {
  it('is filled with verified claims, each naming its record; the rest is missing', async () => {
    const records = await readRelease(access.opened, access.bank.encryptionKey);
    const form = fillForm({ 条目: 'credit/entry.title', 评分: 'credit/score.score', 认定: 'credit/finding.text', 名称: 'entity/identity.name', 错: 'no path' }, records);
    const from = { recordId: records[0]?.recordId, version: 1 };
    expect(form.fields).toEqual({ 条目: { value: '虚构条目', from }, 评分: { value: '92', from } });
    expect(form.missing).toEqual(['认定', '名称', '错']);
  });
});
