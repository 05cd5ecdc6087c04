import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { grantDigest, jwkThumbprint, referenceOf, signRequest, toBase32, toHex, type GrantEnvelope, type JsonObject } from '@huilian/protocol';
import { es256Signer, generateMemberKeys, OperatorClient, OwnerClient, publicKeysOf, type Flag, type MergedClaim, type OwnerView, type ReadRecord, type Thing } from '@huilian/sdk';
import { Wallet } from 'ethers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { command, readJson } from '../main-job.js';
import { codeOf, expectRefusal, type Centre, type RunningConsortium } from '../running-consortium.js';

/** Another company of the walk-through. */
const another = 'org:91440106MABAY5U732';
const sectionCode = 'A4401067922390799001001';
const fieldMap = {
  format: 'field-map/1',
  form: '投标登记表（虚构） / bid registration (invented)',
  prefer: { rule: 'newest' },
  fields: {
    项目: { from: ['performance/section.sectionName'], prefer: { rule: 'newest' } },
    合同金额: { from: ['performance/contract.amount'], transform: 'yuan' },
    签订日期: { from: ['performance/contract.signedAt'], transform: 'date-zh' },
    验收评价: { from: ['performance/completion.evaluation'] },
    证书: { from: ['qualification/certificate.number'] },
  },
};

