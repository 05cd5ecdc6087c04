// What an operator and an owner do by the command line, against nodes that run.
import { createPrivateKey, webcrypto } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Wallet } from 'ethers';
import { MemberClient, publicKeysOf, type FoundRecord } from '@huilian/sdk';
import type { MemberState, OwnerState } from '@huilian/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SampleCa } from '../../node/src/composition/local/sample-ca.js';
import { qualification } from '../../node/test/sample-lines.js';
import { catalogueCases } from './catalogue/catalogue-by-vote.js';
import { completenessCases } from './catalogue/completeness.js';
import { joinCases } from './catalogue/joins.js';
import { command, readJson } from './main-job.js';
import { ownerViews } from './owner-view/owner-views.js';
import { RunningConsortium, type Centre } from './running-consortium.js';

const consortium = new RunningConsortium();
const state = (centre: Centre): string => path.join(consortium.dir, 'nodes', centre);
const at = (name: string): string => path.join(consortium.dir, name);

async function found(query: Record<string, string>): Promise<readonly FoundRecord[]> {
  await consortium.whenLevel();
  const { items } = (await consortium.api('guangzhou').get(`/v1/records?${new URLSearchParams(query).toString()}`)) as { items: FoundRecord[] };
  return items;
}

beforeAll(async () => { await consortium.start(); }, 240_000);
afterAll(async () => { await consortium.stop(); });

ownerViews(consortium);

describe('records by the command line', () => {
  const subject = 'org:91440105MA6NNHC07C';
  const lines = (level: string, numbers: readonly number[]): string => numbers.map((number) => `${JSON.stringify({ kind: 'qualification', data: qualification(number, { level }) })}\n`).join('');
  const file = (text: string): string => { const name = at('lines.ndjson'); writeFileSync(name, text); return name; };
  const publish = async (...args: readonly string[]): ReturnType<typeof command<{ recordIds: string[]; refused: { refused: { code: string }[] }[] }>> => await command('publish', '--state', state('guangzhou'), ...args);

  it('puts new versions in place of old ones, but of none that is not there', async () => {
    const none = await publish('--supersede', file(lines('03', [900001])));
    expect(none.code).toBe(1);
    expect(none.answer.refused[0]?.refused[0]?.code).toBe('RECORD_UNKNOWN');
    const first = await publish(file(lines('03', [900001, 900002])));
    expect(first.code).toBe(0);
    const changed = await publish('--supersede', file(lines('02', [900001])));
    expect(changed).toMatchObject({ code: 0, answer: { recordIds: [first.answer.recordIds[0]] } });
    const records = await found({ subject, kind: 'qualification' });
    const versions = first.answer.recordIds.map((id) => records.find(({ recordId }) => recordId === id)?.header.version);
    expect(versions).toEqual([2, 1]);
  });

  it('revokes by id, by natural key and by a file, and nothing without the word', async () => {
    const { answer: { recordIds: [one = '', two = '', three = ''] } } = await publish(file(lines('03', [900011, 900012, 900013])));
    expect((await publish('--record', one)).code).toBe(2);
    expect((await publish('--revoke', '--supersede', '--record', one)).code).toBe(2);
    expect(await publish('--revoke', '--record', one)).toMatchObject({ code: 0, answer: { recordIds: [one] } });
    expect(await publish('--revoke', '--kind', 'qualification', '--natural-key', subject.slice(4), '--natural-key', 'D44010501900012')).toMatchObject({ code: 0, answer: { recordIds: [two] } });
    expect(await publish('--revoke', file(lines('03', [900013])))).toMatchObject({ code: 0, answer: { recordIds: [three] } });
    const unknown = await publish('--revoke', '--kind', 'qualification', '--natural-key', subject.slice(4), '--natural-key', 'D0');
    expect(unknown.answer.refused[0]?.refused[0]?.code).toBe('RECORD_UNKNOWN');
    const revoked = await found({ subject, kind: 'qualification', status: 'revoked' });
    expect(revoked.map(({ recordId }) => recordId).sort()).toEqual([one, two, three].sort());
  });
});

catalogueCases(consortium);
completenessCases(consortium);
joinCases(consortium);

