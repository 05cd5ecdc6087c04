import { mkdirSync, writeFileSync } from 'node:fs';
import { serviceName } from './chaincode-service.js';
import { updateChannel, type ConfigGroup } from './channel-update.js';
import { FabricError } from './fabric-error.js';
import { freePorts } from './free-ports.js';
import { whenGatewayEndorses } from './gateway-probe.js';
import { centreOrganisation } from './genesis.js';
import { makeIdentities } from './identities.js';
import { whenAnswering, whenCommitted } from './lifecycle.js';
import type { FabricNetwork } from './network.js';
import { planCentre, takenPorts, type CentrePlan, type ChaincodePlan } from './plan.js';
import { run } from './run.js';

const centreId = /^[a-z][a-z0-9-]{1,30}[a-z0-9]$/;

/**
 * Lets a centre join the running channel: identities, a configuration update signed by a majority of the centres, its
 * peers, its chaincode service and its approval of the chaincode in force. An interrupted join goes on where it stopped.
 */
export async function joinCentre(network: FabricNetwork, id: string, peers = 1): Promise<void> {
  const { progress } = network;
  const centre = await prepareCentre(network, id, peers);
  progress.step(`configuration update: ${centre.mspId} joins, signed by a majority`, `通道配置更新：${centre.mspId} 加入，由多数机构签名`);
  const definition = await organisationGroup(network, centre);
  await updateChannel(network, `admit ${centre.mspId}`, 'Application', ({ groups }) => {
    groups[centre.mspId] ??= definition;
  });
  network.change({ ...network.plan, centres: network.plan.centres.map((each) => (each.id === id ? { ...each, inChannel: true } : each)) });
  progress.step(`peers of ${id}`, `启动 ${id} 的节点`);
  await network.startPeers(centre);
  progress.step(`chaincode of ${id}`, `部署 ${id} 的链码服务`);
  for (const chaincode of Object.values(network.plan.chaincodes)) await deployOn(network, centre, chaincode);
  network.describe();
}

/** Names, ports and identities of a centre that will join, and its connection file: what the vote on its admission speaks of. */
export async function prepareCentre(network: FabricNetwork, id: string, peers = 1): Promise<CentrePlan> {
  if (!centreId.test(id)) throw usage(`--org ${JSON.stringify(id)}`);
  const centre = await planJoin(network, id, peers);
  network.progress.step(`identities of ${id}`, `生成 ${id} 的身份`);
  await makeIdentities(network.folder, network.binaries, [centre], []);
  network.describe();
  return centre;
}

/** Puts a centre out of the channel by a configuration update that a majority signs, and ends its processes. Its folder stays. */
export async function removeCentre(network: FabricNetwork, id: string): Promise<void> {
  const centre = network.centre(id);
  network.progress.step(`configuration update: ${centre.mspId} leaves, signed by a majority`, `通道配置更新：${centre.mspId} 退出，由多数机构签名`);
  const takeOut = ({ groups }: ConfigGroup): void => {
    Reflect.deleteProperty(groups, centre.mspId);
  };
  await updateChannel(network, `remove ${centre.mspId}`, 'Application', takeOut, centre.mspId);
  network.progress.step(`end the processes of ${id}`, `停止 ${id} 的进程`);
  const services = Object.values(network.plan.chaincodes).map(({ name, version }) => serviceName({ chaincode: name, centre: id, version }));
  for (const name of [...services, ...centre.peers.map((peer) => peer.name)]) await network.processes.stop(name);
  network.change({ ...network.plan, centres: network.plan.centres.filter((each) => each.id !== id) });
  network.describe();
}

async function planJoin(network: FabricNetwork, id: string, peers: number): Promise<CentrePlan> {
  const known = network.plan.centres.find((each) => each.id === id);
  if (known !== undefined) return known;
  const mspId = `${id.charAt(0).toUpperCase()}${id.slice(1)}MSP`;
  const centre = await planCentre({ id, mspId, peers }, false, network.plan);
  network.change({ ...network.plan, centres: [...network.plan.centres, centre] });
  return centre;
}

/** The organisation's group for the channel's configuration, with its anchor peers, which configtxgen leaves out here. */
async function organisationGroup(network: FabricNetwork, centre: CentrePlan): Promise<ConfigGroup> {
  const directory = network.folder.at('config', centre.id);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(`${directory}/configtx.yaml`, JSON.stringify({ Organizations: [centreOrganisation(network.folder, centre)] }, undefined, 2));
  const { stdout } = await run('describe the organisation', network.binaries.path.configtxgen, ['-configPath', directory, '-printOrg', centre.mspId]);
  const group = JSON.parse(stdout) as ConfigGroup;
  const anchors = centre.peers.filter(({ name }) => name === `peer0.${centre.id}`).map(({ host, port }) => ({ host, port }));
  group.values['AnchorPeers'] = { mod_policy: 'Admins', value: { anchor_peers: anchors }, version: '0' };
  return group;
}

async function deployOn(network: FabricNetwork, centre: CentrePlan, planned: ChaincodePlan): Promise<void> {
  const definition = await network.committed(planned.name);
  if (definition === undefined) return;
  const [port = 0] = planned.ports[centre.id] === undefined ? await freePorts(1, takenPorts(network.plan)) : [planned.ports[centre.id]];
  const chaincode = { ...planned, ports: { ...planned.ports, [centre.id]: port } };
  network.change({ ...network.plan, chaincodes: { ...network.plan.chaincodes, [planned.name]: chaincode } });
  const packed = await network.installOn(centre, chaincode);
  for (const peer of centre.peers) await whenCommitted(network.command(centre, peer), definition);
  await network.approveBy(centre, definition, packed.id);
  for (const peer of centre.peers) await whenAnswering(network.command(centre, peer), planned.name);
  await whenGatewayEndorses(network.folder, centre, planned.name);
}

function usage(why: string): FabricError {
  return new FabricError('USAGE', 'read arguments', why, {
    en: 'name the centre in lower-case letters: npm run fabric -- join --org shenzhen',
    zh: '请用小写字母命名中心：npm run fabric -- join --org shenzhen',
  });
}