/** Two centres that disagree about one owner, the owner's word, a third centre's, and what owner and reader see of it all. */
export function ownerViews(consortium: RunningConsortium): void {
  const { owner } = consortium;
  const uscc = owner.slice('org:'.length);
  const state = (centre: Centre): string => path.join(consortium.dir, 'nodes', centre);
  const performance = (amount: string, more: JsonObject = {}): JsonObject => ({
    bidder: { uscc },
    section: { tenderProjectCode: sectionCode.slice(0, -3), sectionCode, tenderProjectName: '示例绿地工程（虚构）', sectionName: '示例绿地工程施工（虚构）' },
    tenderer: { uscc: '12440100MA919LQ22D', name: '广州市示例项目建设中心' },
    contract: { amount, currency: 'CNY', signedAt: '2024-05-20T09:30:00+08:00', tradeType: 'A07' },
    ...more,
  });

  async function publish(centre: Centre, kind: string, data: JsonObject): Promise<string> {
    const { body } = await consortium.call(centre, 'POST', '/v1/records', `${JSON.stringify({ kind, data })}\n`, 'operator');
    const [{ recordId = '' } = {}] = body['lines'] as { recordId?: string }[];
    expect(recordId, JSON.stringify(body)).not.toBe('');
    return recordId;
  }

  const client = (at: Centre, signer = consortium.signer(owner)): OwnerClient => OwnerClient.connect(consortium.api(at).url, owner, consortium.walletOf(signer), { patienceSeconds: 0 });
  const operator = (centre: Centre): OperatorClient => new OperatorClient(consortium.api(centre).url, { token: consortium.operatorToken(centre) });
  const about = (view: Pick<OwnerView, 'things'>): Thing => view.things.find(({ key }) => key?.['section.sectionCode'] === sectionCode) as Thing;
  const claimOf = (thing: Thing, name: string): MergedClaim => thing.claims.find(({ claim }) => claim === name) as MergedClaim;

  describe('one view of an owner', () => {
    let [here, there] = ['', ''];
    let reads: readonly ReadRecord[];

    it('merges what two centres say, side by side where they disagree; the relaying node cannot open it', async () => {
      here = await publish('guangzhou', 'performance', performance('990000000', { completion: { completedOn: '2025-06-30', evaluation: '合格' } }));
      there = await publish('zhuhai', 'performance', performance('880000000'));
      await consortium.whenLevel();
      const view = await client('beijing').view({ kind: 'performance' });
      expect(view.refused).toEqual([]);
      const thing = about(view);
      expect(thing.records.map(({ recordId }) => recordId).sort()).toEqual([here, there].sort());
      const contract = claimOf(thing, 'contract');
      expect(contract).toMatchObject({ disagree: true, fields: ['amount'] });
      expect(contract.alternatives.map(({ from, value }) => [(value as JsonObject)['amount'], from.map(({ centre, standing, version }) => [centre, standing, version])])).toEqual(
        expect.arrayContaining([['880000000', [['zhuhai', 'current', 1]]], ['990000000', [['guangzhou', 'current', 1]]]]),
      );
      expect(claimOf(thing, 'section')).toMatchObject({ disagree: false, alternatives: [{ from: [{}, {}] }] });
      // Every reading was decided on the ledger and stands on the trail, as what it is.
      const trail = await client('guangzhou').trail();
      const opened = trail.entries.filter(({ purpose, what }) => what === 'opened' && purpose === 'own-copy');
      expect(opened.map(({ publisher, reader }) => [publisher, reader])).toEqual(expect.arrayContaining([['guangzhou', 'beijing'], ['zhuhai', 'beijing']]));
    });

    it('shows a centre its own vault, and of others the headers', async () => {
      const { things, unreadable } = await operator('guangzhou').ownerView(owner, { kind: 'performance' });
      expect(things.flatMap(({ records }) => records).every(({ recordId }) => recordId.startsWith('guangzhou/'))).toBe(true);
      expect(unreadable.find(({ recordId }) => recordId === there)).toMatchObject({ unreadable: 'ask-owner', version: 1 });
      expectRefusal(await consortium.call('guangzhou', 'GET', `/v1/owners/${owner}/view`), 'TOKEN_INVALID', 401);
      expectRefusal(await consortium.call('zhuhai', 'GET', `/v1/owners/${owner}/view`, undefined, 'zhuhai-platform'), 'FORBIDDEN', 403);
    });

    it('carries the word of the owner and of a third centre, on ledger, trail, feed and view', async () => {
      const { things } = await client('zhuhai').view({ kind: 'performance' });
      const disputed = about({ things }).records.find(({ recordId }) => recordId === there);
      await client('zhuhai').state({ record: there, version: 1, digest: disputed?.digest ?? '', claims: ['contract'], verdict: 'dispute', reason: 'wrong-value' });
      const attested = await command('attest', here, '--compared', 'contract,site', '--outcome', 'agrees', '--state', state('beijing'));
      expect(attested.code).toBe(0);
      await consortium.whenLevel();
      const thing = about(await client('guangzhou').view({ kind: 'performance' }));
      const sources = claimOf(thing, 'contract').alternatives.flatMap(({ from }) => from);
      expect(sources.find(({ recordId }) => recordId === there)).toMatchObject({ verdict: 'dispute', attestedBy: [] });
      expect(sources.find(({ recordId }) => recordId === here)).toMatchObject({ attestedBy: ['beijing'] });
      const { entries } = await client('guangzhou').trail();
      expect(entries.filter(({ what }) => what === 'attested' || what === 'stated')).toMatchObject([{ what: 'stated', code: 'dispute', recordIds: [there] }, { what: 'attested', code: 'agrees', attester: 'beijing', recordIds: [here] }]);
      const words = await operator('zhuhai').recordWords(here);
      expect(words.attestations).toMatchObject([{ attester: 'beijing', compared: ['contract', 'site'], outcome: 'agrees', version: 1 }]);
      const { items } = (await consortium.api('zhuhai').get('/v1/events?type=huilian.record.attested,huilian.record.stated&limit=10')) as { items: { data: JsonObject }[] };
      expect(items.map(({ data }) => data['recordId'])).toEqual([there, here]);
    });

    it('refuses words that are not the speaker\'s to say', async () => {
      expect(await codeOf(operator('guangzhou').attest(here, { compared: ['site'], outcome: 'agrees' }))).toBe('FORBIDDEN');
      expectRefusal(await consortium.call('zhuhai', 'POST', `/v1/records/${here}/attestations`, { compared: [], outcome: 'withdrawn' }, 'operator'), 'ATTESTATION_UNKNOWN', 404);
      expectRefusal(await consortium.call('zhuhai', 'POST', `/v1/records/${here}/attestations`, { compared: ['site'], outcome: 'agrees', note: 'seen' }, 'operator'), 'UNKNOWN_FIELD', 400);
      const digest = 'ab'.repeat(32);
      expect(await codeOf(client('beijing').state({ record: here, version: 1, digest, verdict: 'confirm', reason: 'checked' }))).toBe('STATEMENT_OTHER_RECORD');
      const { record } = await (await consortium.client('zhuhai-platform')).record(here);
      const stranger = OwnerClient.connect(consortium.api('beijing').url, another, consortium.wallet(another), { patienceSeconds: 0 });
      expect(await codeOf(stranger.state({ record: here, version: 1, digest: record.header.digest, verdict: 'dispute', reason: 'not-ours' }))).toBe('STATEMENT_OTHER_RECORD');
      expect(await codeOf(client('beijing').state({ record: here, version: 1, digest, verdict: 'confirm', reason: 'outdated' }))).toBe('WALLET_UNREADABLE');
      expect(await codeOf(client('beijing', new Wallet(Wallet.createRandom().privateKey)).view())).toBe('GRANT_BAD_SIGNATURE');
    });

    it('gives an own copy to no key but the one that the owner committed to', async () => {
      const { domain } = await consortium.consortium();
      const receiver = publicKeysOf(await generateMemberKeys('beijing')).encryptionKey;
      const salt = crypto.getRandomValues(new Uint8Array(16));
      const grant = await consortium.grant({ claims: ['performance/contract'], grantee: 'sample-bank', purpose: 'own-copy', reference: referenceOf(salt, jwkThumbprint(receiver)) });
      const bank = await consortium.client('sample-bank');
      // With its own key, the reader is refused: by itself, and where it names its key as the recipient.
      expect(await codeOf(bank.open({ recordIds: [here], claims: ['contract'], purpose: 'own-copy', grant }))).toBe('ENCRYPTION_KEY_MISMATCH');
      const { encryptionKey } = publicKeysOf(consortium.keys('sample-bank'));
      const forged = await requestOf(grant, { key: encryptionKey, salt: toHex(salt) });
      expect(await codeOf(bank.send(forged, grant))).toBe('ENCRYPTION_KEY_MISMATCH');
      // Nor does a grant for something else pass for one.
      const plain = await consortium.grant({ claims: ['performance/contract'], grantee: 'sample-bank', purpose: 'performance-check' });
      expect(await codeOf(bank.send(await requestOf(plain, { key: receiver, salt: toHex(salt) }, 'performance-check'), plain))).toBe('ENCRYPTION_KEY_MISMATCH');
      expectRefusal(await consortium.call('beijing', 'POST', '/v1/asks', { claims: ['performance/contract'], expires: plain.grant.expires, maxUses: 1, notBefore: plain.grant.notBefore, owner, purpose: 'own-copy', reference: plain.grant.reference }, 'sample-bank'), 'PURPOSE_UNKNOWN', 400);
      const body = { grant, recipient: { key: receiver, salt: toHex(salt) } };
      expectRefusal(await consortium.call('guangzhou', 'POST', '/v1/own-copies', body), 'GRANT_WRONG_GRANTEE', 403);
      expectRefusal(await consortium.call('beijing', 'POST', '/v1/own-copies', { ...body, grant: await consortium.grant({ grantee: 'beijing' }) }), 'GRANT_WRONG_PURPOSE', 403);
      // One that ended shows nothing any more, not even headers and public records.
      const now = Math.floor(Date.now() / 1000);
      const ended = async (terms: object): Promise<object> => ({ ...body, grant: await consortium.grant({ grantee: 'beijing', purpose: 'own-copy', reference: grant.grant.reference, ...terms }) });
      expectRefusal(await consortium.call('beijing', 'POST', '/v1/own-copies', await ended({ notBefore: now - 600, expires: now - 1 })), 'GRANT_EXPIRED', 403);
      expectRefusal(await consortium.call('beijing', 'POST', '/v1/own-copies', await ended({ notBefore: now + 600 })), 'GRANT_NOT_YET_VALID', 403);

      async function requestOf(under: GrantEnvelope, recipient: { readonly key: typeof receiver; readonly salt: string }, purpose: 'own-copy' | 'performance-check' = 'own-copy'): Promise<string> {
        const { placed } = await bank.record(here);
        const request = { basis: { kind: 'grant' as const, digest: grantDigest(domain, under.grant) }, claims: ['contract'], encryptionKey: jwkThumbprint(recipient.key), headers: [placed], issuedAt: Math.floor(Date.now() / 1000), publisher: 'guangzhou', purpose, reader: 'sample-bank', recipient, requestId: toBase32(crypto.getRandomValues(new Uint8Array(16))), salt: domain.salt };
        return (await signRequest(request, await es256Signer(consortium.keys('sample-bank').signingKey))).jws;
      }
    });

    it('shows a reader what it was granted, and fills its form with a report of the reuse', async () => {
      const platform = await consortium.client('zhuhai-platform');
      const claims = ['bidder', 'contract', 'section'];
      const grant = await consortium.grant({ claims: claims.map((claim) => `performance/${claim}`), purpose: 'performance-check' });
      reads = (await Promise.all([here, there].map(async (recordId) => await platform.read(await platform.open({ recordIds: [recordId], claims, purpose: 'performance-check', grant }))))).flat();
      const view = await platform.ownerView(owner, reads);
      const thing = about(view);
      expect(claimOf(thing, 'contract')).toMatchObject({ disagree: true, fields: ['amount'] });
      expect(thing.claims.map(({ claim }) => claim)).toEqual(claims);
      // Whom to ask for the rest; what was revoked nobody gives out any more.
      const owned = view.unreadable.filter(({ contested, rights, status }) => rights === 'owner' && status === 'active' && !contested);
      expect(new Set(owned.map(({ unreadable }) => unreadable))).toEqual(new Set(['ask-owner']));
      const { fields, report } = await platform.prefill(owner, reads, fieldMap);
      // The newest says 8.8 million; its owner disputes it, so the other counts, which a third centre has attested.
      expect(fields['合同金额']).toMatchObject({ value: '9900000.00', from: { recordId: here, centre: 'guangzhou', attestedBy: ['beijing'] }, disputed: false });
      expect(fields['签订日期']).toMatchObject({ value: '2024年5月20日', alsoBy: [expect.stringMatching(/guangzhou|zhuhai/)] });
      expect(report).toMatchObject({ total: 5, filled: 3, missing: [{ field: '验收评价', why: 'not-granted' }, { field: '证书', why: 'not-granted' }] });
      expect(report.choices).toMatchObject([{ field: '合同金额', why: 'disagree', rule: 'newest', chosen: { value: '9900000.00' }, readings: [{ disputed: false }, { value: '8800000.00', disputed: true }] }]);
      expect(Object.values(report.byCentre).reduce((sum, count) => sum + count, 0)).toBe(3);
    });

    it('fills a form from a centre\'s own records too', async () => {
      const { report, tables } = await operator('guangzhou').prefill(owner, { ...fieldMap, fields: { 合同: fieldMap.fields.合同金额 }, tables: { 业绩: { kind: 'performance', columns: { 标段: { from: 'section.sectionName' } } } } }, { kind: 'performance' });
      expect(tables['业绩']?.map((row) => row['标段']?.value)).toContain('示例绿地工程施工（虚构）');
      expect(Object.keys(report.byCentre)).toEqual(['guangzhou']);
      expectRefusal(await consortium.call('guangzhou', 'POST', `/v1/owners/${owner}/prefill`, { ...fieldMap, fields: { 名称: { from: ['entity/identity.nickname'] } } }, 'operator'), 'BAD_FIELD', 400);
    });

    it('is there on the command line, with the flags of the link checks', async () => {
      const past = await publish('guangzhou', 'qualification', { holder: { uscc }, qualification: { name: '示例资质', type: 'A10102', level: '03' }, certificate: { number: 'D3990001', end: '2020-01-01' } });
      await consortium.whenLevel();
      const flags = await command<{ items: (Flag & { en: string })[] }>('flags', '--run', '--code', 'certificate-expired', '--record', past, '--state', state('guangzhou'));
      expect(flags).toMatchObject({ code: 0, answer: { items: [{ code: 'certificate-expired', recordIds: [past] }] } });
      const vault = await command<OwnerView>('view', '--owner', owner, '--kind', 'qualification', '--as-of', '2019-12-31', '--state', state('guangzhou'));
      expect(vault.answer.flags.filter(({ recordIds }) => recordIds.includes(past))).toEqual([]);
      const metrics = await fetch(`${consortium.api('guangzhou').url}/metrics`, { headers: { authorization: `Bearer ${consortium.metricsToken('guangzhou')}` } });
      expect(await metrics.text()).toMatch(/huilian_link_flags\{code="certificate-expired"\} [1-9]/);
      const { checked, items } = await operator('guangzhou').flags({ recordId: past, limit: 1 });
      expect([items.map(({ code }) => code), items[0]?.zh, checked.height]).toEqual([['certificate-expired'], expect.stringMatching(/[\u4e00-\u9fff]/), expect.any(Number)]);
      expect(await operator('guangzhou').recheckLinks()).toMatchObject({ block: 0 });
    });

    it('lets the owner take its word back by a command', async () => {
      const walletFile = path.join(consortium.dir, 'owner-wallet.json');
      writeFileSync(walletFile, await consortium.signer(owner).encrypt('sample-password'));
      process.env['HUILIAN_WALLET_PASSWORD'] = 'sample-password';
      onTestFinished(() => { delete process.env['HUILIAN_WALLET_PASSWORD']; });
      const { record } = await (await consortium.client('zhuhai-platform')).record(there);
      const said = await command('statement', '--wallet', walletFile, '--owner', owner, '--record', there, '--record-version', '1', '--digest', record.header.digest, '--verdict', 'withdraw', '--reason', 'mistaken', '--claims', 'contract', '--yes', '--node', consortium.api('zhuhai').url);
      expect(said.code, JSON.stringify(said)).toBe(0);
      await consortium.whenLevel();
      const view = await command<OwnerView>('view', '--owner', owner, '--kind', 'performance', '--wallet', walletFile, '--node', consortium.api('beijing').url);
      expect(view.code).toBe(0);
      const withdrawn = claimOf(about(view.answer), 'contract').alternatives.flatMap(({ from }) => from).find(({ recordId }) => recordId === there);
      expect(withdrawn).not.toHaveProperty('verdict');
      expect(readJson<object>(walletFile)).toBeDefined();
    });
  });
}
