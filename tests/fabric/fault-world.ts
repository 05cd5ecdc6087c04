import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decodeBatchArgument, ledgerFunctions, recordId, type JsonObject } from '@huilian/protocol';
import { FabricNetwork, NetworkFolder, silentProgress, takeDown, type NetworkDescription } from '@huilian/fabric-network';
import { expect } from 'vitest';
import type { AuditReport } from '../../node/src/adapters/cli/process-actions.js';
import { GatewayLedger } from '../../node/src/adapters/fabric/gateway-ledger.js';
import { centreIds, huilian, readJson, root } from '../e2e/main-job.js';
import { RunningConsortium, type Centre, type LedgerHost } from '../e2e/running-consortium.js';
import { GatewayProxy } from './gateway-proxy.js';

const patience = { interval: 100, timeout: 90_000 } as const;
const [sample] = readJson<{ cases: { input: { entry: JsonObject } }[] }>(path.join(root, 'tests', 'vectors', 'valid', 'kind-credit.json')).cases;

interface NodeStatus {
  readonly height: number;
  readonly ledger: { readonly state: string; readonly problem?: string };
  readonly outbox: { readonly pending: number; readonly inFlight: number };
}

class FabricHost implements LedgerHost {
  public readonly options: readonly string[];
  private made: { readonly network: FabricNetwork; readonly description: NetworkDescription } | undefined;
  private folder: NetworkFolder | undefined;

  public constructor(private readonly profile: 'raft' | 'bft') {
    this.options = ['--engine', 'fabric', '--profile', profile];
  }

  public get up(): { readonly network: FabricNetwork; readonly description: NetworkDescription } {
    if (this.made === undefined) throw new Error('the network is not up');
    return this.made;
  }

  public async start(dir: string): Promise<void> {
    this.folder = new NetworkFolder(path.join(dir, 'ledger'));
    const network = await FabricNetwork.open(path.join(dir, 'ledger'), silentProgress, this.profile);
    this.made = { description: await network.up(), network };
  }

  public async stop(): Promise<void> {
    if (this.folder !== undefined) await takeDown(this.folder, true);
  }
}

/**
 * The whole consortium on a Fabric network whose parts a test may kill, hold or cut: three nodes as processes, each
 * reachable through a proxy of its own in front of its peer.
 */
export class FaultWorld {
  public readonly consortium: RunningConsortium;
  private readonly host: FabricHost;
  private readonly proxies = new Map<Centre, GatewayProxy>();
  private readonly acknowledged: string[] = [];
  private runs = 0;

  public constructor(profile: 'raft' | 'bft') {
    this.host = new FabricHost(profile);
    this.consortium = new RunningConsortium(this.host);
  }

  public get network(): FabricNetwork {
    return this.host.up.network;
  }

  public get description(): NetworkDescription {
    return this.host.up.description;
  }

  public async start(): Promise<void> {
    await this.consortium.start();
  }

  public async stop(): Promise<void> {
    await this.consortium.stop();
    for (const proxy of this.proxies.values()) await proxy.close();
  }

