import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { kindOfName } from '../../core/sync/kind-of-file.js';
import type { Source } from '../../core/sync/source.js';
import type { SyncReport } from '../../core/sync/sync-report.js';
import { refusalBound, SyncRun, type RowDoor } from '../../core/sync/sync-run.js';
import type { NodeApi } from './node-api.js';

/** Share of the files' bytes read so far, 0 to 1, and what became of the rows. */
export type SyncProgress = (share: number, accepted: number, refused: number) => void;

export interface SyncFilesOptions {
  /** Nothing is published; the report says what would be. */
  readonly dryRun?: boolean;
  /** Share of refused rows that ends it early; 1 never does. */
  readonly mostRefused?: number;
  /** Name of the node's mapping that the rows are read by. */
  readonly mapping?: string;
  readonly onProgress?: SyncProgress;
  /** The record of each row that was taken, or had been before. */
  readonly onRecord?: (recordId: string) => void;
}

/** What was read and taken, also where it ended in a failure. */
export interface SyncOutcome {
  readonly report: SyncReport;
  readonly failure?: unknown;
}

/** The kind a file's rows are of: by `--kind`, else by the leading part of its name (`qualification-….csv`). */
export function kindOfFile(file: string, kinds: readonly string[], chosen?: string): string {
  const kind = chosen ?? kindOfName(path.basename(file), kinds);
  if (kind === undefined) {
    throw new ProtocolError('CSV_INVALID', { file: path.basename(file), reason: `name it after a kind (${kinds.join(', ')}) or give --kind` });
  }
  return kind;
}

/**
 * Streams files into a node and reports what was accepted and refused. A second time is never wrong: rows that did not
 * change are recognised.
 */
export async function syncFiles(api: NodeApi, source: Source, { dryRun = false, mapping, mostRefused = refusalBound.mostShare, onProgress = () => undefined, onRecord = () => undefined }: SyncFilesOptions = {}): Promise<SyncOutcome> {
  let share = 0;
  const run = new SyncRun({
    bound: { ...refusalBound, mostShare: mostRefused },
    door: httpDoor(api, ({ recordId }) => {
      if (typeof recordId === 'string') onRecord(recordId);
      const { accepted, refused, unchanged } = run.tally.current;
      onProgress(share, accepted + unchanged, refused);
    }),
    dryRun,
    ...(mapping === undefined ? {} : { mapping }),
    now: () => Date.now(),
    onProgress: (read) => { share = read ?? 0; },
    signal: new AbortController().signal,
    source,
  });
  try {
    return { report: await run.run() };
  } catch (failure) {
    return { failure, report: run.tally.report };
  }
}

function httpDoor(api: NodeApi, onAnswer: (answer: Readonly<Record<string, unknown>>) => void): RowDoor {
  return async function* door(lines, { dryRun }) {
    for await (const answer of api.stream(`/v1/records${dryRun ? '?dryRun=true' : ''}`, lines)) {
      yield [answer];
      onAnswer(answer);
    }
  };
}
