import { ProtocolError, type ErrorCode, type ErrorDetails } from '@huilian/protocol';
import { Mutex } from '../mutex.js';
import type { Clock, Random, Store } from '../ports.js';
import type { Source, SourceWarning } from './source.js';
import { SyncJob } from './sync-job.js';
import type { RefusedRow, SyncCounts } from './sync-report.js';
import { SyncRows } from './sync-rows.js';
import type { RowDoor } from './sync-run.js';

/** What a configured source says of its runs. */
export interface JobSettings {
  readonly name: string;
  /** How it is read: `file`, `folder`, `postgresql`, `http`. */
  readonly type: string;
  readonly kind?: string;
  readonly schema?: number;
  readonly rights?: string;
  readonly mapping?: string;
  /** From the beginning of one run to that of the next; 0 for none but those that are asked for or come of a change. */
  readonly everyMinutes: number;
  /** Percent of refused rows that end a run; 100 for never. */
  readonly mostRefused: number;
  /** Tells these settings, with those of its reader, from others. */
  readonly fingerprint?: string;
}

export type RunState = 'done' | 'failed' | 'interrupted' | 'running' | 'stopped';

/** What a run did; kept for the last fifty of a source. */
export interface RunRecord extends SyncCounts {
  readonly source: string;
  readonly run: number;
  readonly state: RunState;
  readonly dryRun: boolean;
  /** Unix seconds. */
  readonly started: number;
  readonly ended?: number;
  /** Share of what there is that was read, 0 to 1, where it is known. */
  readonly share?: number;
  readonly warnings: readonly SourceWarning[];
  /** The first refused rows; all are on the dead-letter list, but for those of a dry run. */
  readonly refusedRows: readonly RefusedRow[];
  readonly error?: { readonly code: ErrorCode; readonly details: ErrorDetails };
}

/** A source as the operator sees it. */
export interface SourceView {
  readonly name: string;
  readonly type: string;
  readonly kind?: string;
  readonly everyMinutes: number;
  /** Unix seconds; absent where only a request or a change starts it. */
  readonly next?: number;
  readonly current?: RunRecord;
  readonly last?: RunRecord;
}

export interface RunOrder {
  readonly dryRun?: boolean;
  /** Reads all again, also what was read before. */
  readonly fromStart?: boolean;
}

export interface SyncJobsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly door: RowDoor;
  readonly settings: readonly JobSettings[];
  /** The settings as they are written now. @throws CONFIG_INVALID */
  reload?(): readonly JobSettings[];
  /** By the settings of the last reload. */
  open(name: string): Source;
  /** A run has ended. */
  onRun(run: RunRecord): void;
  /** A run could not even begin. */
  onFault(name: string, error: ProtocolError): void;
}

/** The configured sources, each with its runs. */
export class SyncJobs {
  private readonly jobs = new Map<string, { readonly job: SyncJob; readonly fingerprint: string | undefined }>();
  private readonly reloading = new Mutex();
  private closed = false;

  public constructor(private readonly parts: SyncJobsParts) {
    for (const settings of parts.settings) this.add(settings);
  }

  public async start(): Promise<void> {
    for (const { job } of this.jobs.values()) await job.start();
  }

  /** Takes the settings as they are written now: sources whose settings changed begin anew, the others go on undisturbed. @throws CONFIG_INVALID */
  public async reload(): Promise<void> {
    await this.reloading.run(async () => {
      const wanted = new Map((this.parts.reload?.() ?? this.parts.settings).map((settings) => [settings.name, settings]));
      for (const [name, { fingerprint, job }] of this.jobs) {
        if (wanted.get(name)?.fingerprint === fingerprint) continue;
        this.jobs.delete(name);
        await job.end();
      }
      for (const [name, settings] of wanted) if (!this.jobs.has(name) && !this.closed) await this.add(settings).start();
    });
  }

  /** What is under way is acknowledged and kept in its place; it goes on when the node starts again. */
  public async stop(): Promise<void> {
    this.closed = true;
    await this.reloading.run(async () => { await Promise.all([...this.jobs.values()].map(async ({ job }) => { await job.end(); })); });
  }

  public list(): readonly SourceView[] {
    return [...this.jobs.values()].map(({ job }) => job.view());
  }

  /** @throws SOURCE_UNKNOWN */
  public find(name: string): SourceView {
    return this.job(name).view();
  }

  /** Begins a run now. @throws SOURCE_UNKNOWN, SYNC_RUNNING, CONFIG_INVALID */
  public run(name: string, order: RunOrder): RunRecord {
    return this.job(name).begin(order, true);
  }

  /** Stops the run that is under way; it has ended when this resolves. @throws SOURCE_UNKNOWN, NOT_FOUND where none is */
  public async stopRun(name: string): Promise<RunRecord> {
    return await this.job(name).stopRun();
  }

  /** Newest first, the one under way among them. @throws SOURCE_UNKNOWN */
  public async runs(name: string): Promise<readonly RunRecord[]> {
    return await this.job(name).runs();
  }

  private add(settings: JobSettings): SyncJob {
    const job = new SyncJob(this.parts, settings, new SyncRows(this.parts.store, settings.name));
    this.jobs.set(settings.name, { fingerprint: settings.fingerprint, job });
    return job;
  }

  private job(name: string): SyncJob {
    const job = this.jobs.get(name)?.job;
    if (job === undefined) throw new ProtocolError('SOURCE_UNKNOWN');
    return job;
  }
}
