import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Binaries } from './binaries.js';
import { isHealthy, isListening } from './answers.js';
import { OrganisationFiles } from './identities.js';
import type { NetworkFolder, OrdererPlan } from './plan.js';
import type { Processes } from './processes.js';
import { channelName, networkConfig } from './profile.js';
import { run } from './run.js';

/** Starts an orderer and waits until it is well. */
export async function startOrderer(folder: NetworkFolder, processes: Processes, binaries: Binaries, orderer: OrdererPlan): Promise<void> {
  const data = folder.at('data', orderer.name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const files = new OrganisationFiles(folder, orderer.domain, 'orderer');
  const [node, tls] = [files.node(orderer.name), path.join(files.node(orderer.name), 'tls')];
  const [certificate, key, root] = [path.join(tls, 'server.crt'), path.join(tls, 'server.key'), path.join(tls, 'ca.crt')];
  await processes.start({
    name: orderer.name,
    command: binaries.path.orderer,
    args: [],
    cwd: data,
    ports: [orderer.port, orderer.adminPort, orderer.operationsPort],
    env: {
      FABRIC_CFG_PATH: networkConfig,
      FABRIC_LOGGING_SPEC: 'info:grpc=error',
      ORDERER_GENERAL_LISTENADDRESS: '127.0.0.1',
      ORDERER_GENERAL_LISTENPORT: String(orderer.port),
      ORDERER_GENERAL_LOCALMSPID: orderer.mspId,
      ORDERER_GENERAL_LOCALMSPDIR: path.join(node, 'msp'),
      ORDERER_GENERAL_TLS_CERTIFICATE: certificate,
      ORDERER_GENERAL_TLS_PRIVATEKEY: key,
      ORDERER_GENERAL_TLS_ROOTCAS: `[${root}]`,
      ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE: certificate,
      ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY: key,
      ORDERER_GENERAL_CLUSTER_ROOTCAS: `[${root}]`,
      ORDERER_ADMIN_LISTENADDRESS: `127.0.0.1:${String(orderer.adminPort)}`,
      ORDERER_ADMIN_TLS_CERTIFICATE: certificate,
      ORDERER_ADMIN_TLS_PRIVATEKEY: key,
      ORDERER_ADMIN_TLS_ROOTCAS: `[${root}]`,
      ORDERER_ADMIN_TLS_CLIENTROOTCAS: `[${root}]`,
      ORDERER_OPERATIONS_LISTENADDRESS: `127.0.0.1:${String(orderer.operationsPort)}`,
      ORDERER_FILELEDGER_LOCATION: path.join(data, 'ledger'),
      ORDERER_CONSENSUS_WALDIR: path.join(data, 'wal'),
      ORDERER_CONSENSUS_SNAPDIR: path.join(data, 'snapshots'),
    },
  });
  await processes.whenReady(orderer.name, async () => (await isHealthy(orderer.operationsPort)) && (await isListening(orderer.port)) && (await isListening(orderer.adminPort)));
}

interface ChannelInfo {
  readonly status: string;
  readonly consensusRelation: string;
  readonly height: number;
}

/** What an orderer says of the channel; undefined when it has not joined. */
export async function ordererChannel(folder: NetworkFolder, binaries: Binaries, orderer: OrdererPlan): Promise<ChannelInfo | undefined> {
  const { stdout } = await osnadmin(folder, binaries, orderer, ['list', '--channelID', channelName]);
  const body = stdout.slice(Math.max(stdout.indexOf('{'), 0));
  return stdout.includes('Status: 200') ? (JSON.parse(body) as ChannelInfo) : undefined;
}

/** Lets an orderer join the channel unless it has. */
export async function joinOrderer(folder: NetworkFolder, binaries: Binaries, orderer: OrdererPlan): Promise<void> {
  if ((await ordererChannel(folder, binaries, orderer)) !== undefined) return;
  await osnadmin(folder, binaries, orderer, ['join', '--channelID', channelName, '--config-block', folder.genesisBlock]);
}

async function osnadmin(folder: NetworkFolder, binaries: Binaries, orderer: OrdererPlan, [verb = '', ...args]: readonly string[]): Promise<{ stdout: string }> {
  const files = new OrganisationFiles(folder, orderer.domain, 'orderer');
  const address = ['-o', `127.0.0.1:${String(orderer.adminPort)}`];
  const identity = ['--ca-file', files.tlsCaCertificate, '--client-cert', path.join(files.adminTls, 'client.crt'), '--client-key', path.join(files.adminTls, 'client.key')];
  const output = await run(`${verb} channel on ${orderer.name}`, binaries.path.osnadmin, ['channel', verb, ...args, ...address, ...identity], { anyCode: verb === 'list' });
  return { stdout: output.stdout + output.stderr };
}
