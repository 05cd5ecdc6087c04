import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { LateCounts } from '../core/completeness/completeness-report.js';
import { flagCodes, ledgerFunctions, ProtocolError, retirable, type ErrorCode, type FlagCode, type Retirable } from '@huilian/protocol';

/** What is read at the moment somebody asks for the metrics. */
export interface Readings {
  readonly rows: { readonly accepted: number; readonly unchanged: number; readonly refused: number };
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly settled: number; readonly deadLettered: number; readonly whole: boolean; readonly oldestSeconds: number };
  readonly following: boolean;
  readonly ready: boolean;
  readonly height: number;
  readonly missingBlocks: number;
  readonly peers: { readonly reachable: number; readonly unreachable: number };
  /** Undefined while no other node answered. */
  readonly clockBehindSeconds: number | undefined;
  readonly webhooks: { readonly active: number; readonly failing: number; readonly paused: number };
  /** Undefined where no mirror is configured. */
  readonly mirror: { readonly following: boolean; readonly blocksBehind: number } | undefined;
  readonly diskFreeBytes: number;
  readonly diskFloorBytes: number;
  /** Unix seconds; undefined where there is no backup, or no place for one. */
  readonly lastBackupSeconds: number | undefined;
  /** Standing flags of the link checks, by code. */
  readonly flags: ReadonlyMap<FlagCode, number>;
  /** Unix seconds; undefined where the certificate cannot be read. */
  readonly certificateEndSeconds: number | undefined;
  readonly late: LateCounts;
  /** What ends next of each sort that votes adopt, within the time of warning: Unix seconds. */
  readonly catalogueEnds: Readonly<Partial<Record<Retirable, number>>>;
}

const knownFunctions: ReadonlySet<string> = new Set(Object.values(ledgerFunctions));
const harmless: ReadonlySet<string> = new Set(['VALID', 'MVCC_READ_CONFLICT', 'PHANTOM_READ_CONFLICT']);
/** Outcomes of reads that are no fault of the reader's. */
const failures: readonly ErrorCode[] = ['EXCHANGE_FAILED', 'INTERNAL', 'PUBLISHER_UNAVAILABLE', 'RELEASE_TOO_LATE', 'STORAGE_FAILED', 'VAULT_CORRUPT'];
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What the node counts, for Prometheus. Labels come from closed lists (functions, codes, routes, outcomes): no ids, no owners,
 * no members. Rows are counted as plain numbers where they pass and read here.
 */
export class NodeMetrics {
  private readonly registry = new Registry();
  private readonly reads = this.counter('huilian_reads_total', 'Access requests of readers, by outcome: ok or the refusal code', ['outcome']);
  private readonly requests = this.counter('huilian_http_requests_total', 'HTTP answers by method, route and status', ['method', 'route', 'status']);
  private readonly requestSeconds = this.histogram('huilian_http_request_seconds', 'Time of HTTP answers by route', ['route']);
  private readonly submissions = this.counter('huilian_ledger_submissions_total', 'Calls to endorse and order, by contract function and outcome: ok or code', ['function', 'outcome']);
  private readonly submitSeconds = this.histogram('huilian_ledger_submit_seconds', 'Time until a call was endorsed and handed to ordering', ['function']);
  private readonly commitSeconds = this.histogram('huilian_ledger_commit_seconds', 'Time from ordering to the commit status, where it is awaited', ['function']);
  private readonly transactions = this.counter('huilian_ledger_transactions_total', 'Transactions in indexed blocks, of all members, by contract function and validation code', ['function', 'code']);
  private readonly blocks = this.counter('huilian_blocks_indexed_total', 'Blocks indexed since the start', []);
  private readonly exchanged = this.counter('huilian_exchange_requests_total', 'Requests between nodes: asked of others or answered for them, by method and outcome', ['direction', 'method', 'outcome']);
  private readonly writtenOff = this.counter('huilian_ledger_written_off_total', 'Those of them that are neither valid nor conflicts of commands that met', []);
  private readonly faults = this.counter('huilian_http_faults_total', 'HTTP answers of a fault of this software (500)', []);
  private readonly alarmed = this.gauge('huilian_alarm_last_seconds', 'When the log last had an alarm with this code, Unix seconds', ['code']);
  private readonly runs = this.counter('huilian_source_runs_total', 'Runs of configured sources, by state: done, failed, stopped or interrupted, and code of what failed', ['state', 'code']);
  private readonly syncedRows = this.counter('huilian_source_rows_total', 'Rows that runs of sources had judged, by outcome', ['outcome']);
  private readonly alarms = this.counter('huilian_alarms_total', 'Alarms of the log by code', ['code']);

