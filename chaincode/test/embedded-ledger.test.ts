import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerFunctions, splitStateKey } from '@huilian/protocol';
import {
  businessCa,
  charter,
  codeExtension,
  COMPANY,
  derOf,
  domainOf,
  grantDigestOf,
  header,
  hostedDocument,
  id32,
  issue,
  jws,
  keyOf,
  OWNER,
  pemOf,
  place,
  registration,
  rootOf,
  signed,
  signerOf,
  thumbprint,
  wallet,
  type Issued,
} from './consortium.js';
import { credit } from './cases/ledger-case.js';
import { EmbeddedConsortium, type Submitted } from './embedded-consortium.js';
import { digestOf, sha256, sortedJson, type Json, type JsonRecord } from './plain-json.js';

const VALID = 0;
const MVCC_READ_CONFLICT = 11;
const HANDLER = '王经办人（虚构）';

const now = (): number => Math.floor(Date.now() / 1000);
const headers = [header('credit-a'), header('credit-b')];
const batch = (list: readonly JsonRecord[], seq: number, previous: readonly JsonRecord[] = []): Buffer =>
  deflateRawSync(Buffer.from(sortedJson({ headers: list, previous, publisher: 'guangzhou', seq })));

describe('the contracts on the embedded ledger, a majority of three organisations endorsing', () => {
  let consortium: EmbeddedConsortium;
  let domain: ReturnType<typeof domainOf>;
  let ca: Issued;
  let company: Issued;
  let grant: JsonRecord;
  let envelope: JsonRecord;
  let ticket: string;

  async function entry(number: number, slot: number): Promise<JsonRecord> {
    const request = {
      basis: { digest: String(grant['digest']), kind: 'grant' },
      claims: ['detail'],
      encryptionKey: thumbprint(signerOf('bank').encryptionKey),
      headers: [place(headers, 0, 1)],
      issuedAt: now(),
      publisher: 'guangzhou',
      purpose: 'credit-check',
      reader: 'bank',
      requestId: id32(`request ${String(number)}`),
      salt: domain.salt,
    };
    const offer = { expires: now() + 50, publisher: 'guangzhou', records: [headers[0]?.['digest'] ?? ''], request: digestOf(request) };
    return {
      grant: envelope,
      offer: jws('huilian-offer+jwt', 'guangzhou', offer, signerOf('guangzhou')),
      request: jws('huilian-request+jwt', 'bank', request, signerOf('bank')),
      slot,
    };
  }

  const open = async (entries: readonly Json[]): Promise<Submitted> => await consortium.submit('beijing', 'access:open', { entries });

  beforeAll(async () => {
    consortium = await EmbeddedConsortium.start();
    // Peers check certificates by their own clock; these are valid today.
    const validity = { from: now() - 3600, until: now() + 86_400 };
    ca = await issue({ subject: 'CN=Business CA of today (invented)', ca: true, ...validity });
    company = await issue({ subject: `CN=${HANDLER}, O=Invented`, extensions: [codeExtension(COMPANY)], ...validity }, ca);
  });

  afterAll(async () => {
    await consortium.stop();
  });

  it('is founded when all three called; of two last calls at once one conflicts', async () => {
    const first = await consortium.submit('guangzhou', 'governance:found', { charter, founder: 'guangzhou' });
    expect(first.response).toMatchObject({ complete: false, missing: ['zhuhai', 'beijing'] });
    const racing = await Promise.all([
      consortium.endorse('zhuhai', 'governance:found', [{ charter, founder: 'zhuhai' }]),
      consortium.endorse('beijing', 'governance:found', [{ charter, founder: 'beijing' }]),
    ]);
    const outcomes = await Promise.all(racing.map((submit) => submit()));
    expect(outcomes.map(({ code }) => code).sort((left, right) => left - right)).toEqual([VALID, MVCC_READ_CONFLICT]);
    const loser = outcomes[0]?.code === VALID ? 'beijing' : 'zhuhai';
    const last = await consortium.submit(loser, 'governance:found', { charter, founder: loser });
    expect(last.response).toMatchObject({ complete: true, missing: [] });
    domain = domainOf(last.transaction);
    await expect(consortium.submit('zhuhai', 'governance:found', { charter, founder: 'zhuhai' })).rejects.toMatchObject({ code: 'ALREADY_FOUNDED' });
  });

  it('adopts by two of three, and stores the domain made of its own founding transaction', async () => {
    const trust = { certificate: pemOf(ca), name: { en: 'CA (invented)', zh: '虚构' }, usccOids: ['1.2.156.10260.4.1.4'] };
    const contents: [string, Json][] = [
      ['publish-schema', { document: credit }],
      ['trust-ca', trust],
      ['admit', { member: hostedDocument('bank', 'institution', 'beijing') }],
    ];
    for (const [action, content] of contents) expect((await consortium.adopt(action, content)).response).toMatchObject({ status: 'adopted' });
    const writes = (await consortium.blocks()).flatMap(({ block }) => block.transactions).flatMap(({ namespaces }) => namespaces.flatMap(({ writes: each }) => each));
    const stored = writes.find(({ key }) => splitStateKey(key)?.type === 'charter')?.value;
    expect(JSON.parse(Buffer.from(stored ?? '').toString())).toMatchObject({ digest: digestOf(charter), domain });
  });

  it('registers an owner by a certificate that travels as transient data', async () => {
    const statement = await registration({ expires: now() + 600, salt: domain.salt }, company);
    const { response } = await consortium.submit('zhuhai', 'entities:register', statement, { certificate: [derOf(company)] });
    expect(response).toEqual({ key: keyOf(wallet), owner: OWNER, sequence: 1 });
    const foreign = await registration({ expires: now() + 600, salt: domain.salt }, businessCa);
    await expect(consortium.submit('zhuhai', 'entities:register', foreign, { certificate: [derOf(company)] })).rejects.toMatchObject({ code: 'OWNER_EXISTS' });
  });

  it('takes a batch as binary, byte for byte', async () => {
    const { response } = await consortium.submit('guangzhou', 'records:publish', batch(headers, 1));
    expect(response).toEqual({ count: 2, publisher: 'guangzhou', root: rootOf(headers), seq: 1 });
    await expect(consortium.submit('guangzhou', 'records:publish', batch(headers, 1))).rejects.toMatchObject({ code: 'BATCH_EXISTS', details: { root: rootOf(headers) } });
    await expect(consortium.submit('zhuhai', 'records:publish', batch(headers, 2))).rejects.toMatchObject({ code: 'NOT_RECORD_OWNER' });
  });

  it('opens by a grant; two uses of one slot in one block conflict and one wins', async () => {
    const terms = {
      owner: OWNER,
      grantee: 'bank',
      claims: ['credit/detail'],
      purpose: 'credit-check',
      reference: `0x${'0c'.repeat(32)}`,
      notBefore: now() - 10,
      expires: now() + 3600,
      maxUses: 2,
      nonce: `0x${'0d'.repeat(32)}`,
    };
    envelope = await signed('Grant', 'grant', terms, wallet, domain);
    grant = { digest: grantDigestOf(terms, domain) };
    const pair = await Promise.all([1, 2].map(async (number) => await consortium.endorse('beijing', 'access:open', [{ entries: [await entry(number, 1)] }])));
    const outcomes = await Promise.all(pair.map((submit) => submit()));
    expect(outcomes.map(({ code }) => code).sort((left, right) => left - right)).toEqual([VALID, MVCC_READ_CONFLICT]);
    const used = await entry(4, 2);
    const again = await open([await entry(3, 1), used, await entry(5, 3)]);
    expect(again.response).toEqual([
      { code: 'SLOT_TAKEN', details: '{"slot":1}' },
      { ticket: `${again.transaction}/1` },
      { code: 'GRANT_EXHAUSTED', details: '{"maxUses":2}' },
    ]);
    ticket = `${again.transaction}/1`;
    expect((await open([used])).response).toEqual([{ ticket }]);
  });

  it('lets no use pass beside a revocation in the same block', async () => {
    const revocation = await signed('Revocation', 'revocation', { grant: grant['digest'] ?? '', owner: OWNER }, wallet, domain);
    await consortium.submit('guangzhou', 'access:refuse', { code: 'RELEASE_TOO_LATE', ticket });
    const use = await consortium.endorse('beijing', 'access:open', [{ entries: [await entry(6, 2)] }]);
    const revoke = await consortium.endorse('zhuhai', 'access:revokeGrant', [revocation]);
    expect((await revoke()).code).toBe(VALID);
    expect((await use()).code).toBe(MVCC_READ_CONFLICT);
    expect((await open([await entry(6, 2)])).response).toEqual([{ code: 'GRANT_REVOKED' }]);
  });

  it('exposes exactly the functions of the protocol', async () => {
    const described = await consortium.endorse('guangzhou', 'org.hyperledger.fabric:GetMetadata', []);
    const { response } = await described();
    const { contracts } = response as unknown as { contracts: Record<string, { transactions: { name: string; parameters?: unknown[] }[] }> };
    const functions = Object.entries(contracts).flatMap(([contract, { transactions }]) => transactions.map(({ name }) => `${contract}:${name}`));
    expect(functions.filter((name) => !name.startsWith('org.hyperledger.fabric:')).sort()).toEqual(Object.values(ledgerFunctions).sort());
  });

  it.each(['access:runJson', 'access:endorserTime', 'access:constructor', 'access:_open', 'access:__proto__:x', 'access:aroundTransaction'])('refuses %s', async (name) => {
    await expect(consortium.submit('guangzhou', name, {})).rejects.toMatchObject({ code: 'ARG_MALFORMED' });
  });

  it('refuses two arguments and none', async () => {
    await expect(consortium.endorse('guangzhou', 'governance:propose', [{}, {}])).rejects.toThrow();
    await expect(consortium.endorse('guangzhou', 'governance:propose', [])).rejects.toThrow();
  });

  it('names each event by its function, and leaves nothing personal in any block', async () => {
    const blocks = await consortium.blocks();
    const names = new Set(blocks.flatMap(({ block }) => block.transactions.flatMap(({ event }) => (event === undefined ? [] : [event.name]))));
    expect([...names].sort()).toEqual(['approve', 'found', 'open', 'propose', 'publish', 'refuse', 'registerOwner', 'revokeGrant']);
    const planted = [Buffer.from(HANDLER), Buffer.from(HANDLER.slice(0, 4)), Buffer.from(derOf(company), 'base64'), Buffer.from(derOf(company)), Buffer.from(sha256(HANDLER))];
    for (const { raw } of blocks) expect(planted.map((value) => raw.includes(value))).toEqual(planted.map(() => false));
    // The scanner finds what is there.
    expect(blocks.some(({ raw }) => raw.includes(Buffer.from(OWNER)))).toBe(true);
  });
});
