import { existsSync, globSync, statSync } from 'node:fs';
import path from 'node:path';
import { FabricNetwork, silentProgress, takeDown, type NetworkDescription } from '@huilian/fabric-network';
import { BenchConsortium, centreIds, execute, nodeProgram, root, type CentreId, type OutboxSettings } from '../consortium.js';
import type { ProcessIds } from '../processor-time.js';

const networkProgram = path.join(root, 'scripts', 'fabric', 'dist', 'main.js');
const baselineChaincode = path.join(root, 'scripts', 'bench', 'chaincode');

/** The consortium on a real Raft network, with the baseline's chaincode beside it. */
export class FabricConsortium extends BenchConsortium {
  public network!: FabricNetwork;
  public description!: NetworkDescription;

  /** Founds it by the walk-through itself, then starts its processes again one by one. */
  public static async start(folder: string, outbox: OutboxSettings, profileNode: boolean, say: (what: string) => void): Promise<FabricConsortium> {
    const consortium = new FabricConsortium(folder, profileNode);
    try {
      say('a consortium on Raft is founded (the walk-through) / 建立联盟');
      await execute(process.execPath, [nodeProgram, 'local', 'up', '--engine', 'fabric', '--profile', 'raft', '--once', '--state', consortium.state], { maxBuffer: 2 ** 26 });
      say('its network runs again, the baseline chaincode beside it / 部署对照链码');
      consortium.network = await FabricNetwork.open(path.join(consortium.state, 'ledger'), silentProgress);
      await consortium.network.up();
      await consortium.network.deploy({ name: 'baseline', source: baselineChaincode });
      consortium.description = consortium.network.describe();
      for (const centre of centreIds) consortium.configure(centre, outbox);
      await consortium.startNodes();
      return consortium;
    } catch (error) {
      await consortium.stop(false);
      throw error;
    }
  }

  public connection(centre: CentreId): string {
    const found = this.description.organisations.find(({ id }) => id === centre);
    if (found === undefined) throw new Error(`no organisation ${centre}`);
    return found.connection;
  }

  public async height(): Promise<number> {
    return Math.max(...(await this.network.status()).map((each) => each.height ?? 0));
  }

  public ledgerProcesses(): ProcessIds {
    return Object.fromEntries(this.network.processes.names().flatMap((name) => {
      const pid = this.network.processes.pid(name);
      return pid === undefined ? [] : [[name, pid]];
    }));
  }

  /** The mean over all peers. */
  public blockBytes(): number {
    const files = globSync('data/peer*/ledgersData/chains/chains/huilian/blockfile_*', { cwd: path.join(this.state, 'ledger') });
    const peers = new Set(files.map((file) => file.split(path.sep)[1]));
    return files.reduce((sum, file) => sum + statSync(path.join(this.state, 'ledger', file)).size, 0) / peers.size;
  }

  public async batching(name: 'bulk' | 'low-latency'): Promise<void> {
    await execute(process.execPath, [networkProgram, 'batching', '--name', name, '--dir', path.join(this.state, 'ledger')]);
  }

  protected async stopLedger(keep: boolean): Promise<void> {
    const ledger = path.join(this.state, 'ledger');
    if (existsSync(ledger)) await takeDown((this.network as FabricNetwork | undefined)?.folder ?? (await FabricNetwork.open(ledger, silentProgress, 'raft')).folder, !keep);
  }
}