  private readonly take: () => Promise<void>;

  public constructor(version: string, read: () => Promise<Readings>) {
    collectDefaultMetrics({ register: this.registry });
    // A series that begins above 0 has no increase for Prometheus: what an alarm asks for begins at 0.
    for (const outcome of failures) this.reads.inc({ outcome }, 0);
    this.gauge('huilian_build_info', 'Always 1; the version is its label', ['version']).set({ version }, 1);
    const set = this.readingGauges();
    this.take = async (): Promise<void> => { set(await read()); };
    this.gauge('huilian_up', 'Always 1 while the node runs', []).set(1);
    this.gauge('huilian_start_seconds', 'When the process started, Unix seconds', []).set(Math.floor(Date.now() / 1000));
  }

  public get contentType(): string {
    return this.registry.contentType;
  }

  /** The text exposition format. */
  public async text(): Promise<string> {
    // Before anything is written: a gauge that reads while the others are written would be ahead of them by one asking.
    await this.take();
    return await this.registry.metrics();
  }

  public answered(method: string, route: string, status: number, time: number): void {
    this.requests.inc({ method, route, status });
    this.requestSeconds.observe({ route }, time);
    if (status === 500) this.faults.inc();
  }

  public block(transactions: readonly { readonly function: string; readonly code: string }[]): void {
    this.blocks.inc();
    for (const { code, function: name } of transactions) {
      this.transactions.inc({ function: known(name), code });
      if (!harmless.has(code)) this.writtenOff.inc();
    }
  }

  public alarm(code: string): void {
    this.alarms.inc({ code });
    this.alarmed.set({ code }, Math.floor(Date.now() / 1000));
  }

  /** A run of a source has ended; dry runs are nobody's rows. */
  public synced({ accepted, dryRun, error, refused, state, unchanged }: { readonly accepted: number; readonly dryRun: boolean; readonly error?: { readonly code: ErrorCode }; readonly refused: number; readonly state: string; readonly unchanged: number }): void {
    if (dryRun) return;
    this.runs.inc({ code: error?.code ?? 'ok', state });
    for (const [outcome, rows] of Object.entries({ accepted, refused, unchanged })) this.syncedRows.inc({ outcome }, rows);
  }

  /** Counts a reader's request by what came of it. */
  public async read<T>(task: () => Promise<T>): Promise<T> {
    return await counted(task, (outcome) => { this.reads.inc({ outcome }); });
  }

  public async exchange<T>(direction: 'answered' | 'asked', method: string, task: () => Promise<T>): Promise<T> {
    return await counted(task, (outcome) => { this.exchanged.inc({ direction, method, outcome }); });
  }

  public async submit<T>(name: string, task: () => Promise<T>): Promise<T> {
    const end = this.submitSeconds.startTimer({ function: name });
    return await counted(task, (outcome) => { end(); this.submissions.inc({ function: name, outcome }); });
  }

  public async commit<T>(name: string, task: () => Promise<T>): Promise<T> {
    const end = this.commitSeconds.startTimer({ function: name });
    return await task().finally(() => { end(); });
  }

