import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { changeBatching } from './batching.js';
import { takeDown } from './down.js';
import { FabricNetwork, type ProcessStatus } from './network.js';
import { joinCentre, prepareCentre, removeCentre } from './organisations.js';
import { NetworkFolder } from './plan.js';
import { chaincodeName } from './profile.js';
import { renewCertificates } from './renew.js';
import type { Progress } from './report.js';

export interface Values {
  readonly profile?: string | undefined;
  readonly dir: string;
  readonly version?: string | undefined;
  readonly chaincode?: string | undefined;
  readonly name?: string | undefined;
  readonly org?: string | undefined;
  readonly peers?: string | undefined;
  readonly remove?: boolean | undefined;
}

/** What a command answers: data for programs, text for people. */
interface Answer {
  readonly data: unknown;
  readonly text: string;
}

export type Command = (values: Values, progress: Progress) => Promise<Answer>;

const up: Command = async ({ dir, profile }, progress) => {
  const network = await FabricNetwork.open(dir, progress, profile ?? (new NetworkFolder(dir).findPlan() === undefined ? 'raft' : undefined));
  const data = await network.up();
  const connections = data.organisations.map(({ mspId, connection }) => `  ${mspId}  ${connection}\n`).join('');
  return { data, text: `network ${data.profile} is up / 网络已启动\n${connections}` };
};

const down: Command = async ({ dir, remove }, progress) => {
  progress.step('end the processes', '停止进程');
  const ended = await takeDown(new NetworkFolder(dir), remove === true);
  return { data: { ended, removed: remove === true }, text: 'network is down / 网络已停止\n' };
};

const status: Command = async ({ dir }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  const [processes, chaincode] = [await network.status(), await network.committed()];
  return { data: { chaincode: chaincode ?? null, processes, profile: network.plan.profile.name }, text: table(processes, chaincode) };
};

const deploy: Command = async ({ dir, name, version, chaincode }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  const deployed = name ?? chaincodeName;
  await network.deploy({ name: deployed, source: chaincode, version });
  network.describe();
  const definition = await network.committed(deployed);
  return { data: { chaincode: definition }, text: `chaincode ${deployed} version ${definition?.version ?? ''} (sequence ${String(definition?.sequence ?? 0)}) is in force / 链码已生效\n` };
};

const containerFiles: Command = async ({ dir, profile }, progress) => {
  const network = await FabricNetwork.open(dir, progress, profile ?? 'raft', true);
  const data = await network.writeContainerFiles();
  return { data, text: `files for network-config/fabric/compose.yaml / 容器网络文件\n  ${network.folder.at('.env')}\n` };
};

const identities: Command = async ({ dir, org, peers }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  await prepareCentre(network, org ?? '', Number(peers ?? '1'));
  const data = network.describe().organisations.find(({ id }) => id === org);
  return { data, text: `connection  ${data?.connection ?? ''}\nCA          ${data?.caCertificate ?? ''}\n` };
};

const join: Command = async ({ dir, org, peers }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  await joinCentre(network, org ?? '', Number(peers ?? '1'));
  const data = network.describe().organisations.find(({ id }) => id === org);
  return { data, text: `${data?.mspId ?? ''} is in the channel / 已加入通道\n  ${data?.connection ?? ''}\n` };
};

const remove: Command = async ({ dir, org }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  await removeCentre(network, org ?? '');
  return { data: { removed: org }, text: `${org ?? ''} has left the channel / 已退出通道\n` };
};

const renew: Command = async ({ dir, name }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  const renewed = await renewCertificates(network, name ?? '');
  return { data: { renewed }, text: renewed.map((file) => `renewed / 已更新 ${file}\n`).join('') };
};

const batching: Command = async ({ dir, name }, progress) => {
  const network = await FabricNetwork.open(dir, progress);
  const changed = await changeBatching(network, name ?? '');
  return { data: { batching: name, changed }, text: `batching ${name ?? ''} is in force / 批次配置已生效\n` };
};

const logs: Command = ({ dir, name }) => {
  const folder = new NetworkFolder(dir);
  const names = existsSync(folder.at('logs')) ? readdirSync(folder.at('logs')).sort() : [];
  if (name === undefined) return Promise.resolve({ data: { logs: names.map((file) => folder.at('logs', file)) }, text: names.map((file) => `${folder.at('logs', file)}\n`).join('') });
  const file = folder.log(name);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-200) : [];
  return Promise.resolve({ data: { log: file, lines }, text: `${lines.join('\n')}\n` });
};

function table(processes: readonly ProcessStatus[], chaincode: { readonly version: string; readonly sequence: number } | undefined): string {
  const rows = processes.map(({ name, pid, height }) => `  ${name.padEnd(28)} ${pid === undefined ? 'stopped / 已停止' : `pid ${String(pid).padEnd(8)}`} ${height === undefined ? '' : `height / 高度 ${String(height)}`}`);
  const force = chaincode === undefined ? 'none / 无' : `version ${chaincode.version}, sequence ${String(chaincode.sequence)}`;
  return `${rows.join('\n')}\n  chaincode / 链码: ${force}\n`;
}

export const commands: ReadonlyMap<string, Command> = new Map(Object.entries({ up, down, status, deploy, identities, join, remove, renew, batching, logs, 'container-files': containerFiles }));
