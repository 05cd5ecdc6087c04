import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Wallet } from 'ethers';
import { grantDigest, isJsonObject, jweDigest, jwkThumbprint, proposalId, signReceipt, toHex, type JsonObject, type RegistrationStatement } from '@huilian/protocol';
import { es256Signer, generateMemberKeys, grantFor, publicKeysOf, referenceOf, signMemberRotation, signRegistration, type Ask, type OpenedAccess } from '@huilian/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SampleCa } from '../../../node/src/composition/local/sample-ca.js';
import { qualification } from '../../../node/test/sample-lines.js';
import { joinRequest, newBank } from '../join-request.js';
import { root } from '../main-job.js';
import type { Centre, RunningConsortium } from '../running-consortium.js';

const run = promisify(execFile);
const now = (): number => Math.floor(Date.now() / 1000);
const bank = 'sample-bank';
const consoleAssets = path.join(root, 'node', 'console', 'dist', 'assets');
/** Of the built console; undefined where it is not built. */
const consoleFile = existsSync(consoleAssets) ? readdirSync(consoleAssets).find((name) => name.endsWith('.js')) : undefined;

/** What a call stands on: the variables that its text names, who calls, and where. */
interface Setting {
  readonly as?: string;
  readonly at?: Centre;
  readonly variables?: Readonly<Record<string, string>>;
  /** Status where the call is right and the consortium says no. */
  readonly status?: number;
}

interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly 'x-huilian-caller': string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonObject }>> }>>;
}

/** Runs a call as a person would, with the status said at the end. */
async function runCurl(command: string, variables: Readonly<Record<string, string>>): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  const script = `curl() { command curl -w '\\n%{http_code} %{content_type}' "$@"; }\n${command}`;
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: tmpdir(), env: { ...process.env, ...variables }, maxBuffer: 16 * 1024 * 1024 });
  const at = stdout.lastIndexOf('\n');
  const [status = '', type = ''] = stdout.slice(at + 1).split(/[ ;]/);
  return { status: Number(status), type, body: stdout.slice(0, at) };
}

/** 202 says that the outcome is not known yet, but where it is a route's only good status. */
function goodStatuses({ responses }: Operation, status: number | undefined): readonly number[] {
  if (status !== undefined) return [status];
  const good = Object.keys(responses).filter((name) => /^[23]/.test(name)).map(Number);
  return good.length === 1 ? good : good.filter((one) => one !== 202);
}

