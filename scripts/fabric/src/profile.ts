import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FabricError } from './fabric-error.js';

export interface Batching {
  /** Duration as Fabric writes it, such as 500ms. */
  readonly batchTimeout: string;
  readonly maxMessageCount: number;
  readonly preferredMaxBytes: number;
  readonly absoluteMaxBytes: number;
}

/** A centre's organisation: peers that endorse. */
export interface CentreProfile {
  readonly id: string;
  readonly mspId: string;
  readonly peers: number;
}

/** An ordering organisation with one orderer. A centre's orderer has an organisation of its own, so that no orderer can endorse. */
interface OrdererProfile {
  readonly id: string;
  readonly mspId: string;
}

export interface NetworkProfile {
  readonly name: string;
  readonly consensus: 'etcdraft' | 'BFT';
  readonly capabilities: { readonly channel: string; readonly orderer: string; readonly application: string };
  readonly batching: string;
  readonly centres: readonly CentreProfile[];
  readonly orderers: readonly OrdererProfile[];
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** The data of the networks: profiles, batching, settings of peers and orderers, the builder. */
export const networkConfig = path.join(repository, 'network-config', 'fabric');
/** Root of the chaincode package that a service runs when none is named. */
export const bundledChaincode = path.join(repository, 'chaincode');

export const channelName = 'huilian';
export const chaincodeName = 'huilian';

/** @throws FabricError PROFILE_INVALID */
export function readProfile(name: string): NetworkProfile {
  if (name !== 'raft' && name !== 'bft') throw invalid(`there is no profile ${JSON.stringify(name)}`);
  const profile = readJson(path.join(networkConfig, name, 'profile.json')) as NetworkProfile;
  if (profile.consensus === 'BFT' && profile.orderers.length < 4) throw invalid('BFT needs at least four orderers');
  return profile;
}

/** @throws FabricError PROFILE_INVALID */
export function readBatching(name: string): Batching {
  if (name !== 'bulk' && name !== 'low-latency') throw invalid(`there is no batching ${JSON.stringify(name)}`);
  return readJson(path.join(networkConfig, 'batching', `${name}.json`)) as Batching;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw invalid(`${file}: ${(error as Error).message}`);
  }
}

function invalid(why: string): FabricError {
  return new FabricError('PROFILE_INVALID', 'read profile', why, {
    en: 'profiles are raft and bft, batchings bulk and low-latency; their files lie in network-config/fabric',
    zh: '可用配置为 raft 和 bft，批次配置为 bulk 和 low-latency；文件位于 network-config/fabric',
  });
}
