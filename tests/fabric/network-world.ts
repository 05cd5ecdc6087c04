import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FabricNetwork, silentProgress, takeDown, type NetworkDescription } from '@huilian/fabric-network';
import { createKeys } from '../../node/src/adapters/keys/node-keys.js';
import { openLedger, type LedgerClientConfig } from '../../node/src/adapters/fabric/open-ledger.js';
import type { Ledger } from '../../node/src/core/ports.js';
import { foundConsortium } from '../../node/test/found-consortium.js';
import type { PortWorld } from '../../node/test/ledger-port/port-suite.js';

export type ClientName = LedgerClientConfig['client'];

/** Opens a client of either kind for one organisation of a network. */
export async function openClient(network: NetworkDescription, id: string, client: ClientName): Promise<Ledger> {
  const own = network.organisations.find((organisation) => organisation.id === id);
  if (own === undefined) throw new Error(`no organisation ${id}`);
  const { chaincode, channel } = network;
  if (client === 'gateway') return await openLedger({ client, connection: own.connection, chaincode });
  return await openLedger({ client, profile: own.connectionProfile, wallet: own.wallet, identity: own.identity, channel, chaincode });
}

/** A network that is up, with an invented consortium founded on it by the gateway client. */
export interface RunningNetwork {
  readonly network: FabricNetwork;
  readonly description: NetworkDescription;
  close(): Promise<void>;
}

export async function startNetwork(dir: string, profile: 'raft' | 'bft'): Promise<RunningNetwork> {
  const network = await FabricNetwork.open(dir, silentProgress, profile);
  const description = await network.up();
  const founders = await Promise.all(
    description.organisations.map(async ({ caCertificate, id, mspId }) => ({
      centre: id,
      organisation: mspId,
      caCertificate: readFileSync(caCertificate, 'utf8'),
      identity: await createKeys(path.join(dir, 'invented', id), id),
      ledger: await openClient(description, id, 'gateway'),
    })),
  );
  await foundConsortium(description.channel, founders, ['qualification', 'supervision']);
  for (const { ledger } of founders) await ledger.close();
  return {
    network,
    description,
    close: async () => {
      await takeDown(network.folder, true);
    },
  };
}

/** What the port suite needs of a network, as one organisation sees it by one client. The network itself stays. */
export async function portWorld({ description, network }: RunningNetwork, client: ClientName): Promise<PortWorld> {
  const ledger = await openClient(description, 'guangzhou', client);
  const peers = network.peers().map(([, { name }]) => name);
  return {
    ledger,
    publisher: 'guangzhou',
    organisation: 'GuangzhouMSP',
    majority: 2,
    away: async () => {
      await Promise.all(peers.map(async (name) => {
        await network.processes.stop(name, 'SIGKILL');
      }));
    },
    back: async () => {
      await Promise.all(peers.map(async (name) => {
        await network.restart(name);
      }));
    },
    close: async () => {
      await ledger.close();
    },
  };
}
