import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchConsortium, centreIds, ended, execute, nodeProgram, whenServing, type OutboxSettings } from '../consortium.js';
import type { ProcessIds } from '../processor-time.js';

/** Names of the centres' organisations in the local consortium. */
const organisations = ['GuangzhouMSP', 'ZhuhaiMSP', 'BeijingMSP'];

/** The consortium on the embedded ledger, a process like its nodes; beside `huilian` it runs the chaincode of the plain ways. */
export class EmbeddedConsortium extends BenchConsortium {
  private ledger: ChildProcess | undefined;

  /** Founds it by the walk-through itself, then starts its processes again one by one. */
  public static async start(folder: string, outbox: OutboxSettings, profileNode: boolean, say: (what: string) => void): Promise<EmbeddedConsortium> {
    const consortium = new EmbeddedConsortium(folder, profileNode);
    try {
      say('a consortium on the embedded ledger is founded (the walk-through) / 建立联盟');
      await execute(process.execPath, [nodeProgram, 'local', 'up', '--once', '--state', consortium.state], { maxBuffer: 2 ** 26 });
      await consortium.startLedger();
      for (const centre of centreIds) consortium.configure(centre, outbox);
      await consortium.startNodes();
      return consortium;
    } catch (error) {
      await consortium.stop(false);
      throw error;
    }
  }

  /** Of the nodes: the one that published has seen its own last block. */
  public async height(): Promise<number> {
    const states = await Promise.all(centreIds.map(async (centre) => await this.status(centre)));
    return Math.max(...states.map(({ height }) => height)) + 1;
  }

  public ledgerProcesses(): ProcessIds {
    return { ledger: this.ledger?.pid ?? 0 };
  }

  /** Records that the read model of a centre shows. */
  public async recordVersions(): Promise<number> {
    let count = 0;
    let cursor: string | undefined;
    do {
      const page: { readonly items: readonly { readonly header: { readonly version: number } }[]; readonly cursor?: string } = await this.get('zhuhai', `/v1/records?limit=500${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      count += page.items.reduce((sum, { header }) => sum + header.version, 0);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return count;
  }

  /** How a plain client of Guangzhou's organisation connects. */
  public get connection(): string {
    return path.join(this.state, 'ledger', 'connections', `${organisations[0] ?? ''}.json`);
  }

  /** The store of blocks and state together. */
  public blockBytes(): number {
    return globSync('**/*', { cwd: path.join(this.state, 'ledger') }).reduce((sum, file) => {
      const stat = statSync(path.join(this.state, 'ledger', file), { throwIfNoEntry: false });
      return sum + (stat?.isFile() === true ? stat.size : 0);
    }, 0);
  }

  protected async stopLedger(): Promise<void> {
    if (this.ledger !== undefined) await ended(this.ledger);
    this.ledger = undefined;
  }

  private async startLedger(): Promise<void> {
    const program = fileURLToPath(new URL('./ledger-process.js', import.meta.url));
    this.ledger = spawn(process.execPath, [...this.profiled('ledger'), program, path.join(this.state, 'ledger'), ...organisations], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await whenServing(this.ledger, 'the ledger');
  }
}
