import type { MemberDocument } from '@huilian/protocol';

/** What the command line asks of the composition, which alone may put a whole node together. */
export abstract class ProcessActions {
  /** Makes keys and configuration of a new member; answers what it states of itself when it is admitted. */
  public abstract initialise(options: InitOptions): Promise<MemberDocument>;
  /** Runs the node on a state folder until it is told to stop. Resolves when it has stopped. */
  public abstract runNode(stateDir: string): Promise<void>;
  /** Runs the embedded ledger until it is told to stop. */
  public abstract runLedger(options: LedgerRunOptions): Promise<void>;
  /** Rebuilds the read model of a stopped node from the ledger. */
  public abstract reindex(stateDir: string, onProgress: (height: number) => void): Promise<{ readonly height: number; readonly digest: string }>;
  /** Brings up the local consortium and walks through the main job. Answers the exit code. */
  public abstract runLocal(options: LocalRunOptions): Promise<number>;
}

export interface InitOptions {
  readonly state: string;
  readonly member: string;
  readonly kind: 'centre' | 'institution' | 'platform' | 'supervisor';
  readonly organisation: string;
  /** The centre that serves a member without a node. */
  readonly host?: string;
  readonly nameZh: string;
  readonly nameEn: string;
  readonly region: string;
  readonly contact: string;
  /** Centres only: the ledger's connection file, and the ports to listen on. */
  readonly connection?: string;
  readonly httpPort: number;
  readonly exchangePort: number;
}

export interface LedgerRunOptions {
  readonly dir: string;
  readonly contract: string;
  readonly chaincode: string;
  readonly channel: string;
  readonly organisations: readonly string[];
  readonly port: number;
}

export interface LocalRunOptions {
  readonly state: string;
  readonly engine: 'embedded' | 'fabric';
  /** Of the Fabric network. */
  readonly profile: 'raft' | 'bft';
  readonly once: boolean;
  readonly sabotage?: 'grant' | 'payload' | 'revocation';
}
