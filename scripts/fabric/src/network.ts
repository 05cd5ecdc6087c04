import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findBinaries, type Binaries } from './binaries.js';
import { packageChaincode, serviceName, startService, type ChaincodePackage } from './chaincode-service.js';
import { writeConnections, type NetworkDescription } from './connections.js';
import { FabricError } from './fabric-error.js';
import { freePorts } from './free-ports.js';
import { whenGatewayEndorses } from './gateway-probe.js';
import { makeGenesisBlock } from './genesis.js';
import { makeIdentities, OrganisationFiles } from './identities.js';
import { approve, commit, committed, install, whenAnswering, whenCommitted, type Definition } from './lifecycle.js';
import { joinOrderer, ordererChannel, startOrderer } from './orderers.js';
import { ordererFlags, PeerCommand, startPeer } from './peers.js';
import { isForContainers, makeContainerPlan, makePlan, NetworkFolder, takenPorts, type CentrePlan, type ChaincodePlan, type OrdererPlan, type PeerPlan, type Plan } from './plan.js';
import { Processes } from './processes.js';
import { bundledChaincode, chaincodeName, readProfile } from './profile.js';
import type { Progress } from './report.js';

export interface ProcessStatus {
  readonly name: string;
  /** Undefined when it does not run. */
  readonly pid: number | undefined;
  /** Blocks it holds; undefined for a chaincode service or when it does not answer. */
  readonly height: number | undefined;
}

/** What is to be deployed: the same again, a further version, or another package. */
export interface Deployment {
  readonly name: string;
  readonly version?: string | undefined;
  /** Root of a package whose main module exports `contracts`. */
  readonly source?: string | undefined;
}

/** A Fabric network of centres in one folder of this machine. Every operation may be interrupted and run again. */
export class FabricNetwork {
  public readonly processes: Processes;

  private constructor(
    public readonly folder: NetworkFolder,
    public readonly binaries: Binaries,
    public readonly progress: Progress,
    private known: Plan,
  ) {
    this.processes = new Processes(folder);
  }

  /**
   * Opens the network of a folder, or plans a new one when a profile is named.
   * @throws FabricError BINARY_MISSING, BINARY_TOO_OLD, NOT_UP, PROFILE_INVALID, STATE_DAMAGED
   */
  public static async open(root: string, progress: Progress, profileName?: string, containers = false): Promise<FabricNetwork> {
    const folder = new NetworkFolder(root);
    const found = folder.findPlan();
    if (found !== undefined && profileName !== undefined && found.profile.name !== profileName) throw otherProfile(root, found.profile.name, profileName);
    if (found === undefined && profileName === undefined) folder.readPlan();
    const profile = found?.profile ?? readProfile(profileName ?? '');
    const binaries = await findBinaries(profile.consensus);
    const plan = found ?? (containers ? makeContainerPlan(profile) : await makePlan(profile));
    mkdirSync(root, { recursive: true, mode: 0o700 });
    folder.writePlan(plan);
    return new FabricNetwork(folder, binaries, progress, plan);
  }

  public get plan(): Plan {
    return this.known;
  }

  /** Writes the plan down before anything is done by it. */
  public change(plan: Plan): void {
    this.folder.writePlan(plan);
    this.known = plan;
  }

  /** Orderers, peers and, when none is deployed yet, the bundled chaincode; what an earlier run did stays done. */
  public async up(): Promise<NetworkDescription> {
    const { folder, binaries, plan, processes, progress } = this;
    if (isForContainers(plan)) throw forContainers(folder.root);
    progress.step(`identities (Fabric ${binaries.version})`, '生成身份');
    await makeIdentities(folder, binaries, plan.centres, plan.orderers);
    await makeGenesisBlock(folder, binaries, plan);
    progress.step(`${String(plan.orderers.length)} orderers (${plan.profile.consensus})`, '启动排序节点');
    await Promise.all(plan.orderers.map(async (orderer) => {
      await startOrderer(folder, processes, binaries, orderer);
    }));
    for (const orderer of plan.orderers) await joinOrderer(folder, binaries, orderer);
    progress.step('peers', '启动对等节点');
    await Promise.all(this.members().map(async (centre) => {
      await this.startPeers(centre);
    }));
    for (const name of new Set([chaincodeName, ...Object.keys(plan.chaincodes)])) await this.deploy({ name });
    return this.describe();
  }

  /**
   * Identities, first block, chaincode packages and connection files of a network whose processes run in containers
   * (network-config/fabric/compose.yaml); the package ids go into the `.env` file that compose reads.
   */
  public async writeContainerFiles(): Promise<NetworkDescription> {
    const { folder, binaries, plan, progress } = this;
    progress.step('identities, first block, chaincode packages', '生成身份、创世区块与链码包');
    await makeIdentities(folder, binaries, plan.centres, plan.orderers);
    await makeGenesisBlock(folder, binaries, plan);
    const variables = [`HUILIAN_NETWORK=${folder.root}`];
    for (const { name, ports, version } of Object.values(plan.chaincodes)) {
      for (const { id } of plan.centres) {
        const packed = await packageChaincode(folder, { chaincode: name, centre: id, version, host: `chaincode.${id}`, port: ports[id] ?? 0 });
        variables.push(`CHAINCODE_ID_${id.toUpperCase()}=${packed.id}`);
      }
    }
    writeFileSync(folder.at('.env'), `${variables.join('\n')}\n`);
    return this.describe();
  }

