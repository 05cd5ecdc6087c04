import { spawn } from 'node:child_process';
import { ProtocolError } from '@huilian/protocol';
import type { StaticAccess } from '../../adapters/cli/process-actions.js';
import { fabricNetworkCommand, organisationOf, type Layout } from './layout.js';
import type { EngineAddress, LedgerEngine } from './ledger-engine.js';
import type { Report } from './report.js';

/** What `npm run fabric -- up --json` answers, as far as it is used here. */
interface NetworkAnswer {
  readonly channel: string;
  readonly organisations: readonly { readonly mspId: string; readonly connection: string; readonly connectionProfile: string; readonly wallet: string; readonly identity: string; readonly caCertificate: string; readonly peers: readonly { readonly name: string; readonly address: string }[] }[];
}

interface ErrorAnswer {
  readonly error: { readonly code: string; readonly stage: string; readonly cause: string; readonly next: { readonly en: string; readonly zh: string } };
}

/** Hyperledger Fabric itself, brought up and taken down by the same command that a person would use. */
export class FabricEngine implements LedgerEngine {
  private answer: NetworkAnswer = { channel: '', organisations: [] };
  private started = false;

  public constructor(
    private readonly layout: Layout,
    private readonly profile: string,
    private readonly report: Report,
  ) {}

  public async start(): Promise<void> {
    // What a failed start left running is ended too.
    this.started = true;
    this.answer = (await this.run(['up', '--profile', this.profile])) as NetworkAnswer;
    this.report.step(`Hyperledger Fabric 网络（${this.profile}）已启动`, `a Hyperledger Fabric network (${this.profile}) runs`);
  }

  public async stop(): Promise<void> {
    if (!this.started) return;
    this.started = false;
    await this.run(['down']);
  }

  public connection(centre: string): string {
    return this.organisation(centre).connection;
  }

  public network(centre: string): StaticAccess {
    const { connectionProfile: profile, identity, wallet } = this.organisation(centre);
    return { channel: this.answer.channel, identity, profile, wallet };
  }

  public caCertificate(centre: string): string {
    return this.organisation(centre).caCertificate;
  }

  public addresses(): readonly EngineAddress[] {
    return [];
  }

  private organisation(centre: string): NetworkAnswer['organisations'][number] {
    const found = this.answer.organisations.find(({ mspId }) => mspId === organisationOf(centre));
    if (found === undefined) throw new ProtocolError('INTERNAL', { reason: 'the network has no such organisation', organisation: organisationOf(centre) });
    return found;
  }

  /** Progress goes to this terminal's stderr; the answer is the command's last line. */
  private async run(args: readonly string[]): Promise<unknown> {
    const child = spawn(process.execPath, [fabricNetworkCommand, ...args, '--dir', this.layout.ledger, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit) => {
        resolve(exit ?? -1);
      });
    });
    const answer = JSON.parse(output.trim().split('\n').at(-1) ?? 'null') as unknown;
    if (code === 0) return answer;
    const { cause, code: fabric, stage } = (answer as ErrorAnswer).error;
    throw new ProtocolError('LEDGER_UNAVAILABLE', { reason: fabric, stage, cause });
  }
}
