// The one-file Java reader against releases made here: what is whole it reads, what is changed anywhere it refuses by name.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalBytes, fromUtf8, headerLeaf, jweDigest, presentPayload, sha256, sha256Hex, signPayload, signRelease, splitPresentation, toBase64url, toHex, utf8, type Header } from '@huilian/protocol';
import { es256Signer, generateMemberKeys, publicKeysOf, type MemberKeys, type ReleaseFile } from '../src/index.js';
import { encrypt, makeAccess, makeConsortium, openedAt, selfCertificate, type Access } from './mini-consortium.js';

const source = fileURLToPath(new URL('../../../examples/java-reader/VerifyRelease.java', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'huilian-java-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** Major version of the JDK on PATH or in JAVA_HOME; 0 where there is none. */
function jdkVersion(): number {
  const { stderr, stdout } = spawnSync(program('javac'), ['-version'], { encoding: 'utf8' });
  return Number(/javac (\d+)/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1] ?? 0);
}

function program(name: string): string {
  const home = process.env['JAVA_HOME'];
  return home === undefined ? name : path.join(home, 'bin', name);
}

const jdk = jdkVersion();
if (jdk < 17) console.warn('SKIPPED: no JDK 17 or newer on PATH or in JAVA_HOME, so the Java reader was not tried / 未找到 JDK 17，跳过 Java 读取示例的测试');

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** The root that the centres endorsed. */
function batchRootOf({ evidence }: Access): string {
  const [batch] = evidence.batches;
  return /"root":"([0-9a-f]{64})"/.exec(Buffer.from(batch?.proposalResponse ?? '', 'base64url').toString('latin1'))?.[1] ?? '';
}

describe.skipIf(jdk < 17)('VerifyRelease.java', () => {
  let access: Access;
  let publisher: MemberKeys;
  let file: ReleaseFile;
  let count = 0;

  beforeAll(async () => {
    access = await makeConsortium().then(makeAccess);
    publisher = access.consortium.centres[0]?.keys as MemberKeys;
    const root = batchRootOf(access);
    file = { ...access.opened, proofs: access.evidence.records.map((placed) => ({ placed, root })) };
    const compiled = spawnSync(program('javac'), ['-Xlint:all,-serial', '-Werror', '--release', '17', '-d', folder, source], { encoding: 'utf8' });
    expect(compiled.stderr).toBe('');
  }, 60_000);

  function member(keys: MemberKeys): object {
    return { document: { id: publisher.memberId, ...publicKeysOf(keys) }, status: 'active' };
  }

  function read(release: unknown, { keys = access.bank as unknown, registered = member(publisher) as unknown } = {}): Ran {
    const dir = path.join(folder, String((count += 1)));
    mkdirSync(dir);
    const put = (name: string, value: unknown): string => {
      const to = path.join(dir, name);
      writeFileSync(to, typeof value === 'string' ? value : JSON.stringify(value));
      return to;
    };
    const args = ['--release', put('release.json', release), '--keys', put('keys.json', keys), '--publisher', put('publisher.json', registered)];
    const { status, stderr, stdout } = spawnSync(program('java'), ['-XX:TieredStopAtLevel=1', '-cp', folder, 'VerifyRelease', ...args], { encoding: 'utf8' });
    return { code: status, out: stdout, error: stderr };
  }

  /** A release as a publisher that holds the key could make it: what is inside is the test's. */
  async function released(presentations: readonly string[], { ticket = file.ticket, order = [0, 1] } = {}): Promise<ReleaseFile> {
    const content = { ticket, presentations: order.map((at) => ({ recordId: file.state.records[at]?.recordId ?? '', presentation: presentations[at] ?? '' })) };
    const jwe = await encrypt(content, file.ticket, access.bank);
    const release = await signRelease({ jwe: jweDigest(jwe), publisher: publisher.memberId, releasedAt: openedAt + 1, ticket: file.ticket }, await es256Signer(publisher.signingKey));
    return { ...file, release: { jwe, release } };
  }

  it('reads what is whole, run from its source as the docs say', () => {
    const put = (name: string, value: unknown): string => {
      writeFileSync(path.join(folder, name), JSON.stringify(value));
      return path.join(folder, name);
    };
    const args = [source, '--release', put('release.json', file), '--keys', put('keys.json', access.bank), '--publisher', put('publisher.json', member(publisher))];
    const { status, stderr, stdout } = spawnSync(program('java'), args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { records, ticket } = JSON.parse(stdout) as { ticket: string; records: { recordId: string; version: number; claims: object }[] };
    expect(ticket).toBe(file.ticket);
    expect(records.map(({ recordId }) => recordId)).toEqual(file.state.records.map(({ recordId }) => recordId));
    expect(records.map(({ claims }) => claims)).toEqual([0, 1].map(() => ({ entry: { code: 'HY-2026-0001', title: '虚构条目' }, score: { score: '92' } })));
  }, 30_000);

  it('says how it is called', () => {
    expect(spawnSync(program('java'), ['-cp', folder, 'VerifyRelease'], { encoding: 'utf8' })).toMatchObject({ status: 2, stderr: expect.stringContaining('usage') as string });
  }, 30_000);

  const changed = (text: string, at: number): string => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  const part = (compact: string, index: number, change: (part: string) => string): string => compact.split('.').map((each, at) => (at === index ? change(each) : each)).join('.');
  const inRelease = (change: Partial<ReleaseFile['release']>): ReleaseFile => ({ ...file, release: { ...file.release, ...change } });
  const inProof = (change: (proof: ReleaseFile['proofs'][number]) => unknown): object => ({ ...file, proofs: file.proofs.map((proof, at) => (at === 0 ? change(proof) : proof)) });
  const inHeader = (change: Partial<Header>): object => inProof(({ placed, root }) => ({ placed: { ...placed, header: { ...placed.header, ...change } }, root }));
  const inRecord = (change: object): object => ({ ...file, state: { ...file.state, records: file.state.records.map((record, at) => (at === 0 ? { ...record, ...change } : record)) } });

  const spoilt: readonly (readonly [what: string, code: string, make: () => unknown])[] = [
    ['a byte of the statement’s signature', 'RELEASE_BAD_SIGNATURE', () => inRelease({ release: part(file.release.release, 2, (text) => changed(text, 10)) })],
    ['a byte of the statement', 'RELEASE_BAD_SIGNATURE', () => inRelease({ release: part(file.release.release, 1, (text) => changed(text, 20)) })],
    ['the statement’s algorithm', 'RELEASE_BAD_SIGNATURE', () => inRelease({ release: part(file.release.release, 0, () => toBase64url(canonicalBytes({ alg: 'none', kid: publisher.memberId, typ: 'huilian-release+jwt' }))) })],
    ['the ciphertext’s header', 'RELEASE_HASH_MISMATCH', () => inRelease({ jwe: part(file.release.jwe, 0, (text) => changed(text, 30)) })],
    ['the initialisation vector', 'RELEASE_HASH_MISMATCH', () => inRelease({ jwe: part(file.release.jwe, 2, (text) => changed(text, 3)) })],
    ['a byte of the ciphertext', 'RELEASE_HASH_MISMATCH', () => inRelease({ jwe: part(file.release.jwe, 3, (text) => changed(text, 50)) })],
    ['the authentication tag', 'RELEASE_HASH_MISMATCH', () => inRelease({ jwe: part(file.release.jwe, 4, (text) => changed(text, 5)) })],
    ['the ticket', 'RELEASE_HASH_MISMATCH', () => ({ ...file, ticket: `${'0'.repeat(64)}/0` })],
    ['a record’s digest in the ticket', 'PAYLOAD_DIGEST_MISMATCH', () => inRecord({ digest: '0'.repeat(64) })],
    ['a record’s version in the ticket', 'PAYLOAD_DIGEST_MISMATCH', () => inRecord({ version: 2 })],
    ['a record’s id in the ticket', 'RELEASE_HASH_MISMATCH', () => inRecord({ recordId: file.state.records[1]?.recordId })],
    ['the claims granted', 'DISCLOSURE_INVALID', () => ({ ...file, state: { ...file.state, claims: ['entry'] } })],
    ['a step of the path', 'MERKLE_PATH_INVALID', () => inProof(({ placed, root }) => ({ placed: { ...placed, path: ['0'.repeat(64), ...placed.path.slice(1)] }, root }))],
    ['a path cut short', 'MERKLE_PATH_INVALID', () => inProof(({ placed, root }) => ({ placed: { ...placed, path: placed.path.slice(1) }, root }))],
    ['a path too long', 'MERKLE_PATH_INVALID', () => inProof(({ placed, root }) => ({ placed: { ...placed, path: [...placed.path, '0'.repeat(64)] }, root }))],
    ['the place', 'MERKLE_PATH_INVALID', () => inProof(({ placed, root }) => ({ placed: { ...placed, index: placed.index === 0 ? 1 : 0 }, root }))],
    ['the batch’s root', 'MERKLE_PATH_INVALID', () => inProof(({ placed }) => ({ placed, root: '0'.repeat(64) }))],
    ['a header’s digest', 'MERKLE_PATH_INVALID', () => inHeader({ digest: '0'.repeat(64) })],
    ['a header’s status', 'MERKLE_PATH_INVALID', () => inHeader({ status: 'revoked' })],
    ['a proof left out', 'MERKLE_PATH_INVALID', () => ({ ...file, proofs: file.proofs.slice(1) })],
    ['a field left out', 'MALFORMED', () => ({ ...file, state: undefined })],
    ['a key that stands twice', 'MALFORMED', () => JSON.stringify(file).replace('{', '{"ticket":"x",')],
    ['text behind the file', 'MALFORMED', () => `${JSON.stringify(file)} x`],
  ];

  it.each(spoilt)('refuses %s: %s', (_what, code, make) => {
    expect(read(make())).toEqual({ code: 1, out: '', error: expect.stringContaining(`REFUSED ${code}: `) as string });
  }, 30_000);

  it('refuses another reader’s key, and another key than the registered one', async () => {
    expect(read(file, { keys: await generateMemberKeys('sample-bank') }).error).toContain('REFUSED PAYLOAD_DECRYPT_FAILED: ');
    expect(read(file, { registered: member(await generateMemberKeys(publisher.memberId)) }).error).toContain('REFUSED RELEASE_BAD_SIGNATURE: ');
    expect(read(file, { registered: { document: { id: 'qingyuan', ...publicKeysOf(publisher) } } }).error).toContain('REFUSED RELEASE_BAD_SIGNATURE: ');
  }, 30_000);

  describe('what its publisher signed and should not have', () => {
    const first = (change: (presentation: string) => string): string[] => access.presentations.map((presentation, at) => (at === 0 ? change(presentation) : presentation));
    const rewritten = async (segment: (presentation: string) => string, x5c?: readonly string[]): Promise<string[]> => {
      const { disclosures } = splitPresentation(access.presentations[0] ?? '');
      const jwt = await signPayload(segment(access.presentations[0] ?? ''), x5c ?? [await selfCertificate(publisher)], await es256Signer(publisher.signingKey));
      return first(() => presentPayload(jwt, disclosures));
    };
    const segmentOf = (presentation: string): string => presentation.split('.')[1] ?? '';

    const made: readonly (readonly [what: string, code: string, make: () => Promise<unknown>])[] = [
      ['content of another ticket', 'RELEASE_HASH_MISMATCH', async () => await released(access.presentations, { ticket: `${'0'.repeat(64)}/0` })],
      ['records in another order', 'RELEASE_HASH_MISMATCH', async () => await released(access.presentations, { order: [1, 0] })],
      ['a record left out', 'RELEASE_HASH_MISMATCH', async () => await released(access.presentations, { order: [0] })],
      ['one record’s content for another', 'PAYLOAD_DIGEST_MISMATCH', async () => await released([access.presentations[1] ?? '', access.presentations[1] ?? ''])],
      ['another payload', 'PAYLOAD_DIGEST_MISMATCH', async () => await released(await rewritten((presentation) => toBase64url(canonicalBytes({ ...(JSON.parse(fromUtf8(Buffer.from(segmentOf(presentation), 'base64url'))) as object), version: 2 }))))],
      ['a payload’s signature', 'PAYLOAD_BAD_SIGNATURE', async () => await released(first((presentation) => presentation.replace(/\.([^.~]+)~/, (_whole, signature: string) => `.${changed(signature, 10)}~`)))],
      ['a certificate of another key', 'PAYLOAD_BAD_SIGNATURE', async () => await released(await rewritten(segmentOf, [await selfCertificate(await generateMemberKeys(publisher.memberId))]))],
      ['a certificate that is none', 'PAYLOAD_BAD_SIGNATURE', async () => await released(await rewritten(segmentOf, ['MIIB']))],
      ['a disclosure that nobody committed to', 'DISCLOSURE_INVALID', async () => await released(first((presentation) => `${presentation}${toBase64url(canonicalBytes(['AAAAAAAAAAAAAAAAAAAAAA', 'entry', { code: 'other' }]))}~`))],
      ['a disclosure twice', 'DISCLOSURE_INVALID', async () => await released(first((presentation) => `${presentation}${splitPresentation(presentation).disclosures[0] ?? ''}~`))],
      ['a presentation without its end', 'PAYLOAD_MALFORMED', async () => await released(first((presentation) => presentation.slice(0, -1)))],
    ];

    it.each(made)('%s: %s', async (_what, code, make) => {
      expect(read(await make())).toEqual({ code: 1, out: '', error: expect.stringContaining(`REFUSED ${code}: `) as string });
    }, 30_000);

    it('a claim with digests inside, though it committed to it', async () => {
      const [placed] = access.evidence.records;
      const record = file.state.records[0];
      if (placed === undefined || record === undefined) throw new Error('a record');
      const disclosure = toBase64url(canonicalBytes(['AAAAAAAAAAAAAAAAAAAAAA', 'entry', { inner: [{ _sd: [] }] }]));
      const payload = JSON.parse(fromUtf8(Buffer.from(segmentOf(access.presentations[0] ?? ''), 'base64url'))) as object;
      const segment = toBase64url(canonicalBytes({ ...payload, _sd: [toBase64url(sha256(utf8(disclosure)))] }));
      const header = { ...placed.header, digest: sha256Hex(utf8(segment)) };
      const jwt = await signPayload(segment, [await selfCertificate(publisher)], await es256Signer(publisher.signingKey));
      const whole = await released(first(() => presentPayload(jwt, [disclosure])));
      const proof = { placed: { ...placed, header, index: 0, path: [], size: 1 }, root: toHex(headerLeaf(header)) };
      const made = { ...whole, state: { ...whole.state, records: [{ ...record, digest: header.digest }, ...whole.state.records.slice(1)] }, proofs: [proof, ...whole.proofs.slice(1)] };
      expect(read(made)).toEqual({ code: 1, out: '', error: 'REFUSED DISCLOSURE_INVALID: digests inside a claim\n' });
    }, 30_000);

    it('and reads what it made rightly', async () => {
      expect(read(await released(access.presentations))).toMatchObject({ code: 0, error: '' });
    }, 30_000);
  });
});
