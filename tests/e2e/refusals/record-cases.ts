import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { JsonObject } from '@huilian/protocol';
import { buildRequest, es256Signer, memoryPin, OwnerWallet, publicKeysOf, verifyEvidence, type SubmittedRecord } from '@huilian/sdk';
import { huilian, readJson, root } from '../main-job.js';
import { misplaced } from '../privacy/planted-values.js';
import type { AccessDoor, Asked } from './access-door.js';
import { answered, command, refusedBy, type Refused, type RefusalCase, type World } from './surfaces.js';

const [sample] = readJson<{ cases: { input: { body: JsonObject; entry: JsonObject; score: JsonObject } }[] }>(path.join(root, 'tests', 'vectors', 'valid', 'kind-credit.json')).cases;

/** Gives no record its category. */
const lossy: JsonObject = { format: 'mapping/1', kind: 'credit', schema: 1, columns: { 公司: { as: 'BODY_NAME' }, 代码: { as: 'BODY_CODE' } } };

/** What a spreadsheet would carry out. */
const formula = "=HYPERLINK('https://target.invalid')";

function deep(levels: number): JsonObject {
  return levels === 0 ? {} : { more: deep(levels - 1) };
}

/** Rows that are none, reads of records that are no longer what they were, and files that do not read. */
export async function recordCases({ local }: World, door: AccessDoor): Promise<Record<string, RefusalCase>> {
  const state = path.join(local.dir, 'nodes', 'zhuhai');
  const credit = (code: string, change: object = {}): SubmittedRecord => ({ data: { ...sample?.input, ...change, entry: { ...sample?.input.entry, code } }, kind: 'credit' }) as unknown as SubmittedRecord;
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const posted = async (body: string): Promise<object[]> => (await local.call('zhuhai', 'POST', '/v1/records', body, 'operator')).body['lines'] as object[];

  const kept = credit('REFUSED-KEPT');
  const superseded = await published(credit('REFUSED-OLD'));
  const revoked = await published(credit('REFUSED-GONE'));
  const erased = await published(credit('REFUSED-ERASED'));
  await published(kept);
  await local.whenLevel();
  await posted(lines([{ ...credit('REFUSED-OLD', { score: { ...sample?.input.score, score: '12.00' } }), supersede: true }, { kind: 'credit', recordId: revoked, revoke: true }]));
  await local.whenLevel();

  await local.api('zhuhai').post('/v1/erasures', { recordIds: [erased] });

  async function published(row: object): Promise<string> {
    const [first] = await posted(lines([row]));
    const { recordId } = first as { recordId?: string };
    if (recordId === undefined) throw new Error(JSON.stringify(first));
    return recordId;
  }

  /** A row, as an export might have it: refused by line, with the place and not the value. */
  function rows(made: readonly object[], hidden: readonly string[] = []): RefusalCase {
    const firstRefused = (answers: readonly object[]): Refused | undefined => {
      const refused = answers.find((answer) => 'code' in answer) as { code: string } | undefined;
      return refused === undefined ? undefined : { code: refused.code, text: JSON.stringify(answers) };
    };
    return {
      drivers: {
        cli: async () => {
          const file = path.join(local.dir, `rows-${crypto.randomUUID()}.ndjson`);
          writeFileSync(file, lines(made));
          const run = await huilian(['publish', file, '--state', state, '--json']);
          return run.code === 1 ? firstRefused((JSON.parse(run.stdout) as { refused: object[] }).refused) : undefined;
        },
        http: async () => firstRefused(await posted(lines(made))),
        sdk: async () => {
          const answers: object[] = [];
          for await (const answer of (await local.client('zhuhai-platform')).publish(made as readonly SubmittedRecord[])) answers.push(answer);
          return firstRefused(answers);
        },
      },
      hidden,
    };
  }

  const terms = { claims: ['entry'], purpose: 'credit-check' } as const;
  const creditGrant = async (): ReturnType<typeof local.grant> => await local.grant({ claims: ['credit/entry'], purpose: 'credit-check' });

  /** A request of the first version, by hand: the SDK asks for the current one. */
  async function ofFirstVersion(): Promise<Asked> {
    const client = await local.client('zhuhai-platform');
    const keys = local.keys('zhuhai-platform');
    const grant = await creditGrant();
    const { placed } = await client.record(superseded, 1);
    const reader = { memberId: 'zhuhai-platform', encryptionKey: publicKeysOf(keys).encryptionKey, sign: await es256Signer(keys.signingKey) };
    return { grant, request: await buildRequest({ ...terms, grant, recordIds: [superseded] }, [placed], (await local.consortium()).domain, reader) };
  }

  const fileOf = (name: string, text: string): string => {
    const file = path.join(local.dir, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const commanded = (args: () => readonly string[], hidden: readonly string[] = []): RefusalCase => ({ drivers: { cli: async () => await command(args()) }, hidden });

  return {
    'row-of-a-person': rows([{ data: { person: { idNumber: misplaced.idNumber, idType: '01', name: misplaced.name, phone: misplaced.phone } }, kind: 'personnel' }], Object.values(misplaced)),
    'row-deep': rows([{ data: deep(200), kind: 'credit' }]),
    'row-with-escapes': rows([credit(`\u001b[31m\r\n${formula}`)], [formula, '\u001b[31m']),
    'row-of-unknown-kind': rows([{ data: { name: misplaced.name }, kind: 'horoscope' }], [misplaced.name]),
    'row-of-erased': rows([credit('REFUSED-ERASED')]),
    'read-erased': { drivers: door.drivers(async () => ({ ...terms, grant: await creditGrant(), recordId: erased }), ['contract']) },
    'erase-of-another-centre': {
      drivers: {
        cli: async () => await command(['erase', door.entity, '--yes', '--state', state]),
        http: async () => answered(await local.call('zhuhai', 'POST', '/v1/erasures', { recordIds: [door.entity] }, 'operator')),
      },
    },
    'erase-nothing-named': { drivers: { http: async () => answered(await local.call('zhuhai', 'POST', '/v1/erasures', { kind: 'credit' }, 'operator')) } },
    'row-twice': rows([kept, credit('REFUSED-KEPT', { score: { ...sample?.input.score, score: '13.00' } })]),
    'row-by-unknown-mapping': rows([{ kind: 'credit', mapping: 'of-nobody', row: { NAME: misplaced.name } }], [misplaced.name]),
    'mapping-that-loses-a-field': {
      drivers: {
        cli: async () => await command(['mapping', 'put', 'lossy', fileOf('lossy.json', JSON.stringify(lossy)), '--state', state]),
        http: async () => answered(await local.call('zhuhai', 'PUT', '/v1/mappings/lossy', lossy, 'operator')),
      },
    },
    'read-superseded': { drivers: door.drivers(ofFirstVersion, ['cli']) },
    'read-revoked': { drivers: door.drivers(async () => ({ ...terms, grant: await creditGrant(), recordId: revoked })) },
    'file-of-no-kind': commanded(() => ['sync', fileOf('rows.csv', `NAME\n${misplaced.name}\n`), '--state', state], [misplaced.name]),
    'file-with-escapes': commanded(() => ['sync', fileOf('rows-with-escapes.csv', `\u001b[31mNAME\u001b[0m,"${formula}"\n\u001b]0;title\u0007,1\n`), '--state', state], ['\u001b[31m', '\u001b]0;', formula]),
    'file-of-evidence': {
      drivers: {
        cli: async () => await command(['verify', fileOf('cut-evidence.json', `{"owner":"${misplaced.name}`), '--charter', 'a'.repeat(64)]),
        sdk: async () => await refusedBy(verifyEvidence({ owner: misplaced.name }, 'a'.repeat(64))),
      },
      hidden: [misplaced.name],
    },
    'file-of-keys': commanded(() => ['keys', 'import', fileOf('keys.txt', misplaced.name), '--state', path.join(local.dir, 'imported'), '--passphrase-file', fileOf('passphrase.txt', 'an invented passphrase\n')], [misplaced.name]),
    'file-of-settings': commanded(() => ['config', 'check', '--state', path.dirname(fileOf('spoilt/huilian.json', `{"member":"${misplaced.name}"}`))], [misplaced.name]),
    'wallet-other-consortium': {
      drivers: {
        sdk: async () => {
          const wallet = new OwnerWallet(local.signer(local.owner), memoryPin());
          const { domain } = await local.consortium();
          await wallet.signTrailRequest(domain, local.owner);
          return await refusedBy(wallet.signTrailRequest({ ...domain, salt: `0x${'1'.repeat(64)}` }, local.owner));
        },
      },
    },
    'wallet-blind': {
      drivers: { sdk: async () => await refusedBy((async () => await local.wallet(local.owner).signGrant((await local.consortium()).domain, { digest: 'a'.repeat(64) } as never))()) },
    },
  };
}
