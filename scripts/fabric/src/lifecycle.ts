import { setTimeout as delay } from 'node:timers/promises';
import { FabricError } from './fabric-error.js';
import type { ChaincodePackage } from './chaincode-service.js';
import type { PeerCommand } from './peers.js';
import { channelName } from './profile.js';

/** A chaincode's definition on the channel, as lifecycle counts them. */
export interface Definition {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
}

const flagsOf = ({ name, version, sequence }: Definition): string[] => ['--channelID', channelName, '--name', name, '--version', version, '--sequence', String(sequence)];

/** Installs a package unless the peer has it. */
export async function install(peer: PeerCommand, { file, id }: ChaincodePackage): Promise<void> {
  const { stdout } = await peer.run('ask what is installed', ['lifecycle', 'chaincode', 'queryinstalled', '-O', 'json']);
  const { installed_chaincodes: installed = [] } = JSON.parse(stdout) as { installed_chaincodes?: readonly { package_id: string }[] };
  if (installed.some(({ package_id: known }) => known === id)) return;
  await peer.run('install the chaincode', ['lifecycle', 'chaincode', 'install', file]);
}

/** Whether this organisation's approval of exactly this definition and package stands. */
async function isApproved(peer: PeerCommand, definition: Definition, packageId: string): Promise<boolean> {
  const args = ['lifecycle', 'chaincode', 'queryapproved', '--channelID', channelName, '--name', definition.name, '--sequence', String(definition.sequence), '-O', 'json'];
  const { stdout, code } = await peer.run('ask what is approved', args, { anyCode: true });
  return code === 0 && stdout.includes(packageId) && stdout.includes(`"version": "${definition.version}"`);
}

/** Approves a definition with this organisation's package, once. */
export async function approve(peer: PeerCommand, definition: Definition, packageId: string, orderer: readonly string[]): Promise<void> {
  if (await isApproved(peer, definition, packageId)) return;
  await peer.run('approve the chaincode', ['lifecycle', 'chaincode', 'approveformyorg', ...orderer, ...flagsOf(definition), '--package-id', packageId]);
}

/** The definition in force, undefined before the first. */
export async function committed(peer: PeerCommand, name: string): Promise<Definition | undefined> {
  const { stdout, code } = await peer.run('ask what is committed', ['lifecycle', 'chaincode', 'querycommitted', '--channelID', channelName, '--name', name, '-O', 'json'], { anyCode: true });
  return code === 0 ? { ...(JSON.parse(stdout) as Definition), name } : undefined;
}

/** Commits a definition that a majority approved; peers of `endorsers` sign it. */
export async function commit(peer: PeerCommand, definition: Definition, orderer: readonly string[], endorsers: readonly string[]): Promise<void> {
  if ((await committed(peer, definition.name))?.sequence === definition.sequence) return;
  await peer.run('commit the chaincode', ['lifecycle', 'chaincode', 'commit', ...orderer, ...flagsOf(definition), ...endorsers]);
}

/** Waits until a peer has the definition in force. @throws FabricError NOT_READY */
export async function whenCommitted(peer: PeerCommand, definition: Definition, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while ((await committed(peer, definition.name))?.sequence !== definition.sequence) {
    if (performance.now() > deadline) {
      throw new FabricError('NOT_READY', 'deploy the chaincode', 'a peer does not see the committed definition', {
        en: 'run `npm run fabric -- status`, then the same command again',
        zh: '请运行 `npm run fabric -- status` 后重试同一命令',
      });
    }
    await delay(200);
  }
}

/** Waits until a peer answers a call to the contracts with its own organisation's endorsement. @throws FabricError NOT_READY */
export async function whenAnswering(peer: PeerCommand, name: string, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const args = ['chaincode', 'query', '-C', channelName, '-n', name, '-c', '{"Args":["org.hyperledger.fabric:GetMetadata"]}'];
  for (;;) {
    const { code, stderr } = await peer.run('ask the chaincode', args, { anyCode: true });
    if (code === 0) return;
    if (performance.now() > deadline) {
      throw new FabricError('NOT_READY', 'start the chaincode', stderr.trim().slice(-500), {
        en: 'run `npm run fabric -- logs` for the log of the chaincode service, then the same command again',
        zh: '请用 `npm run fabric -- logs` 查看链码服务日志后重试同一命令',
      });
    }
    await delay(200);
  }
}

