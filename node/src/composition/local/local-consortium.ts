import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundledKinds, proposalId, ProtocolError, type JsonObject, type MemberDocument, type ProposalAction } from '@huilian/protocol';
import { MemberClient, type Consortium, type MemberKeys } from '@huilian/sdk';
import { NodeApi } from '../../adapters/cli/node-api.js';
import type { InitOptions, LocalRunOptions } from '../../adapters/cli/process-actions.js';
import { initialise, memberDocumentFile, memberKeysFile } from '../initialise.js';
import { freePorts } from './free-ports.js';
import { centres, hostedMembers, Layout, organisationOf, type LocalMember } from './layout.js';
import type { EngineAddress, LedgerEngine } from './ledger-engine.js';
import { ManagedProcess } from './managed-process.js';
import type { Report } from './report.js';
import { SampleCa, usccOid } from './sample-ca.js';

const waitMilliseconds = 30_000;
const contact = 'https://sample.invalid';

/** Who takes part beside the three centres, and what is different about their nodes. */
export interface LocalCast {
  readonly hosted: readonly LocalMember[];
  /** Called once per centre, between its making and its first start. */
  prepareCentre?(centre: string, state: string): void;
  /** Starts a node's process in place of `huilian start`. */
  startNode?(centre: string, state: string, logFile: string): Promise<ManagedProcess>;
}

/** The ledger and the nodes of the local consortium as processes of this machine, founded and governed like any other. */
export class LocalConsortium {
  private readonly processes = new Map<string, ManagedProcess>();

  public constructor(
    public readonly layout: Layout,
    private readonly engine: LedgerEngine,
    private readonly report: Report,
    private readonly ledgerClient: LocalRunOptions['client'],
    private readonly cast: LocalCast = { hosted: hostedMembers },
  ) {}

  /** Starts everything; what an earlier run of the same folder did stays done. */
  public async start(): Promise<void> {
    mkdirSync(this.layout.logs, { recursive: true, mode: 0o700 });
    await this.engine.start();
    for (const member of [...centres, ...this.cast.hosted]) await this.initialiseMember(member);
    await Promise.all(centres.map(async ({ id }) => {
      await this.startNode(id);
    }));
    this.report.step('三个中心的节点已启动', 'the nodes of three centres run');
  }

  public async stop(): Promise<void> {
    await Promise.all(centres.map(async ({ id }) => {
      await this.processes.get(id)?.stop();
    }));
    await this.engine.stop();
  }

  public async startNode(centre: string): Promise<void> {
    const state = this.layout.node(centre);
    const log = path.join(this.layout.logs, `${centre}.log`);
    this.processes.set(centre, await (this.cast.startNode?.(centre, state, log) ?? ManagedProcess.start(`node ${centre}`, ['start', '--state', state], log)));
  }

  public async stopNode(centre: string): Promise<void> {
    await this.processes.get(centre)?.stop();
  }

  public api(centre: string): NodeApi {
    return NodeApi.open(this.layout.node(centre));
  }

  /** Client of a member without a node, at its host. */
  public async client(member: string): Promise<MemberClient> {
    const host = this.cast.hosted.find(({ id }) => id === member)?.host ?? member;
    const keys = JSON.parse(readFileSync(path.join(this.layout.member(member), memberKeysFile), 'utf8')) as MemberKeys;
    return await MemberClient.connect(this.api(host).url, keys);
  }

  public async consortium(): Promise<Consortium> {
    return (await this.api('guangzhou').get('/v1/consortium')) as Consortium;
  }

  /** Addresses and process ids, for the person at the terminal. */
  public addresses(): readonly EngineAddress[] {
    const nodes = [...this.processes].map(([name, child]) => ({ name, address: child.ready['url'] ?? '', pid: child.pid }));
    return [...this.engine.addresses(), ...nodes];
  }

  /** Founds the consortium, adopts the kinds and the sample CA, admits bank and platforms: all by vote. */
  public async govern(): Promise<void> {
    await this.found();
    for (const { document } of bundledKinds()) await this.adopt('publish-schema', { document });
    this.report.step('七个数据种类经表决采用', 'seven kinds adopted by vote');
    const ca = await SampleCa.open(this.layout.sampleCa);
    await this.adopt('trust-ca', { certificate: ca.pem, name: { en: 'Sample CA (invented)', zh: '示例 CA（虚构）' }, usccOids: [usccOid] });
    this.report.step('虚构的示例 CA 经表决信任', 'an invented sample CA trusted by vote');
    for (const { id } of this.cast.hosted) await this.adopt('admit', { member: this.document(this.layout.member(id)) as unknown as JsonObject });
    await this.whenEveryNode(async (api) => {
      for (const { id } of this.cast.hosted) await api.get(`/v1/members/${id}`);
      return true;
    });
    this.report.step('银行和平台经表决加入', 'the bank and the platforms admitted by vote');
  }

