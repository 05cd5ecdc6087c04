import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { Binaries } from './binaries.js';
import { OrganisationFiles } from './identities.js';
import type { CentrePlan, NetworkFolder, OrdererPlan, Plan } from './plan.js';
import { channelName, readBatching, type Batching } from './profile.js';
import { run } from './run.js';

const majority = { Type: 'ImplicitMeta', Rule: 'MAJORITY Admins' };
const anyReaders = { Type: 'ImplicitMeta', Rule: 'ANY Readers' };
const anyWriters = { Type: 'ImplicitMeta', Rule: 'ANY Writers' };
const majorityEndorsement = { Type: 'ImplicitMeta', Rule: 'MAJORITY Endorsement' };

/** Election within two seconds; a leader that answers slowly on a loaded machine keeps its office. */
const raftOptions = { TickInterval: '200ms', ElectionTick: 10, HeartbeatTick: 1, MaxInflightBlocks: 5, SnapshotIntervalSize: '16 MB' };
/** One leader that rotates only when it fails; batches are cut by the channel's own batch size. */
const smartBftOptions = {
  RequestBatchMaxCount: 500,
  RequestBatchMaxBytes: 10_485_760,
  RequestBatchMaxInterval: '50ms',
  IncomingMessageBufferSize: 200,
  RequestPoolSize: 1600,
  RequestForwardTimeout: '2s',
  RequestComplainTimeout: '10s',
  RequestAutoRemoveTimeout: '3m',
  ViewChangeResendInterval: '5s',
  ViewChangeTimeout: '10s',
  LeaderHeartbeatTimeout: '5s',
  LeaderHeartbeatCount: 10,
  CollectTimeout: '1s',
  RequestMaxBytes: 4_194_304,
};

/** Definition of a centre's organisation for configtxgen. Anyone of it may read and write; its peers endorse; its administrators decide. */
export function centreOrganisation(folder: NetworkFolder, { domain, id, mspId, peers }: CentrePlan): Record<string, unknown> {
  return {
    Name: mspId,
    ID: mspId,
    MSPDir: new OrganisationFiles(folder, domain, 'peer').msp,
    Policies: {
      Readers: signature(mspId, ['member']),
      Writers: signature(mspId, ['admin', 'client']),
      Admins: signature(mspId, ['admin']),
      Endorsement: signature(mspId, ['peer']),
    },
    AnchorPeers: peers.filter(({ name }) => name === `peer0.${id}`).map(({ host, port }) => ({ Host: host, Port: port })),
  };
}

function ordererOrganisation(folder: NetworkFolder, { domain, host, mspId, port }: OrdererPlan): Record<string, unknown> {
  return {
    Name: mspId,
    ID: mspId,
    MSPDir: new OrganisationFiles(folder, domain, 'orderer').msp,
    Policies: { Readers: signature(mspId, ['member']), Writers: signature(mspId, ['member']), Admins: signature(mspId, ['admin']) },
    OrdererEndpoints: [`${host}:${String(port)}`],
  };
}

function signature(mspId: string, roles: readonly string[]): { Type: string; Rule: string } {
  return { Type: 'Signature', Rule: `OR(${roles.map((role) => `'${mspId}.${role}'`).join(', ')})` };
}

/** Sizes are written in bytes: one spelling less to get wrong. */
function ordererSection(folder: NetworkFolder, plan: Plan, batching: Batching): Record<string, unknown> {
  const { consensus, capabilities } = plan.profile;
  const consenters = plan.orderers.map((orderer) => {
    const files = new OrganisationFiles(folder, orderer.domain, 'orderer');
    const tls = files.tlsCertificate(orderer.name);
    return { orderer, files, Host: orderer.host, Port: orderer.port, ClientTLSCert: tls, ServerTLSCert: tls };
  });
  const kind =
    consensus === 'etcdraft'
      ? { EtcdRaft: { Consenters: consenters.map(({ Host, Port, ClientTLSCert, ServerTLSCert }) => ({ Host, Port, ClientTLSCert, ServerTLSCert })), Options: raftOptions } }
      : {
          ConsenterMapping: consenters.map(({ orderer, files, Host, Port, ClientTLSCert, ServerTLSCert }, index) => ({
            ID: index + 1,
            Host,
            Port,
            MSPID: orderer.mspId,
            Identity: files.signingCertificate(orderer.name),
            ClientTLSCert,
            ServerTLSCert,
          })),
          SmartBFT: smartBftOptions,
        };
  return {
    OrdererType: consensus,
    BatchTimeout: batching.batchTimeout,
    BatchSize: { MaxMessageCount: batching.maxMessageCount, AbsoluteMaxBytes: batching.absoluteMaxBytes, PreferredMaxBytes: batching.preferredMaxBytes },
    MaxChannels: 0,
    ...kind,
    Organizations: plan.orderers.map((orderer) => ordererOrganisation(folder, orderer)),
    Policies: { Readers: anyReaders, Writers: anyWriters, Admins: majority, BlockValidation: anyWriters },
    Capabilities: { [capabilities.orderer]: true },
  };
}

/** Writes the channel's first block, once. */
export async function makeGenesisBlock(folder: NetworkFolder, binaries: Binaries, plan: Plan): Promise<void> {
  if (existsSync(folder.genesisBlock)) return;
  const { capabilities } = plan.profile;
  const profile = {
    Policies: { Readers: anyReaders, Writers: anyWriters, Admins: majority },
    Capabilities: { [capabilities.channel]: true },
    Orderer: ordererSection(folder, plan, readBatching(plan.profile.batching)),
    Application: {
      Organizations: plan.centres.filter(({ founder }) => founder).map((centre) => centreOrganisation(folder, centre)),
      Policies: { Readers: anyReaders, Writers: anyWriters, Admins: majority, Endorsement: majorityEndorsement, LifecycleEndorsement: majorityEndorsement },
      Capabilities: { [capabilities.application]: true },
    },
  };
  mkdirSync(folder.at('channel'), { recursive: true, mode: 0o700 });
  mkdirSync(folder.at('config'), { recursive: true, mode: 0o700 });
  writeFileSync(folder.at('config', 'configtx.yaml'), JSON.stringify({ Profiles: { Channel: profile } }, undefined, 2));
  const draft = `${folder.genesisBlock}.new`;
  await run('make the first block', binaries.path.configtxgen, ['-configPath', folder.at('config'), '-profile', 'Channel', '-channelID', channelName, '-outputBlock', draft]);
  renameSync(draft, folder.genesisBlock);
}