describe("an owner's key", () => {
  const owner = consortium.stranger;
  const node = (): readonly string[] => ['--node', consortium.api('beijing').url];
  const registered = async (): Promise<OwnerState> => { await consortium.whenLevel(); return (await consortium.api('beijing').get(`/v1/owners/${owner}`)) as OwnerState; };

  function keyFile(name: string): { readonly file: string; readonly key: string } {
    const wallet = Wallet.createRandom();
    writeFileSync(at(name), wallet.privateKey, { mode: 0o600 });
    return { file: at(name), key: wallet.address.toLowerCase() };
  }

  it('is changed by the old key, and only by it', async () => {
    const [next, other] = [keyFile('next-owner-key'), keyFile('other-owner-key')];
    const stolen = await command('owner', 'rotate', '--owner', owner, '--wallet', other.file, '--new-wallet', next.file, '--yes', ...node());
    expect(stolen).toMatchObject({ code: 1, error: { code: 'STATEMENT_BAD_SIGNATURE' } });
    const old = path.join(consortium.dir, 'owners', owner.slice(4), 'key.txt');
    const unasked = await command('owner', 'rotate', '--owner', owner, '--wallet', old, '--new-wallet', next.file, ...node());
    expect(unasked.code).toBe(2);
    const done = await command('owner', 'rotate', '--owner', owner, '--wallet', old, '--new-wallet', next.file, '--yes', ...node());
    expect(done).toMatchObject({ code: 0, answer: { key: next.key, signed: true } });
    expect(await registered()).toMatchObject({ key: next.key, sequence: 2 });
  });

  it('is recovered by two centres, unless the old key objects', async () => {
    const lost = keyFile('recovered-owner-key');
    const { chain, privateKey } = await certificate(owner);
    const recover = async (centre: Centre): ReturnType<typeof command<{ response: { approvals: string[]; effectiveAt: number } }>> =>
      await command('owner', 'recover', '--state', state(centre), '--owner', owner, '--key', lost.key, '--certificate', chain, '--certificate-key', privateKey);
    expect((await recover('guangzhou')).answer.response).toMatchObject({ approvals: ['guangzhou'], effectiveAt: 0 });
    expect(await recover('guangzhou')).toMatchObject({ code: 1, error: { code: 'ALREADY_VOTED' } });
    await consortium.whenLevel();
    const second = await recover('zhuhai');
    expect(second.answer.response.approvals).toEqual(['guangzhou', 'zhuhai']);
    const before = Math.floor(Date.now() / 1000);
    expect(second.answer.response.effectiveAt).toBeGreaterThan(before + 71 * 3600);
    expect((await registered()).recovery?.key).toBe(lost.key);
    const objected = await command('owner', 'object', '--owner', owner, '--wallet', at('next-owner-key'), '--yes', ...node());
    expect(objected).toMatchObject({ code: 0, answer: { key: lost.key, signed: true } });
    expect((await registered()).recovery).toBeUndefined();
    expect(await command('owner', 'object', '--owner', owner, '--wallet', at('next-owner-key'), '--yes', ...node())).toMatchObject({ code: 1, error: { code: 'RECOVERY_UNKNOWN' } });
  });

  async function certificate(id: string): Promise<{ readonly chain: string; readonly privateKey: string }> {
    const ca = await SampleCa.open(at('sample-ca'));
    const certified = await ca.certify(id.slice(4), '示例');
    const pem = (base64: string): string => `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', certified.privateKey));
    writeFileSync(at('owner-chain.pem'), pem(ca.base64) + pem(certified.certificate));
    writeFileSync(at('owner-certificate-key.pem'), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }));
    return { chain: at('owner-chain.pem'), privateKey: at('owner-certificate-key.pem') };
  }
});

describe("a member's keys", () => {
  const registered = async (member: string): Promise<MemberState> => { await consortium.whenLevel(); return (await consortium.api('beijing').get(`/v1/members/${member}`)) as MemberState; };

  it('of a bank without a node: the file changes, and only the new keys are let in', async () => {
    const file = path.join(consortium.dir, 'members', 'sample-bank', 'member-keys.json');
    const old = consortium.keys('sample-bank');
    expect(await command('governance', 'rotate-keys', '--member-keys', file, '--node', consortium.api('beijing').url)).toMatchObject({ code: 0, answer: { member: 'sample-bank', restart: false } });
    const next = consortium.keys('sample-bank');
    expect((await registered('sample-bank')).document).toMatchObject(publicKeysOf(next));
    expect(readJson(`${file}.before`)).toEqual(old);
    await expect((await consortium.client('sample-bank', old)).page({})).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    expect((await (await consortium.client('sample-bank')).page({ limit: 1 })).items).toHaveLength(1);
  });

  it("of a centre: after a start its node releases under the new key", async () => {
    const before = readJson(path.join(state('guangzhou'), 'keys', 'signing-key.json'));
    expect(await command('governance', 'rotate-keys', '--state', state('guangzhou'))).toMatchObject({ code: 0, answer: { member: 'guangzhou', restart: true } });
    const identity = readJson<{ signingKey: object; encryptionKey: object }>(path.join(state('guangzhou'), 'keys', 'identity.json'));
    expect((await registered('guangzhou')).document).toMatchObject({ encryptionKey: identity.encryptionKey, signingKey: identity.signingKey });
    expect(readJson(path.join(state('guangzhou'), 'keys', 'before', 'signing-key.json'))).toEqual(before);
    expect(existsSync(path.join(state('guangzhou'), 'keys', 'next'))).toBe(false);
    await consortium.end('guangzhou');
    await consortium.startNode('guangzhou');
    await consortium.whenLevel();
    const [record] = await found({ owner: consortium.owner, kind: 'entity', publisher: 'guangzhou' });
    const client: MemberClient = await consortium.client('zhuhai-platform');
    const access = await client.open({ recordIds: [record?.recordId ?? ''], claims: ['identity', 'contact'], purpose: 'registration', grant: await consortium.grant({}) });
    expect((await client.read(access))[0]?.recordId).toBe(record?.recordId);
  });
});
