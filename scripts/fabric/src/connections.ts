import { mkdirSync, readFileSync } from 'node:fs';
import { nodeUser, OrganisationFiles, writeWallet } from './identities.js';
import type { CentrePlan, NetworkFolder, Plan } from './plan.js';
import { chaincodeName, channelName } from './profile.js';

export interface PeerAddress {
  readonly name: string;
  /** host:port */
  readonly address: string;
  /** PEM file of the TLS authority. */
  readonly tlsCa: string;
}

export interface NetworkOrganisation {
  readonly id: string;
  readonly mspId: string;
  /** PEM file of the authority of its identities. */
  readonly caCertificate: string;
  readonly peers: readonly PeerAddress[];
  /** Connection file of the gateway client. */
  readonly connection: string;
  /** Connection profile, wallet folder and label of the older client. */
  readonly connectionProfile: string;
  readonly wallet: string;
  readonly identity: string;
}

/** What other programs need to know of a network: network.json. */
export interface NetworkDescription {
  readonly profile: string;
  readonly channel: string;
  readonly chaincode: string;
  readonly orderers: readonly (PeerAddress & { readonly mspId: string })[];
  readonly organisations: readonly NetworkOrganisation[];
}

/** Writes each centre's connection file, connection profile and wallet, and network.json over them. */
export function writeConnections(folder: NetworkFolder, plan: Plan): NetworkDescription {
  mkdirSync(folder.at('connections'), { recursive: true, mode: 0o700 });
  const orderers = plan.orderers.map((orderer) => ({
    name: orderer.name,
    mspId: orderer.mspId,
    address: `${orderer.host}:${String(orderer.port)}`,
    tlsCa: new OrganisationFiles(folder, orderer.domain, 'orderer').tlsCaCertificate,
  }));
  const organisations = plan.centres.map((centre) => describe(folder, centre));
  const description: NetworkDescription = { profile: plan.profile.name, channel: channelName, chaincode: chaincodeName, orderers, organisations };
  for (const [index, organisation] of organisations.entries()) {
    const centre = plan.centres[index];
    if (centre === undefined) continue;
    const { user } = new OrganisationFiles(folder, centre.domain, 'peer');
    const [first, ...others] = organisation.peers;
    folder.writeJson(organisation.connection, {
      channel: channelName,
      chaincodes: Object.keys(plan.chaincodes),
      mspId: centre.mspId,
      endpoint: first?.address ?? '',
      tlsCaCert: first?.tlsCa ?? '',
      certPath: user.certificate,
      keyPath: user.key,
      peers: others.map(({ address, tlsCa }) => ({ endpoint: address, tlsCaCert: tlsCa })),
    });
    folder.writeJson(organisation.connectionProfile, connectionProfile(description, organisation));
    writeWallet(organisation.wallet, organisation.identity, centre.mspId, user);
  }
  folder.writeJson(folder.at('network.json'), description);
  return description;
}

function describe(folder: NetworkFolder, { domain, id, mspId, peers }: CentrePlan): NetworkOrganisation {
  const files = new OrganisationFiles(folder, domain, 'peer');
  return {
    id,
    mspId,
    caCertificate: files.caCertificate,
    peers: peers.map(({ host, name, port }) => ({ name, address: `${host}:${String(port)}`, tlsCa: files.tlsCaCertificate })),
    connection: folder.at('connections', `${mspId}.json`),
    connectionProfile: folder.at('connections', `${mspId}-profile.json`),
    wallet: folder.at('wallets', mspId),
    identity: nodeUser,
  };
}

/** A static profile: every peer and orderer is named, none is discovered. */
function connectionProfile(network: NetworkDescription, own: NetworkOrganisation): Record<string, unknown> {
  const peers = network.organisations.flatMap((organisation) => organisation.peers);
  const node = ({ name, address, tlsCa }: PeerAddress): [string, unknown] => [
    name,
    { url: `grpcs://${address}`, tlsCACerts: { pem: readFileSync(tlsCa, 'utf8') }, grpcOptions: { 'grpc.max_receive_message_length': 115_343_360, 'grpc.max_send_message_length': 115_343_360 } },
  ];
  return {
    name: `huilian-${own.id}`,
    version: '1.0.0',
    client: { organization: own.mspId, connection: { timeout: { peer: { endorser: '30' }, orderer: '30' } } },
    organizations: Object.fromEntries(network.organisations.map(({ mspId, peers: members }) => [mspId, { mspid: mspId, peers: members.map(({ name }) => name) }])),
    peers: Object.fromEntries(peers.map(node)),
    orderers: Object.fromEntries(network.orderers.map(node)),
    channels: { [network.channel]: { orderers: network.orderers.map(({ name }) => name), peers: Object.fromEntries(peers.map(({ name }) => [name, {}])) } },
  };
}
