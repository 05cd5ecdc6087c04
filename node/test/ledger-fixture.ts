import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startLedger, type Ledger } from '@huilian/embedded-ledger';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import { loadContracts } from '../../chaincode/test/load-contracts.js';
import { createKeys, type NodeIdentity } from '../src/adapters/keys/node-keys.js';
import { foundConsortium } from './found-consortium.js';

const centres = ['river', 'hill'] as const;
type Centre = (typeof centres)[number];

/** An invented consortium of two centres on a real embedded ledger, founded, with all bundled kinds adopted. */
export interface Consortium {
  readonly ledger: Ledger;
  /** State folder of a centre, with its keys. */
  stateDir(centre: Centre): string;
  connectionFile(centre: Centre): string;
  /** Stops the ledger and starts it again on the same folder and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function mspOf(centre: Centre): string {
  return `${centre.charAt(0).toUpperCase()}${centre.slice(1)}MSP`;
}

async function openLedger(dir: string, port?: number): Promise<Ledger> {
  return await startLedger({
    dir,
    chaincodes: { huilian: { contracts: await loadContracts() } },
    organisations: centres.map((centre) => ({ mspId: mspOf(centre), name: `${centre} (invented)` })),
    ...(port === undefined ? {} : { listen: { port } }),
    log: () => undefined,
  });
}

export async function startConsortium(folder: string, kinds: readonly string[] = ['qualification', 'supervision']): Promise<Consortium> {
  const ledgerDir = path.join(folder, 'ledger');
  let ledger = await openLedger(ledgerDir);
  const stateDir = (centre: Centre): string => path.join(folder, centre);
  const identities = new Map<Centre, NodeIdentity>();
  for (const centre of centres) identities.set(centre, await createKeys(stateDir(centre), centre));
  await found(ledger, ledgerDir, identities, kinds);
  return {
    get ledger() {
      return ledger;
    },
    stateDir,
    connectionFile: (centre) => ledger.connectionFile(mspOf(centre)),
    restart: async () => {
      const port = Number(ledger.address.split(':').at(-1));
      await ledger.close();
      ledger = await openLedger(ledgerDir, port);
    },
    stop: async () => {
      await ledger.close();
    },
  };
}

async function found(ledger: Ledger, ledgerDir: string, identities: ReadonlyMap<Centre, NodeIdentity>, kinds: readonly string[]): Promise<void> {
  const founders = await Promise.all(
    centres.map(async (centre) => ({
      centre,
      organisation: mspOf(centre),
      caCertificate: readFileSync(path.join(ledgerDir, 'ca', mspOf(centre), 'ca.pem'), 'utf8'),
      identity: identities.get(centre) as NodeIdentity,
      ledger: await GatewayLedger.open(ledger.connectionFile(mspOf(centre)), 'huilian'),
    })),
  );
  await foundConsortium(ledger.channel, founders, kinds);
  for (const founder of founders) await founder.ledger.close();
}