  private readingGauges(): (now: Readings) => void {
    const rows = this.gauge('huilian_rows_total', 'Rows taken in since the start, by outcome', ['outcome']);
    const outbox = this.gauge('huilian_outbox_rows', 'Acknowledged rows that are not settled', []);
    const oldest = this.gauge('huilian_outbox_oldest_seconds', 'Age of the oldest of them, since the start at most', []);
    const batches = this.gauge('huilian_outbox_batches_in_flight', 'Batches frozen and not settled', []);
    const settled = this.gauge('huilian_outbox_settled_rows', 'Rows settled or dead since the beginning', []);
    const dead = this.gauge('huilian_dead_letters', 'Rows on the list of refused ones', []);
    const whole = this.gauge('huilian_outbox_whole', '1, or 0 while acknowledged rows are missing and nothing is accepted', []);
    const following = this.gauge('huilian_ledger_following', '1 while blocks come', []);
    const ready = this.gauge('huilian_ready', '1 while /readyz says so', []);
    const height = this.gauge('huilian_block_height', 'Last indexed block', []);
    const missing = this.gauge('huilian_blocks_behind', 'Blocks that another centre has and this node has not', []);
    const peers = this.gauge('huilian_peers', 'Other active centres by whether their node answers', ['state']);
    const webhooks = this.gauge('huilian_webhooks', 'Webhooks of this node by state: active, failing since the last good answer, or paused until somebody resumes them', ['state']);
    const mirror = this.gauge('huilian_mirror_following', "1 while the mirror in the centre's own database follows; NaN where none is configured", []);
    const mirrorBehind = this.gauge('huilian_mirror_blocks_behind', 'Indexed blocks that the mirror has not; NaN where none is configured', []);
    const flags = this.gauge('huilian_link_flags', 'Records to look at, found by the link checks, by code', ['code']);
    const skew = this.gauge('huilian_clock_behind_seconds', 'How far this clock is behind those of the other nodes (median)', []);
    const disk = this.gauge('huilian_disk_free_bytes', 'Free where the data lies', []);
    const floor = this.gauge('huilian_disk_floor_bytes', 'Below it nothing is written', []);
    const backup = this.gauge('huilian_last_backup_seconds', 'When the newest backup in its place was begun, Unix seconds; 0 where there is none', []);
    const certificate = this.gauge('huilian_certificate_end_seconds', "When the certificate ends by which the ledger knows this node, Unix seconds; NaN where it cannot be read", []);
    const ends = this.gauge('huilian_catalogue_end_seconds', 'When the next of this sort ends that votes adopted, Unix seconds, as soon as the node warns of it; 0 where none does', ['of']);
    const late = this.gauge('huilian_completeness_late', 'Days of a kind whose declared rows are not on the ledger past their deadline, and adopted documents that were not acknowledged: of this centre, and of all other members', ['whose', 'what']);
    return (now) => {
      for (const whose of ['own', 'others'] as const) for (const what of ['days', 'documents'] as const) late.set({ whose, what }, now.late[whose][what]);
      for (const of of retirable) ends.set({ of }, now.catalogueEnds[of] ?? 0);
      for (const [outcome, count] of Object.entries(now.rows)) rows.set({ outcome }, count);
      outbox.set(now.outbox.pending);
      oldest.set(now.outbox.oldestSeconds);
      batches.set(now.outbox.inFlight);
      settled.set(now.outbox.settled);
      dead.set(now.outbox.deadLettered);
      whole.set(Number(now.outbox.whole));
      following.set(Number(now.following));
      ready.set(Number(now.ready));
      height.set(now.height);
      missing.set(now.missingBlocks);
      for (const [state, count] of Object.entries(now.peers)) peers.set({ state }, count);
      for (const [state, count] of Object.entries(now.webhooks)) webhooks.set({ state }, count);
      mirror.set(now.mirror === undefined ? Number.NaN : Number(now.mirror.following));
      mirrorBehind.set(now.mirror?.blocksBehind ?? Number.NaN);
      setFlags(flags, now.flags);
      skew.set(now.clockBehindSeconds ?? Number.NaN);
      disk.set(now.diskFreeBytes);
      floor.set(now.diskFloorBytes);
      backup.set(now.lastBackupSeconds ?? 0);
      certificate.set(now.certificateEndSeconds ?? Number.NaN);
    };
  }

  private counter<T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<T extends string>(name: string, help: string, labelNames: readonly T[]): Histogram<T> {
    return new Histogram({ name, help, labelNames, buckets: seconds, registers: [this.registry] });
  }
}

async function counted<T>(task: () => Promise<T>, count: (outcome: string) => void): Promise<T> {
  try {
    const result = await task();
    count('ok');
    return result;
  } catch (error) {
    count(error instanceof ProtocolError ? error.code : 'INTERNAL');
    throw error;
  }
}

/** A block may carry calls of functions that do not exist: their names are anybody's text. */
function known(name: string): string {
  return knownFunctions.has(name) ? name : 'other';
}

/** A code that no record has says so too. */
function setFlags(gauge: Gauge<'code'>, counts: Readings['flags']): void {
  for (const code of Object.keys(flagCodes) as FlagCode[]) gauge.set({ code }, counts.get(code) ?? 0);
}