/** The curl call of every route, as /openapi.json shows it, run as it stands by a shell against real nodes. */
export function curlExamples(consortium: RunningConsortium): void {
  const { owner, stranger } = consortium;

  /** Writes a body to a file; answers its name. */
  function file(body: unknown): string {
    const name = path.join(consortium.dir, `curl-${crypto.randomUUID()}.json`);
    writeFileSync(name, typeof body === 'string' ? body : JSON.stringify(body));
    return name;
  }

  const random = (bytes: number): string => toHex(crypto.getRandomValues(new Uint8Array(bytes)));
  const domain = async () => (await consortium.consortium()).domain;

  function wish(): Omit<Ask, 'id' | 'grantee' | 'askedAt'> {
    return { claims: ['credit/entry'], expires: now() + 3600, maxUses: 3, notBefore: now() - 60, owner, purpose: 'credit-check', reference: referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'sample project') };
  }

  async function newAsk(): Promise<Ask> {
    return await (await consortium.client(bank)).ask(wish());
  }

  async function preparedRequest(): Promise<{ readonly request: string; readonly grant: Awaited<ReturnType<RunningConsortium['grant']>> }> {
    const [record = ''] = await consortium.records('credit', 'guangzhou');
    const grant = await consortium.grant({ claims: ['credit/entry'], grantee: bank, purpose: 'credit-check' });
    const request = await (await consortium.client(bank)).prepare({ recordIds: [record], claims: ['entry'], purpose: 'credit-check', grant });
    return { request, grant };
  }

  async function opened(): Promise<OpenedAccess> {
    const { grant, request } = await preparedRequest();
    return await (await consortium.client(bank)).send(request, grant);
  }

  async function certified(id: string, key: string): Promise<{ readonly chain: readonly string[]; readonly statement: unknown }> {
    const ca = await SampleCa.open(path.join(consortium.dir, 'sample-ca'));
    const { certificate, privateKey } = await ca.certify(id.slice(4), 'Invented entity');
    const statement: RegistrationStatement = { expires: now() + 3600, key, owner: id, salt: (await domain()).salt };
    return { chain: [certificate, ca.base64], statement: await signRegistration(statement, privateKey as CryptoKey) };
  }

  async function unregistered(): Promise<string> {
    const { items } = (await consortium.api('guangzhou').get('/v1/records?kind=entity&publisher=guangzhou&limit=100')) as { items: { header: { owner?: string } }[] };
    for (const { header } of items) if (header.owner !== undefined && (await consortium.call('guangzhou', 'GET', `/v1/owners/${header.owner}`)).status === 404) return header.owner;
    throw new Error('every sample entity is registered');
  }

  async function admission(): Promise<{ readonly action: 'admit'; readonly content: JsonObject; readonly round: number }> {
    const { document } = await newBank(consortium);
    return { action: 'admit', content: { member: document as unknown as JsonObject }, round: 1 };
  }

  /** A proposal of Zhuhai, known at Guangzhou. */
  async function proposed(): Promise<string> {
    const proposal = await admission();
    expect((await consortium.call('zhuhai', 'POST', '/v1/governance/propose', proposal, 'operator')).status).toBe(200);
    await consortium.whenLevel();
    return proposalId(proposal);
  }

  async function joining(): Promise<string> {
    const { body, status } = await consortium.call('guangzhou', 'POST', '/v1/joins', await joinRequest(consortium));
    expect(status, JSON.stringify(body)).toBe(201);
    return String(body['id']);
  }

  /** A webhook of the operator, at a target on this machine that takes everything. */
  async function webhook(): Promise<Setting> {
    const created = await consortium.call('guangzhou', 'POST', '/v1/webhooks', { url: target }, 'operator');
    expect(created.status).toBe(201);
    return { variables: { WEBHOOK_ID: created.body['id'] as string } };
  }

  const password = 'seven unrelated invented words';

  /** An account of the centre's own people, made on the machine. */
  async function account(): Promise<Setting> {
    const name = `person-${random(4)}`;
    expect((await consortium.call('guangzhou', 'POST', '/v1/accounts', { name, role: 'operator', password }, 'operator')).status).toBe(201);
    return { variables: { ACCOUNT: name, COOKIES: path.join(consortium.dir, `cookies-${name}`), NEW_ACCOUNT: `${name}-too`, PASSWORD: password } };
  }

  /** A cookie jar as curl keeps it, of an account that is signed in. */
  async function signedIn(): Promise<Required<Pick<Setting, 'variables'>> & { readonly handle: string }> {
    const { variables = {} } = await account();
    const { ACCOUNT: name = '', COOKIES: jar = '' } = variables;
    const answer = await consortium.call('guangzhou', 'POST', '/v1/session', { name, password });
    const [, id = ''] = /huilian-session=([^;]+)/.exec(answer.headers.getSetCookie()[0] ?? '') ?? [];
    writeFileSync(jar, `127.0.0.1\tFALSE\t/\tFALSE\t0\thuilian-session\t${id}\n`);
    const { body } = await consortium.call('guangzhou', 'GET', '/v1/sessions', undefined, 'operator');
    const { handle = '' } = (body['items'] as { account: string; handle: string }[]).find((one) => one.account === name) ?? {};
    return { variables: { ...variables, NEW_PASSWORD: 'quite another set of words' }, handle };
  }

  /** A row that was refused, on the list of Guangzhou. */
  async function refusedRow(): Promise<Setting> {
    const source = { file: `curl-${random(4)}.csv`, line: 2 };
    await consortium.call('guangzhou', 'POST', '/v1/records', `${JSON.stringify({ kind: 'qualification', row: { QUAL_CERT_NO: 'D-SAMPLE-1' }, source })}\n`, 'operator');
    const { body } = await consortium.call('guangzhou', 'GET', `/v1/dead-letters?file=${source.file}`, undefined, 'operator');
    const [{ id = '' } = {}] = body['items'] as { id?: string }[];
    return { variables: { LETTER: id } };
  }

  const mappingDocument = {
    format: 'mapping/1', kind: 'qualification', schema: 1,
    columns: { 企业代码: { as: 'LEGAL_CODE' }, 资质: { as: 'QUAL_NAME' }, 类别: { as: 'QUAL_TYPE' }, 等级: { as: 'QUAL_LEVEL' }, 证书: { as: 'QUAL_CERT_NO' }, 有效期: { to: 'certificate.end', formats: ['yyyy/M/d'] } },
  };

  async function heldMapping(): Promise<Setting> {
    const name = `curl-${random(4)}`;
    expect((await consortium.call('guangzhou', 'PUT', `/v1/mappings/${name}`, mappingDocument, 'operator')).status).toBe(200);
    return { variables: { MAPPING: name } };
  }

  const atBeijing = { as: bank, at: 'beijing' } as const;
  let strangerWallet: ReturnType<RunningConsortium['wallet']>;
  let recoveryKey = '';

  /** What the calls need beside NODE, TOKEN and the names of what every consortium has, by the operation's id. */
  const settings: Readonly<Record<string, () => Promise<Setting>>> = {
    signIn: async () => ({ at: 'zhuhai', variables: { ASSERTION: await consortium.assertion('zhuhai-platform') } }),
    publish: () => Promise.resolve({ variables: { FILE: file(`${JSON.stringify({ kind: 'qualification', data: qualification(910001) })}\n`) } }),
    deadLetter: refusedRow, dropDeadLetter: refusedRow, exportDeadLetters: refusedRow, retryDeadLetters: refusedRow,
    mapping: heldMapping, removeMapping: heldMapping,
    putMapping: () => Promise.resolve({ variables: { MAPPING_FILE: file(mappingDocument) } }),
    erase: async () => {
      const { body } = await consortium.call('guangzhou', 'POST', '/v1/records', `${JSON.stringify({ kind: 'qualification', data: qualification(910002) })}\n`, 'operator');
      const [{ recordId = '' } = {}] = body['lines'] as { recordId?: string }[];
      return { variables: { RECORD: recordId } };
    },
    source: () => Promise.resolve({ variables: { SOURCE: 'sample-file' } }),
    sourceRuns: () => Promise.resolve({ variables: { SOURCE: 'sample-file' } }),
    runSource: () => Promise.resolve({ variables: { SOURCE: 'sample-file' } }),
    // Nothing of it is under way.
    stopRun: () => Promise.resolve({ variables: { SOURCE: 'sample-folder' }, status: 404 }),
    ask: () => Promise.resolve({ ...atBeijing, variables: { ASK: file(wish()) } }),
    findAsk: async () => ({ at: 'beijing', variables: { ASK_ID: (await newAsk()).id } }),
    answerAsk: async () => {
      const ask = await newAsk();
      return { at: 'beijing', variables: { ASK_ID: ask.id, GRANT: file(await consortium.wallet(owner).signGrant(await domain(), grantFor(ask, `0x${random(32)}`))) } };
    },
    openAccess: async () => ({ ...atBeijing, variables: { REQUEST: file(await preparedRequest()) } }),
    ticket: async () => ({ ...atBeijing, variables: { TICKET: (await opened()).ticket } }),
    release: async () => ({ ...atBeijing, variables: { TICKET: (await opened()).ticket } }),
    receipt: async () => {
      const { release, ticket } = await opened();
      const receipt = await signReceipt({ jwe: jweDigest(release.jwe), reader: bank, receivedAt: now(), resend: false, ticket }, await es256Signer(consortium.keys(bank).signingKey));
      return { ...atBeijing, variables: { RECEIPT: receipt } };
    },
    evidence: async () => {
      const access = await opened();
      await (await consortium.client(bank)).receipt(access);
      return { ...atBeijing, variables: { TICKET: access.ticket } };
    },
    registerOwner: async () => {
      const id = await unregistered();
      return { variables: { REGISTRATION: file(await certified(id, Wallet.createRandom().address.toLowerCase())) } };
    },
    revokeGrant: async () => {
      const grant = await consortium.grant({});
      return { variables: { REVOCATION: file(await consortium.wallet(owner).signRevocation(await domain(), { grant: grantDigest(await domain(), grant.grant), owner })) } };
    },
    trail: async () => ({ variables: { TRAIL: file(await consortium.wallet(owner).signTrailRequest(await domain(), owner)) } }),
    rotateOwnerKey: async () => {
      const next = Wallet.createRandom();
      const rotation = await consortium.wallet(stranger).signKeyRotation(await domain(), { owner: stranger, newKey: next.address.toLowerCase(), expires: now() + 3600 });
      strangerWallet = consortium.walletOf(next);
      return { variables: { ROTATION: file(rotation) } };
    },
    recoverOwner: async () => {
      recoveryKey = Wallet.createRandom().address.toLowerCase();
      return { variables: { RECOVERY: file(await certified(stranger, recoveryKey)) } };
    },
    objectRecovery: async () => ({ variables: { OBJECTION: file(await strangerWallet.signRecoveryObjection(await domain(), { owner: stranger, newKey: recoveryKey })) } }),
    rotateMemberKeys: async () => {
      const next = await generateMemberKeys(bank);
      const rotation = await signMemberRotation(bank, publicKeysOf(next), (await domain()).salt, await es256Signer(consortium.keys(bank).signingKey));
      writeFileSync(path.join(consortium.dir, 'members', bank, 'member-keys.json'), JSON.stringify(next));
      return { at: 'beijing', variables: { ROTATION: file({ rotation }) } };
    },
    attest: async () => {
      const [record = ''] = await consortium.records('performance', 'guangzhou');
      return { at: 'zhuhai', variables: { OTHERS_RECORD: record } };
    },
    stateOnRecord: async () => {
      const [record = ''] = await consortium.records('performance', 'guangzhou');
      const { header } = (await (await consortium.client(bank)).record(record)).record;
      const statement = { owner, record, version: header.version, digest: `0x${header.digest}`, claims: [], verdict: 'confirm', reason: 'checked', issuedAt: now() };
      return { variables: { STATEMENT: file(await consortium.wallet(owner).signRecordStatement(await domain(), statement)) } };
    },
    ownCopy: async () => {
      const { encryptionKey: key } = publicKeysOf(await generateMemberKeys('guangzhou'));
      const salt = crypto.getRandomValues(new Uint8Array(16));
      const grant = await consortium.grant({ claims: ['entity/contact', 'entity/identity'], grantee: 'guangzhou', purpose: 'own-copy', reference: referenceOf(salt, jwkThumbprint(key)) });
      return { variables: { OWN_COPY: file({ grant, kind: 'entity', recipient: { key, salt: toHex(salt) } }) } };
    },
    prefill: () => Promise.resolve({ variables: { FIELD_MAP: file({ format: 'field-map/1', form: 'sample form', fields: { name: { from: ['entity/identity.name'] } } }) } }),
    // Founded already: the right call again is refused by its code.
    found: async () => ({ variables: { CHARTER: file({ charter: (await consortium.consortium()).charter }) }, status: 409 }),
    // No database is configured here.
    rebuildMirror: () => Promise.resolve({ status: 400 }),
    propose: async () => ({ variables: { PROPOSAL: file(await admission()) } }),
    approve: async () => ({ variables: { PROPOSAL_ID: await proposed() } }),
    reject: async () => ({ variables: { PROPOSAL_ID: await proposed() } }),
    requestJoin: async () => ({ variables: { JOIN_REQUEST: (await joinRequest(consortium)).request } }),
    join: async () => ({ variables: { JOIN: await joining() } }),
    proposeJoin: async () => ({ variables: { JOIN: await joining() } }),
    answerJoin: async () => ({ variables: { JOIN: await joining() } }),
    acknowledge: async () => {
      const { kinds } = (await consortium.api('beijing').get('/v1/catalogue')) as { kinds: { kind: string; versions: { digest: string }[] }[] };
      return { ...atBeijing, variables: { DIGEST: kinds.find(({ kind }) => kind === 'credit')?.versions[0]?.digest ?? '' } };
    },
    // No vote of the sample consortium adopted one.
    migrate: () => Promise.resolve({ status: 404 }),
    createWebhook: () => Promise.resolve({ variables: { WEBHOOK: file({ url: target, batch: true }) } }),
    signInStaff: account, account, addAccount: account, setRole: account, setPassword: account, disableAccount: account, enableAccount: account, unlockAccount: account,
    changePassword: signedIn,
    // Of a staff directory, which no centre of this consortium has: node/test/staff-directory.test.ts.
    signInByDirectory: () => Promise.resolve({ status: 404 }),
    directoryCallback: () => Promise.resolve({ status: 404 }),
    console: () => Promise.resolve({ status: consoleFile === undefined ? 503 : 200 }),
    consoleFile: () => Promise.resolve({ status: consoleFile === undefined ? 404 : 200, variables: { CONSOLE_FILE: consoleFile ?? 'none.js' } }),
    endSession: async () => ({ variables: { SESSION: (await signedIn()).handle } }),
    webhook, removeWebhook: webhook, testWebhook: webhook, resumeWebhook: webhook, renewWebhookSecret: webhook,
  };

  let components: JsonObject;
  let operations: readonly Operation[];
  let common: Readonly<Record<string, string>>;

  const receiver = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(204).end());
  });
  let target = '';
  afterAll(() => receiver.close());
  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    target = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/events`;
    const document = (await consortium.api('guangzhou').get('/openapi.json')) as JsonObject;
    components = document['components'] as JsonObject;
    operations = Object.values(document['paths'] as JsonObject).flatMap((methods) => Object.values(methods as JsonObject)) as unknown as Operation[];
    const { items } = (await consortium.api('guangzhou').get('/v1/records?limit=500')) as { items: { recordId: string; header: { rights: string } }[] };
    common = { MEMBER: 'guangzhou', OWNER: owner, PUBLIC: items.find(({ header }) => header.rights === 'public')?.recordId ?? '', RECORD: items[0]?.recordId ?? '' };
  });
  /** The call of an operation with all that its text names; who makes it, and the status it must end with. */
  async function callOf({ description, operationId }: Operation): Promise<{ readonly command: string; readonly variables: Readonly<Record<string, string>>; readonly status: number | undefined }> {
    const command = /```sh\n([\s\S]*)\n```/.exec(description ?? '')?.[1];
    expect(command, `${operationId} has no curl in its declaration`).toBeDefined();
    const { as = 'operator', at = 'guangzhou', status, variables = {} } = (await settings[operationId]?.()) ?? {};
    const all = { ...common, NODE: consortium.api(at).url, TOKEN: await consortium.tokenOf(as, at), ...variables };
    for (const [, name = ''] of (command ?? '').matchAll(/\$([A-Z_]+)/g)) expect(all, `${operationId} names $${name}: say in this file what it stands for`).toHaveProperty(name);
    return { command: command ?? '', status, variables: all };
  }

  async function tryExample(operation: Operation): Promise<void> {
    const { operationId, responses } = operation;
    const { command, status, variables } = await callOf(operation);
    const answer = await runCurl(command, variables);
    expect(goodStatuses(operation, status), `${operationId}: ${answer.body}`).toContain(answer.status);
    const content = responses[String(answer.status)]?.content;
    if (content === undefined) {
      expect([204, 302], operationId).toContain(answer.status);
      expect(answer.body, operationId).toBe('');
      return;
    }
    const schema = content[answer.type]?.schema;
    expect(schema, `${operationId} answered ${answer.type}`).toBeDefined();
    const check = new Ajv2020({ strict: false }).compile({ ...schema, components });
    const value: unknown = answer.type === 'application/json' ? JSON.parse(answer.body) : answer.body;
    expect(check(value), `${operationId}: ${JSON.stringify(check.errors)} ${answer.body.slice(0, 500)}`).toBe(true);
    if (operationId === 'openApi' && isJsonObject(value)) expect(value['openapi']).toBe('3.1.0');
  }

  describe('the curl call of each route', () => {
    it('does what the route says, and the answer is the declared one', async () => {
      expect(operations.length).toBeGreaterThan(40);
      for (const operation of operations) await tryExample(operation);
    }, 120_000);
  });
}
