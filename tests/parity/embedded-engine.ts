import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startLedger, type ChaincodeSource, type KeyPair, type Ledger } from '@huilian/embedded-ledger';
import { loadContracts } from '../../chaincode/test/load-contracts.js';
import { Engine } from './engine.js';
import { centres } from './schedule.js';
import type { Identity } from './signed-proposal.js';

const mspIds = centres.map((centre) => `${centre.charAt(0).toUpperCase()}${centre.slice(1)}MSP`);
export const probeChaincode = path.join(import.meta.dirname, 'probe');

/** The chaincode, of its sources, and the probe; the probe alone once `huilian` is replaced by it. */
async function chaincodes(replaced: boolean): Promise<Record<string, ChaincodeSource>> {
  const probe = { module: probeChaincode };
  return { huilian: replaced ? probe : { contracts: await loadContracts() }, probe };
}

/** An embedded ledger of the three centres that can be stopped and started again on its folder. */
export class EmbeddedEngine {
  private ledger: Ledger | undefined;
  public readonly engine: Engine;

  public constructor(
    public readonly dir: string,
    name: string,
    private readonly authorities: Readonly<Record<string, KeyPair>> = {},
    private readonly clients: readonly Identity[] = [],
  ) {
    this.engine = new Engine(name, 'huilian');
  }

  public async start(replaced = false): Promise<void> {
    await this.ledger?.close();
    const organisations = mspIds.map((mspId) => {
      const authority = this.authorities[mspId];
      return { mspId, name: `${mspId} (invented)`, ...(authority === undefined ? {} : { authority }) };
    });
    const ledger = await startLedger({ dir: this.dir, chaincodes: await chaincodes(replaced), organisations, endorsement: 'majority' });
    this.ledger = ledger;
    await this.engine.follow(this.identities().map((client) => ({ address: ledger.address, client })));
  }

  /** The clients given, else those the ledger issued. */
  public identities(): readonly Identity[] {
    if (this.clients.length > 0) return this.clients;
    const read = (mspId: string, name: string): string => readFileSync(path.join(this.dir, 'identities', mspId, 'user', name), 'utf8');
    return mspIds.map((mspId) => ({ mspId, certificate: read(mspId, 'cert.pem'), key: read(mspId, 'key.pem') }));
  }

  /** The authorities of its organisations, for another engine. */
  public givenAuthorities(): Record<string, KeyPair> {
    const read = (mspId: string, name: string): string => readFileSync(path.join(this.dir, 'ca', mspId, name), 'utf8');
    return Object.fromEntries(mspIds.map((mspId) => [mspId, { certificate: read(mspId, 'ca.pem'), key: read(mspId, 'ca-key.pem') }]));
  }

  public async stop(): Promise<void> {
    this.engine.close();
    await this.ledger?.close();
  }
}
