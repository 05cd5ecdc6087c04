import type { Postgresql } from '@huilian/local-postgresql';
import type { EmbeddedConsortium } from '../embedded/embedded-consortium.js';
import type { PushResult } from '../push.js';
import type { World } from '../world.js';

/** A consortium whose node of Guangzhou follows the ledger into a PostgreSQL of its own. */
export interface DataWorld extends World {
  readonly consortium: EmbeddedConsortium;
  readonly database: Postgresql;
  /** The records that all measures look at: pushed once, by whichever comes first. */
  filled(): Promise<Filled>;
}

export interface Filled {
  readonly pushes: readonly PushResult[];
  readonly records: number;
}
