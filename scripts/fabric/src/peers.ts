import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Binaries } from './binaries.js';
import { isHealthy, isListening } from './answers.js';
import { OrganisationFiles } from './identities.js';
import type { CentrePlan, NetworkFolder, OrdererPlan, PeerPlan } from './plan.js';
import type { Processes } from './processes.js';
import { channelName, networkConfig } from './profile.js';
import { run, type Output, type RunOptions } from './run.js';

/** Starts a peer and waits until it is well. */
export async function startPeer(folder: NetworkFolder, processes: Processes, binaries: Binaries, centre: CentrePlan, peer: PeerPlan): Promise<void> {
  const data = folder.at('data', peer.name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const node = new OrganisationFiles(folder, centre.domain, 'peer').node(peer.name);
  const address = `127.0.0.1:${String(peer.port)}`;
  await processes.start({
    name: peer.name,
    command: binaries.path.peer,
    args: ['node', 'start'],
    cwd: data,
    ports: [peer.port, peer.operationsPort],
    env: {
      FABRIC_CFG_PATH: networkConfig,
      FABRIC_LOGGING_SPEC: 'info:grpc=error:gossip=warning',
      CORE_PEER_ID: peer.name,
      CORE_PEER_LISTENADDRESS: address,
      CORE_PEER_ADDRESS: address,
      // For chaincode that a peer starts itself: none here, so any port will do.
      CORE_PEER_CHAINCODELISTENADDRESS: '127.0.0.1:0',
      CORE_PEER_CHAINCODEADDRESS: '127.0.0.1:0',
      CORE_PEER_GOSSIP_BOOTSTRAP: address,
      CORE_PEER_GOSSIP_ENDPOINT: address,
      CORE_PEER_GOSSIP_EXTERNALENDPOINT: address,
      CORE_PEER_LOCALMSPID: centre.mspId,
      CORE_PEER_MSPCONFIGPATH: path.join(node, 'msp'),
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_CERT_FILE: path.join(node, 'tls', 'server.crt'),
      CORE_PEER_TLS_KEY_FILE: path.join(node, 'tls', 'server.key'),
      CORE_PEER_TLS_ROOTCERT_FILE: path.join(node, 'tls', 'ca.crt'),
      CORE_PEER_FILESYSTEMPATH: data,
      CORE_LEDGER_SNAPSHOTS_ROOTDIR: path.join(data, 'snapshots'),
      CORE_OPERATIONS_LISTENADDRESS: `127.0.0.1:${String(peer.operationsPort)}`,
      CORE_CHAINCODE_EXTERNALBUILDERS: `[{name: ccaas, path: ${path.join(networkConfig, 'ccaas-builder')}}]`,
    },
  });
  await processes.whenReady(peer.name, async () => (await isHealthy(peer.operationsPort)) && (await isListening(peer.port)));
}

/** Fabric's `peer` command as a centre's administrator, spoken to one peer of the centre. */
export class PeerCommand {
  public constructor(
    private readonly folder: NetworkFolder,
    private readonly binaries: Binaries,
    private readonly centre: CentrePlan,
    private readonly peer: PeerPlan,
  ) {}

  public async run(stage: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
    const files = new OrganisationFiles(this.folder, this.centre.domain, 'peer');
    return await run(`${stage} (${this.peer.name})`, this.binaries.path.peer, args, {
      ...options,
      env: {
        FABRIC_CFG_PATH: networkConfig,
        FABRIC_LOGGING_SPEC: 'error',
        CORE_PEER_LOCALMSPID: this.centre.mspId,
        CORE_PEER_MSPCONFIGPATH: files.adminMsp,
        CORE_PEER_ADDRESS: `127.0.0.1:${String(this.peer.port)}`,
        CORE_PEER_TLS_ENABLED: 'true',
        CORE_PEER_TLS_ROOTCERT_FILE: files.tlsCaCertificate,
      },
    });
  }

  public async height(): Promise<number | undefined> {
    const { stdout, code } = await this.run('ask the height', ['channel', 'getinfo', '-c', channelName], { anyCode: true });
    const height = /"height":(\d+)/.exec(stdout)?.[1];
    return code === 0 && height !== undefined ? Number(height) : undefined;
  }

  /** Joins the channel unless the peer has. */
  public async join(block: string): Promise<void> {
    const { stdout } = await this.run('list channels', ['channel', 'list']);
    if (stdout.split('\n').includes(channelName)) return;
    await this.run('join the channel', ['channel', 'join', '-b', block]);
  }
}

/** Flags that name the ordering service of the channel. */
export function ordererFlags(folder: NetworkFolder, orderer: OrdererPlan): string[] {
  return ['-o', `127.0.0.1:${String(orderer.port)}`, '--tls', '--cafile', new OrganisationFiles(folder, orderer.domain, 'orderer').tlsCaCertificate];
}