  /** Starts the peers of a centre and lets them join. */
  public async startPeers(centre: CentrePlan): Promise<void> {
    for (const peer of centre.peers) {
      await startPeer(this.folder, this.processes, this.binaries, centre, peer);
      await this.command(centre, peer).join(this.folder.genesisBlock);
    }
  }

  public describe(): NetworkDescription {
    return writeConnections(this.folder, this.plan);
  }

  /** Brings a planned chaincode into force, or a new version of it: package, install, approve by each, commit. */
  public async deploy(request: Deployment): Promise<void> {
    const { progress } = this;
    const before = this.plan.chaincodes[request.name];
    const wanted = await this.planChaincode(request);
    progress.step(`chaincode ${wanted.name} ${wanted.version}: services and packages`, `链码 ${wanted.name} ${wanted.version}：启动服务并安装`);
    const packages = new Map<string, ChaincodePackage>();
    for (const centre of this.members()) packages.set(centre.id, await this.installOn(centre, wanted));
    progress.step('approve by each organisation, commit', '各机构批准并提交链码定义');
    const definition: Definition = { name: wanted.name, version: wanted.version, sequence: wanted.sequence };
    for (const centre of this.members()) await this.approveBy(centre, definition, packages.get(centre.id)?.id ?? '');
    await this.commit(definition);
    progress.step('the chaincode answers on every peer', '链码在每个节点上可用');
    for (const [centre, peer] of this.peers().filter(([{ inChannel }]) => inChannel)) {
      await whenCommitted(this.command(centre, peer), definition);
      await whenAnswering(this.command(centre, peer), definition.name);
    }
    for (const centre of this.members()) await whenGatewayEndorses(this.folder, centre, definition.name);
    if (before !== undefined && before.version !== wanted.version) await this.endServices(before);
  }

  /** Starts a centre's service of a chaincode and installs its package on the centre's peers. */
  public async installOn(centre: CentrePlan, { name, ports, source, version }: ChaincodePlan): Promise<ChaincodePackage> {
    const service = { chaincode: name, centre: centre.id, version, host: '127.0.0.1', port: ports[centre.id] ?? 0 };
    const packed = await packageChaincode(this.folder, service);
    await startService(this.folder, this.processes, { ...service, packageId: packed.id, source });
    for (const peer of centre.peers) await install(this.command(centre, peer), packed);
    return packed;
  }

  /** One organisation's approval: by its first peer that answers. */
  public async approveBy(centre: CentrePlan, definition: Definition, packageId: string): Promise<void> {
    await approve(this.command(centre, firstPeer(centre)), definition, packageId, await this.ordererFlags());
  }

  public async commit(definition: Definition): Promise<void> {
    const [centre] = this.members();
    if (centre === undefined) return;
    const endorsers = this.members().flatMap((each) => ['--peerAddresses', `127.0.0.1:${String(firstPeer(each).port)}`, '--tlsRootCertFiles', new OrganisationFiles(this.folder, each.domain, 'peer').tlsCaCertificate]);
    await commit(this.command(centre, firstPeer(centre)), definition, await this.ordererFlags(), endorsers);
  }

  /** Definition in force as a peer that answers tells it. */
  public async committed(name = chaincodeName): Promise<Definition | undefined> {
    const [centre] = this.plan.centres;
    return centre === undefined ? undefined : await committed(this.command(centre, firstPeer(centre)), name);
  }

  public command(centre: CentrePlan, peer: PeerPlan): PeerCommand {
    return new PeerCommand(this.folder, this.binaries, centre, peer);
  }

  public peers(): (readonly [CentrePlan, PeerPlan])[] {
    return this.plan.centres.flatMap((centre) => centre.peers.map((peer) => [centre, peer] as const));
  }

  /** Centres in the channel; one whose join was interrupted is planned but no member yet. */
  public members(): readonly CentrePlan[] {
    return this.plan.centres.filter(({ inChannel }) => inChannel);
  }

  /** @throws FabricError ORGANISATION_UNKNOWN */
  public centre(id: string): CentrePlan {
    const centre = this.plan.centres.find((each) => each.id === id);
    if (centre !== undefined) return centre;
    throw new FabricError('ORGANISATION_UNKNOWN', 'find the centre', `no centre ${JSON.stringify(id)} in this network`, {
      en: `centres here: ${this.plan.centres.map((each) => each.id).join(', ')}`,
      zh: `现有中心：${this.plan.centres.map((each) => each.id).join('、')}`,
    });
  }