  /** Waits until a condition holds at every node: nodes learn of each other's transactions from the ledger. */
  public async whenEveryNode(holds: (api: NodeApi, centre: string) => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + waitMilliseconds;
    for (const { id } of centres) {
      while (!(await holds(this.api(id), id).catch(() => false))) {
        if (performance.now() > deadline) throw new ProtocolError('INTERNAL', { reason: 'a node did not follow the ledger in time', node: id });
        await delay(25);
      }
    }
  }

  /** Waits until every node has indexed what any of them has. */
  public async whenLevel(): Promise<void> {
    const heights = await Promise.all(centres.map(async ({ id }) => ((await this.api(id).get('/v1/consortium')) as Consortium).height));
    const most = Math.max(...heights);
    await this.whenEveryNode(async (api) => ((await api.get('/v1/consortium')) as Consortium).height >= most);
  }

  private async initialiseMember(member: LocalMember): Promise<void> {
    const state = member.kind === 'centre' ? this.layout.node(member.id) : this.layout.member(member.id);
    if (existsSync(path.join(state, memberDocumentFile))) return;
    const [httpPort = 0, exchangePort = 0] = await freePorts(2);
    await initialise({
      state,
      member: member.id,
      kind: member.kind,
      organisation: organisationOf(member.host ?? member.id),
      nameZh: member.nameZh,
      nameEn: member.nameEn,
      region: member.region,
      contact,
      httpPort,
      exchangePort,
      ...(member.host === undefined ? this.ledgerAccess(member.id) : { host: member.host }),
    });
    if (member.kind === 'centre') this.cast.prepareCentre?.(member.id, state);
  }

  private ledgerAccess(centre: string): Pick<InitOptions, 'connection' | 'network'> {
    return this.ledgerClient === 'network' ? { network: this.engine.network(centre) } : { connection: this.engine.connection(centre) };
  }

  private document(state: string): MemberDocument {
    return JSON.parse(readFileSync(path.join(state, memberDocumentFile), 'utf8')) as MemberDocument;
  }

  private async found(): Promise<void> {
    const founders = centres.map(({ id }) => ({ caCertificate: readFileSync(this.engine.caCertificate(id), 'utf8'), member: this.document(this.layout.node(id)) }));
    const charter = { chaincode: 'huilian', channel: 'huilian', founders, name: { en: 'Sample consortium (invented)', zh: '示例联盟（虚构）' }, values: { offerSeconds: 60, ticketSeconds: 900 } };
    for (const { id } of centres) {
      await unlessDone(['ALREADY_FOUNDED'], async () => await this.api(id).post('/v1/governance/found', { charter }));
    }
    await this.whenEveryNode(async (api) => ((await api.get('/v1/consortium')) as Consortium).fingerprint !== '');
    this.report.step('联盟成立，章程指纹一致', 'the consortium is founded');
    this.report.detail(`charter ${(await this.consortium()).fingerprint}`);
  }

  /** One centre proposes, another approves: a majority of three. What an earlier run began is finished, not begun again. */
  public async adopt(action: ProposalAction, content: JsonObject): Promise<void> {
    const proposal = proposalId({ action, content, round: 1 });
    const before = await statusOf(this.api('guangzhou'), proposal);
    if (before === undefined) await this.api('guangzhou').post('/v1/governance/propose', { action, content, round: 1 });
    if (before === 'adopted') return;
    // Each centre's peer learns of a block in its own time.
    await this.whenEveryNode(async (api) => (await statusOf(api, proposal)) !== undefined);
    await this.api('zhuhai').post('/v1/governance/approve', { proposal });
  }
}

/** Status of a proposal as a node knows it. */
async function statusOf(api: NodeApi, id: string): Promise<string | undefined> {
  const items = (await api.all('/v1/governance/proposals')) as readonly { id: string; status: string }[];
  return items.find((proposal) => proposal.id === id)?.status;
}

/** Runs a step that an earlier run of the same folder may have done. */
async function unlessDone<T>(codes: readonly string[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof ProtocolError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
