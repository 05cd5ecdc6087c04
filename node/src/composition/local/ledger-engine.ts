import type { StaticAccess } from '../../adapters/cli/process-actions.js';

/** What runs the ledger of the local consortium. The nodes only ever see connection files. */
export interface LedgerEngine {
  /** Starts what does not run yet; what an earlier run of the same folder wrote is kept. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Connection file of a centre's organisation. */
  connection(centre: string): string;
  /** Static profile, wallet and identity of a centre's organisation, for the older client. */
  network(centre: string): StaticAccess;
  /** PEM file of the authority of an organisation's identities, for the charter. */
  caCertificate(centre: string): string;
  /** Addresses and process ids, for the person at the terminal. */
  addresses(): readonly EngineAddress[];
}

export interface EngineAddress {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}