  /** Flags of an orderer that serves the channel now. */
  public async ordererFlags(): Promise<string[]> {
    for (const orderer of this.plan.orderers) if (this.processes.pid(orderer.name) !== undefined && (await this.serves(orderer))) return ordererFlags(this.folder, orderer);
    throw new FabricError('NOT_READY', 'reach the ordering service', 'no orderer serves the channel', {
      en: 'run `npm run fabric -- up` to start what was stopped; a majority of orderers must run',
      zh: '请运行 `npm run fabric -- up` 启动已停止的排序节点（需多数在线）',
    });
  }

  public async status(): Promise<ProcessStatus[]> {
    const orderers = this.plan.orderers.map(async (orderer) => this.statusOf(orderer.name, async () => (await ordererChannel(this.folder, this.binaries, orderer))?.height));
    const peers = this.peers().map(async ([centre, peer]) => this.statusOf(peer.name, async () => await this.command(centre, peer).height()));
    const services = this.serviceNames().map(async (name) => this.statusOf(name, () => Promise.resolve(undefined)));
    return await Promise.all([...orderers, ...peers, ...services]);
  }

  /** Starts one process of the network again, by its name. @throws FabricError ORGANISATION_UNKNOWN */
  public async restart(name: string): Promise<void> {
    await this.processes.stop(name);
    const orderer = this.plan.orderers.find((each) => each.name === name);
    if (orderer !== undefined) {
      await startOrderer(this.folder, this.processes, this.binaries, orderer);
      return;
    }
    const found = this.peers().find(([, peer]) => peer.name === name);
    if (found !== undefined) {
      await startPeer(this.folder, this.processes, this.binaries, ...found);
      return;
    }
    for (const chaincode of Object.values(this.plan.chaincodes)) {
      const owner = this.plan.centres.find(({ id }) => serviceName({ chaincode: chaincode.name, centre: id, version: chaincode.version }) === name);
      if (owner !== undefined) {
        await this.installOn(owner, chaincode);
        return;
      }
    }
    this.centre(name);
  }

  private async serves(orderer: OrdererPlan): Promise<boolean> {
    const channel = await ordererChannel(this.folder, this.binaries, orderer).catch(() => undefined);
    return channel?.status === 'active';
  }

  private async statusOf(name: string, height: () => Promise<number | undefined>): Promise<ProcessStatus> {
    const pid = this.processes.pid(name);
    return { name, pid, height: pid === undefined ? undefined : await height().catch(() => undefined) };
  }

  private serviceNames(): string[] {
    return Object.values(this.plan.chaincodes).flatMap(({ name, version }) => this.members().map(({ id }) => serviceName({ chaincode: name, centre: id, version })));
  }

  private async endServices({ name, version }: ChaincodePlan): Promise<void> {
    for (const { id } of this.plan.centres) await this.processes.stop(serviceName({ chaincode: name, centre: id, version }));
  }

  /** The planned chaincode when nothing else is asked for; else the next sequence, with ports of its own. */
  private async planChaincode({ name, version, source }: Deployment): Promise<ChaincodePlan> {
    const current = this.plan.chaincodes[name];
    if (current !== undefined && (version === undefined || version === current.version)) return current;
    const ports = await freePorts(this.plan.centres.length, takenPorts(this.plan));
    const chaincode: ChaincodePlan = {
      name,
      version: version ?? '1',
      // What the ledger says counts: a planned version that was never committed is planned anew.
      sequence: current === undefined ? 1 : ((await this.committed(name))?.sequence ?? 0) + 1,
      source: path.resolve(source ?? current?.source ?? bundledChaincode),
      ports: Object.fromEntries(this.plan.centres.map(({ id }, index) => [id, ports[index] ?? 0])),
    };
    this.change({ ...this.plan, chaincodes: { ...this.plan.chaincodes, [name]: chaincode } });
    return chaincode;
  }
}

function firstPeer(centre: CentrePlan): PeerPlan {
  const [peer] = centre.peers;
  if (peer !== undefined) return peer;
  throw new FabricError('PROFILE_INVALID', 'read profile', `${centre.id} has no peer`, { en: 'give each centre at least one peer', zh: '每个中心至少需要一个节点' });
}

function forContainers(root: string): FabricError {
  return new FabricError('PROFILE_INVALID', 'read network folder', `${root} holds the files of a network of containers`, {
    en: 'start it with compose (network-config/fabric/compose.yaml), or name another --dir for a network of processes',
    zh: '请用 compose 启动（network-config/fabric/compose.yaml），或为本机进程网络指定另一个 --dir',
  });
}

function otherProfile(root: string, held: string, wanted: string): FabricError {
  return new FabricError('PROFILE_INVALID', 'read network folder', `${root} holds a network of profile ${held}, not ${wanted}`, {
    en: 'use another --dir, or take the network there down and remove the folder',
    zh: '请使用另一个 --dir，或停止原网络并删除该目录',
  });
}
