import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProtocolError } from '@huilian/protocol';
import type { SandboxRunOptions } from '../../adapters/cli/process-actions.js';
import { EmbeddedEngine } from '../local/embedded-engine.js';
import { centres, Layout } from '../local/layout.js';
import { LocalConsortium } from '../local/local-consortium.js';
import { announceReady, ManagedProcess } from '../local/managed-process.js';
import { Report } from '../local/report.js';
import { SampleCa } from '../local/sample-ca.js';
import { SampleOwner } from '../local/sample-owners.js';
import { runUntilStopped } from '../run-until-stopped.js';
import { AnswerAsks } from './answer-asks.js';
import { forcedAccesses, makeGrants, makeRecords, writeFacts, type SandboxFacts } from './make-cases.js';
import { awayCentre, sandboxMembers, sandboxOwners, suspendedMember, type SandboxOwner } from './sandbox-cast.js';

const engineMark = 'sandbox';
const nodeScript = fileURLToPath(new URL('./sandbox-node.js', import.meta.url));

/**
 * Runs the sandbox for integrators until it is told to stop: the local consortium with a fixed invented cast, records and
 * grants in every case a reader meets, and test owners that answer asks. A second start of the folder finds all as it was.
 * @throws BAD_FIELD for a folder of another consortium, or of a sandbox that was not made to its end
 */
export async function runSandbox({ state }: SandboxRunOptions): Promise<void> {
  const sandbox = new Sandbox(new Layout(path.resolve(state)));
  try {
    const { env, json } = await sandbox.start();
    process.stdout.write(`\nsandbox 沙箱: ${json}\nfor a shell: . ${env}\nCtrl-C 停止 / Ctrl-C stops\n`);
    announceReady({ facts: json });
    await runUntilStopped(async () => Promise.resolve());
  } finally {
    await sandbox.stop();
  }
}

class Sandbox {
  private readonly report = new Report();
  private readonly local: LocalConsortium;
  private readonly forced: string;
  private readonly facts: string;
  private owners: AnswerAsks | undefined;

  public constructor(private readonly layout: Layout) {
    this.forced = path.join(layout.root, 'forced-accesses.json');
    this.facts = path.join(layout.root, 'sandbox.json');
    this.local = new LocalConsortium(layout, new EmbeddedEngine(layout, this.report), this.report, 'gateway', {
      hosted: sandboxMembers,
      prepareCentre: fixLocalIds,
      startNode: async (centre, nodeState, log) => await this.startNode(centre, nodeState, log),
    });
  }

  public async start(): Promise<{ readonly json: string; readonly env: string }> {
    mkdirSync(this.layout.root, { recursive: true, mode: 0o700 });
    this.keepToSandbox();
    this.report.heading('集成沙箱（全部虚构，仅限本机）', 'sandbox for integrators (all invented, this machine only)');
    const before = existsSync(this.facts) ? (JSON.parse(readFileSync(this.facts, 'utf8')) as { records: Record<string, string>; grants: Record<string, string> }) : undefined;
    await this.local.start();
    await this.local.govern();
    const { fingerprint } = await this.local.consortium();
    const owners = this.openOwners();
    this.owners = new AnswerAsks(owners.byId, (error) => {
      process.stderr.write(`a test owner could not answer: ${error instanceof Error ? error.message : String(error)}\n`);
    });
    const made = before === undefined ? await this.make(owners) : { records: new Map(Object.entries(before.records)), grants: new Map(Object.entries(before.grants)) };
    await this.local.stopNode(awayCentre);
    this.report.step('珠海中心的节点已停止：其记录暂不可读', "Zhuhai's node is stopped: its records have a publisher that is away");
    const nodes = Object.fromEntries(centres.map(({ id }) => [id, this.local.api(id).url]));
    return writeFacts(this.local, { charter: fingerprint, nodes, wallets: owners.files, ...made });
  }

  public async stop(): Promise<void> {
    this.owners?.stop();
    await this.local.stop();
  }

  private async make(owners: SandboxOwners): Promise<Pick<SandboxFacts, 'grants' | 'records'>> {
    const { domain } = await this.local.consortium();
    const ca = await SampleCa.open(this.layout.sampleCa);
    for (const owner of owners.byId.values()) await owner.register(this.local.api('guangzhou'), domain, ca);
    await this.local.adopt('suspend', { member: suspendedMember });
    this.report.step('测试权属人已登记密钥，一家银行已暂停', 'test owners registered their keys; one bank is suspended');
    await this.local.whenLevel();
    const records = await makeRecords(this.local);
    writeFileSync(this.forced, `${JSON.stringify(forcedAccesses(records), null, 2)}\n`);
    this.report.step('各种情形的记录已上链', 'records of every case are on the ledger');
    const prompt = owners.byId.get(`org:${sandboxOwners.prompt.bidder.uscc}`);
    if (prompt === undefined) throw new ProtocolError('INTERNAL', { reason: 'no-owner' });
    const grants = await makeGrants(this.local, prompt, domain, records.get('credit') ?? '');
    this.report.step('各种情形的授权已签署', 'grants of every case are signed');
    return { records, grants };
  }

  private openOwners(): SandboxOwners {
    const withKey = Object.values<SandboxOwner>(sandboxOwners).filter((owner) => owner.withoutKey !== true);
    const opened = withKey.map((owner) => ({ name: owner.name, wallet: SampleOwner.open(owner.bidder, this.layout.owners) }));
    return {
      byId: new Map(opened.map(({ wallet }) => [wallet.id, wallet])),
      files: new Map(opened.map(({ name, wallet }) => [name, path.join(this.layout.owners, wallet.bidder.uscc, 'key.txt')])),
    };
  }

  private async startNode(centre: string, nodeState: string, log: string): Promise<ManagedProcess> {
    const child = await ManagedProcess.start(`node ${centre}`, [nodeState, this.forced], log, nodeScript);
    child.onMessage((message) => { this.owners?.take(child.ready['url'] ?? '', message); });
    return child;
  }

  /** The walk-through's consortium and the sandbox's are different ones, and half a sandbox is none. */
  private keepToSandbox(): void {
    const { engine: file, root } = this.layout;
    const before = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
    if (before === undefined) writeFileSync(file, `${engineMark}\n`);
    else if (before !== engineMark) throw new ProtocolError('BAD_FIELD', { path: '--state', reason: `${root} belongs to another consortium: name another folder / 该目录属于另一联盟，请换用其他目录` });
    else if (!existsSync(this.facts)) throw new ProtocolError('BAD_FIELD', { path: '--state', reason: `an earlier start did not finish: remove ${root}, or name another folder / 上次启动未完成，请删除该目录或换用其他目录` });
  }
}

interface SandboxOwners {
  readonly byId: ReadonlyMap<string, SampleOwner>;
  /** Key files by name of the owner. */
  readonly files: ReadonlyMap<string, string>;
}

/** The same records have the same ids in every sandbox: its centres' keys for local ids are no secrets. */
function fixLocalIds(centre: string, state: string): void {
  writeFileSync(path.join(state, 'keys', 'local-id-key'), createHash('sha256').update(`huilian sandbox ${centre}`).digest(), { mode: 0o600 });
}
