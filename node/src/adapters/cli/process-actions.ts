import type { Es256Key, joinRequestShape, MemberDocument, Read } from '@huilian/protocol';
import type { Source } from '../../core/sync/source.js';

/** What the command line asks of the composition, which alone may put a whole node together. */
export abstract class ProcessActions {
  /** Makes keys and configuration of a new member; answers what it states of itself when it is admitted. */
  public abstract initialise(options: InitOptions): Promise<MemberDocument>;
  /** Signs a request to join by the key in a state folder, of a centre or of a member without a node. */
  public abstract signJoin(stateDir: string, request: Read<typeof joinRequestShape>): Promise<string>;
  /** Makes the node's next keys beside those in use and answers the rotation that the old key signed; undefined where the ledger has them already. */
  public abstract prepareKeys(stateDir: string, salt: string, registered: Es256Key): Promise<string | undefined>;
  /** Puts the next keys in place of those in use; answers the folder that keeps the old ones. */
  public abstract adoptKeys(stateDir: string): Promise<string>;
  /** Runs the node on a state folder until it is told to stop. Resolves when it has stopped. */
  public abstract runNode(stateDir: string): Promise<void>;
  /** Runs the embedded ledger until it is told to stop. */
  public abstract runLedger(options: LedgerRunOptions): Promise<void>;
  /** Runs the sidecar of an institution until it is told to stop. */
  public abstract runReader(options: ReaderRunOptions): Promise<void>;
  /** Runs the sandbox for integrators until it is told to stop. */
  public abstract runSandbox(options: SandboxRunOptions): Promise<void>;
  /** Files to be read as one source, each of one kind of rows. */
  public abstract openFiles(files: readonly { readonly file: string; readonly kind: string }[]): Promise<Source>;
  /** The node's keys by file and fingerprint. */
  public abstract listKeys(stateDir: string): Promise<KeyReport>;
  /** Writes them under a passphrase; never over an existing file. */
  public abstract exportKeys(stateDir: string, file: string, passphrase: string): Promise<KeyReport>;
  /** Puts exported keys into a folder that has none. */
  public abstract importKeys(stateDir: string, file: string, passphrase: string): Promise<KeyReport>;
  /** Backs up into a file what a running node streams, or a stopped node's data. */
  public abstract backup(stateDir: string, file: string, stream: AsyncIterable<Uint8Array> | undefined, onBytes: (bytes: number) => void): Promise<BackupReport>;
  /** Puts a backup into a folder that has keys and no data. */
  public abstract restore(stateDir: string, file: string, onRows: (done: number, all: number) => void): Promise<RestoreReport>;
  /** Rebuilds the read model of a stopped node from the ledger. */
  public abstract reindex(stateDir: string, onProgress: (height: number) => void): Promise<{ readonly height: number; readonly digest: string }>;
  /** Holds the ledger's blocks, and a stopped node's state, against the rules. */
  public abstract audit(options: AuditOptions): Promise<AuditReport>;
  /** Brings up the local consortium and walks through the main job. Answers the exit code. */
  public abstract runLocal(options: LocalRunOptions): Promise<number>;
}

export interface KeyReport {
  readonly memberId: string;
  readonly keys: readonly { readonly file: string; readonly bytes: number; readonly fingerprint: string }[];
  /** ISO time; absent while the keys as they are now were never exported. */
  readonly exportedAt?: string;
}

export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
}

export interface RestoreReport {
  readonly member: string;
  /** When the backup was begun, ISO time. */
  readonly at: string;
  readonly rows: number;
  /** Block that the node had indexed then. */
  readonly height: number;
  /** Last acknowledged row in it. */
  readonly acknowledgedTo: number;
}

export interface AuditOptions {
  readonly state: string;
  /** Blocks only, whatever the state folder holds. */
  readonly ledgerOnly: boolean;
  /** Last block; without it the node's height, or what the ledger holds. */
  readonly to: number | undefined;
  /** Files of log lines, searched for personal data. */
  readonly logs: readonly string[];
  /** File of acknowledgements: a record id, or a JSON object with `recordId`, on each line. */
  readonly acknowledged: string | undefined;
  /** Blocks read, and the last one to come where it is known. */
  readonly onProgress: (block: number, last: number | undefined) => void;
}

export interface AuditReport {
  readonly blocks: number;
  readonly transactions: number;
  readonly valid: number;
  readonly records: number;
  readonly tickets: number;
  readonly ownVersions: number;
  readonly releases: number;
  /** Hash of the last block and, where the node's data was there, digest of its read model. */
  readonly lastBlock: string;
  readonly readModel: string | undefined;
  readonly seconds: number;
  readonly transactionsPerSecond: number;
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
  /** Why it was not. */
  readonly reason: string | undefined;
  readonly findings: readonly { readonly invariant: string; readonly place: string; readonly expected: string; readonly found: string }[];
  /** All of them; a list stops at a thousand. */
  readonly findingCount: number;
}

/** How the older client reaches the ledger: files, label of the identity in the wallet, channel. */
export interface StaticAccess {
  readonly profile: string;
  readonly wallet: string;
  readonly identity: string;
  readonly channel: string;
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
  /** In place of the connection file: what the older client needs. */
  readonly network?: StaticAccess;
  readonly httpPort: number;
  readonly exchangePort: number;
  /** Under which the other centres reach this one: an IP address or a name. Without it, this machine alone. */
  readonly exchangeHost?: string;
}

export interface ReaderRunOptions {
  /** HTTP address of the host centre's node. */
  readonly node: string;
  /** File of the institution's private keys. */
  readonly memberKeys: string;
  /** Fingerprint of the charter, hex. */
  readonly charter: string;
  readonly host: string;
  readonly port: number;
  /** Beside the keys where absent. */
  readonly tokenFile?: string;
  /** Seconds that one call may spend waiting for a node that asks to be tried again later. */
  readonly patienceSeconds: number;
}

export interface SandboxRunOptions {
  readonly state: string;
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
  /** By which the nodes reach the ledger. */
  readonly client: 'gateway' | 'network';
  readonly once: boolean;
  readonly sabotage?: 'grant' | 'payload' | 'revocation';
  /** Files of a newcomer's own rows, walked through after the sample's. */
  readonly with?: readonly string[];
  /** Kind of those rows, where the names of the files do not say. */
  readonly kind?: string;
}