  public async kill(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map(async (name) => { await this.network.processes.stop(name, 'SIGKILL'); }));
  }

  public async restart(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map(async (name) => { await this.network.restart(name); }));
  }

  /** Starts a killed node again. */
  public async revive(centre: Centre): Promise<void> {
    await this.consortium.end(centre, 'SIGKILL');
    await this.consortium.startNode(centre);
  }

  /** Puts a proxy between a centre's node and its peer, which the node takes from now on. */
  public async proxied(centre: Centre): Promise<GatewayProxy> {
    const known = this.proxies.get(centre);
    if (known !== undefined) return known;
    const own = this.description.organisations.find(({ id }) => id === centre);
    const [peer] = own?.peers ?? [];
    if (own === undefined || peer === undefined) throw new Error(`no peer of ${centre}`);
    const tls = path.join(path.dirname(peer.tlsCa), '..', 'peers', peer.name, 'tls');
    const proxy = await GatewayProxy.start({ address: peer.address, ca: peer.tlsCa, certificate: path.join(tls, 'server.crt'), key: path.join(tls, 'server.key') });
    this.proxies.set(centre, proxy);
    const connection = readJson<object>(own.connection);
    const file = path.join(path.dirname(own.connection), `${own.mspId}-proxied.json`);
    writeFileSync(file, JSON.stringify({ ...connection, endpoint: proxy.address }));
    const configFile = path.join(this.consortium.dir, 'nodes', centre, 'huilian.json');
    const config = readJson<{ ledger: object }>(configFile);
    writeFileSync(configFile, JSON.stringify({ ...config, ledger: { ...config.ledger, connection: file } }));
    await this.consortium.end(centre);
    await this.consortium.startNode(centre);
    await expect.poll(async () => (await this.status(centre)).ledger.state, patience).toBe('following');
    return proxy;
  }

  public async status(centre: Centre): Promise<NodeStatus> {
    return (await this.consortium.api(centre).get('/v1/status')) as NodeStatus;
  }

  /** Publishes rows at Guangzhou; answers the records that were acknowledged, also when the stream breaks in between. */
  public async sync(rows: number, onAcknowledged: (count: number) => void = () => undefined): Promise<string[]> {
    const run = (this.runs += 1);
    const received: string[] = [];
    let open: string[] = [];
    async function* lines(): AsyncGenerator<string> {
      for (let row = 0; row < rows; row += 1) {
        yield JSON.stringify({ data: { ...sample?.input, entry: { ...sample?.input.entry, code: `FAULT-${String(run)}-${String(row)}` } }, kind: 'credit' });
        if (row % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    try {
      for await (const answer of this.consortium.api('guangzhou').stream('/v1/records', lines())) {
        if (typeof answer['recordId'] === 'string') open.push(answer['recordId']);
        if (typeof answer['acknowledged'] !== 'string') continue;
        received.push(...open);
        open = [];
        onAcknowledged(received.length);
      }
    } catch {
      // The node itself was the victim: only what was acknowledged counts.
    }
    this.acknowledged.push(...received);
    return received;
  }

  /** Until nothing is on its way and every node has the same block. */
  public async settled(): Promise<void> {
    await expect.poll(async () => {
      const { ledger, outbox } = await this.status('guangzhou');
      return { inFlight: outbox.inFlight, pending: outbox.pending, state: ledger.state };
    }, patience).toEqual({ inFlight: 0, pending: 0, state: 'following' });
    await this.consortium.whenLevel();
  }

  /** How often each of these records stands on the ledger as published. */
  public async timesPublished(ids: readonly string[]): Promise<readonly number[]> {
    const times = new Map<string, number>();
    const { height } = await this.consortium.consortium();
    // By another centre's own connection: the one under test may be doctored.
    const ledger = await GatewayLedger.open(this.description.organisations.find(({ id }) => id === 'zhuhai')?.connection ?? '', 'huilian');
    const stop = new AbortController();
    for await (const block of ledger.blocks(0, stop.signal)) {
      for (const { args, code, function: name } of block.transactions) {
        if (name !== ledgerFunctions.publish || code !== 'VALID') continue;
        const { headers, publisher } = decodeBatchArgument(args[0] as Uint8Array);
        for (const { kind, localId } of headers) {
          const id = recordId(publisher, kind, localId);
          times.set(id, (times.get(id) ?? 0) + 1);
        }
      }
      if (block.number >= height) break;
    }
    stop.abort();
    await ledger.close();
    return ids.map((id) => times.get(id) ?? 0);
  }

  /** After a fault: what was acknowledged is published once, and the audit of these centres finds nothing. */
  public async judge(ids: readonly string[], audited: readonly Centre[] = ['guangzhou']): Promise<void> {
    await this.settled();
    expect((await this.timesPublished(ids)).filter((times) => times !== 1)).toEqual([]);
    const file = path.join(this.consortium.dir, 'acknowledged');
    writeFileSync(file, this.acknowledged.join('\n'));
    for (const centre of audited) {
      await this.consortium.end(centre);
      const run = await huilian(['audit', '--state', path.join(this.consortium.dir, 'nodes', centre), '--json', ...(centre === 'guangzhou' ? ['--acknowledged', file] : [])]);
      expect(run.stdout, run.stderr).not.toBe('');
      const report = JSON.parse(run.stdout) as AuditReport;
      expect(report.findings).toEqual([]);
      expect(report.notChecked).toEqual([]);
      expect(run.code).toBe(0);
      await this.consortium.startNode(centre);
    }
  }

  /** Audits every centre. */
  public async judgeAll(): Promise<void> {
    await this.judge(this.acknowledged, centreIds);
  }

  /** Name of the orderer that Raft or BFT follows now, as the newest logs tell it. */
  public leader(): string {
    let best: { readonly at: string; readonly id: number } | undefined;
    for (const { name } of this.description.orderers) {
      const text = readFileSync(path.join(this.consortium.dir, 'ledger', 'logs', `${name}.log`), 'utf8');
      for (const [, at = '', id = ''] of text.matchAll(/^(\S+ \S+ \S+) .*?(?:Raft leader changed: \d+ -> |ChangeRole.*current leader: )(\d+)/gm)) {
        if (best === undefined || at > best.at) best = { at, id: Number(id) };
      }
    }
    const found = best === undefined ? undefined : this.description.orderers[best.id - 1];
    if (found === undefined) throw new Error('no log names a leader');
    return found.name;
  }
}
