import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FabricError } from './fabric-error.js';
import { freePorts } from './free-ports.js';
import { bundledChaincode, chaincodeName, type CentreProfile, type NetworkProfile } from './profile.js';

/** One orderer process. */
export interface OrdererPlan {
  /** Where others reach it: loopback, or its own name in a network of containers. */
  readonly host: string;
  readonly name: string;
  readonly id: string;
  readonly mspId: string;
  readonly domain: string;
  readonly port: number;
  readonly adminPort: number;
  readonly operationsPort: number;
}

export interface PeerPlan {
  readonly host: string;
  readonly name: string;
  readonly port: number;
  readonly operationsPort: number;
}

/** A centre's organisation. */
export interface CentrePlan {
  readonly id: string;
  readonly mspId: string;
  readonly domain: string;
  readonly peers: readonly PeerPlan[];
  /** In the channel from its first block, or joined later by a configuration update. */
  readonly founder: boolean;
  /** A member of the channel now: its administrators' signatures count. */
  readonly inChannel: boolean;
}

/** What is (to be) deployed. Each version has a service and a port per centre. */
export interface ChaincodePlan {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** Root of the package whose contracts the services run. */
  readonly source: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** Everything that was decided once for a network folder and must not change when a command is run again. */
export interface Plan {
  readonly profile: NetworkProfile;
  readonly orderers: readonly OrdererPlan[];
  readonly centres: readonly CentrePlan[];
  readonly chaincodes: Readonly<Record<string, ChaincodePlan>>;
}

/** Where everything of one network lies. */
export class NetworkFolder {
  public constructor(public readonly root: string) {}

  public at(...parts: readonly string[]): string {
    return path.join(this.root, ...parts);
  }

  public crypto(domain: string, kind: 'peer' | 'orderer'): string {
    return this.at('crypto', kind === 'peer' ? 'peerOrganizations' : 'ordererOrganizations', domain);
  }

  public log(process: string): string {
    return this.at('logs', `${process}.log`);
  }

  public get genesisBlock(): string {
    return this.at('channel', 'genesis.block');
  }

  /** @throws FabricError NOT_UP when nothing was ever brought up here, STATE_DAMAGED */
  public readPlan(): Plan {
    const plan = this.findPlan();
    if (plan !== undefined) return plan;
    throw new FabricError('NOT_UP', 'read network folder', `${this.root} holds no network`, {
      en: 'run `npm run fabric -- up --profile raft` first, or name the folder with --dir',
      zh: '请先运行 `npm run fabric -- up --profile raft`，或用 --dir 指定目录',
    });
  }

  public findPlan(): Plan | undefined {
    const file = this.at('plan.json');
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Plan;
    } catch (error) {
      throw new FabricError('STATE_DAMAGED', 'read network folder', `${file}: ${(error as Error).message}`, {
        en: 'remove the folder and bring the network up anew, or restore the file',
        zh: '请删除该目录后重新启动网络，或恢复该文件',
      });
    }
  }

  public writePlan(plan: Plan): void {
    this.writeJson(this.at('plan.json'), plan);
  }

  /** Whole or not at all: a command that is interrupted leaves the former file. */
  public writeJson(file: string, value: unknown): void {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
    renameSync(`${file}.new`, file);
  }
}

const loopback = '127.0.0.1';
/** In a container of its own each process has Fabric's customary ports. */
const customary = { orderer: 7050, admin: 7053, peer: 7051, operations: 9443, chaincode: 9999 } as const;

/** The plan of a network whose processes run in containers that are named like them. */
export function makeContainerPlan(profile: NetworkProfile): Plan {
  const domainOf = (id: string): string => `${id}.invalid`;
  const orderers = profile.orderers.map(({ id, mspId }) => {
    const name = `orderer.${id}`;
    return { name, id, mspId, host: name, domain: `orderer.${domainOf(id)}`, port: customary.orderer, adminPort: customary.admin, operationsPort: customary.operations };
  });
  const centres = profile.centres.map(({ id, mspId, peers }) => ({
    id,
    mspId,
    founder: true,
    inChannel: true,
    domain: domainOf(id),
    peers: Array.from({ length: peers }, (_none, index) => ({ name: `peer${String(index)}.${id}`, host: `peer${String(index)}.${id}`, port: customary.peer, operationsPort: customary.operations })),
  }));
  const chaincode = { name: chaincodeName, version: '1', sequence: 1, source: bundledChaincode, ports: Object.fromEntries(centres.map(({ id }) => [id, customary.chaincode])) };
  return { profile, orderers, centres, chaincodes: { [chaincodeName]: chaincode } };
}

/** Whether a network's processes run in containers, where only their own files can be made from here. */
export function isForContainers({ orderers }: Plan): boolean {
  return orderers.some(({ host }) => host !== loopback);
}

/** The plan of a new network on this machine: names and free ports. */
export async function makePlan(profile: NetworkProfile): Promise<Plan> {
  const ports = await freePorts(profile.orderers.length * 3, new Set());
  const orderers = profile.orderers.map(({ id, mspId }, index) => {
    const [port = 0, adminPort = 0, operationsPort = 0] = ports.slice(index * 3, index * 3 + 3);
    return { name: `orderer.${id}`, id, mspId, host: loopback, domain: `orderer.${id}.invalid`, port, adminPort, operationsPort };
  });
  const centres: CentrePlan[] = [];
  for (const centre of profile.centres) centres.push(await planCentre(centre, true, { profile, orderers, centres, chaincodes: {} }));
  return { profile, orderers, centres, chaincodes: {} };
}

export async function planCentre({ id, mspId, peers }: CentreProfile, founder: boolean, plan: Plan): Promise<CentrePlan> {
  const ports = await freePorts(peers * 2, takenPorts(plan));
  return {
    id,
    mspId,
    founder,
    inChannel: founder,
    domain: `${id}.invalid`,
    peers: Array.from({ length: peers }, (_none, index) => ({ name: `peer${String(index)}.${id}`, host: loopback, port: ports[index * 2] ?? 0, operationsPort: ports[index * 2 + 1] ?? 0 })),
  };
}

export function takenPorts({ orderers, centres, chaincodes }: Plan): Set<number> {
  return new Set([
    ...orderers.flatMap(({ port, adminPort, operationsPort }) => [port, adminPort, operationsPort]),
    ...centres.flatMap(({ peers }) => peers.flatMap(({ port, operationsPort }) => [port, operationsPort])),
    ...Object.values(chaincodes).flatMap(({ ports }) => Object.values(ports)),
  ]);
}
