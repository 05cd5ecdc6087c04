import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '@huilian/protocol';
import { loadConfig } from '../../config/config.js';
import type { RunOrder, RunRecord, SourceView } from '../../core/sync/sync-jobs.js';
import type { NodeApi } from './node-api.js';
import type { SyncProgress } from './sync-files.js';

const askMilliseconds = 300;

/** The configured source that is meant; undefined where files are. @throws BAD_FIELD where a name could be either */
export function namedSource(state: string, names: readonly string[]): string | undefined {
  const [name = ''] = names;
  if (names.length !== 1 || /[./\\]/.test(name)) return undefined;
  const isSource = Object.hasOwn(loadConfig(state).sources, name);
  if (isSource && existsSync(name)) throw new ProtocolError('BAD_FIELD', { path: '<files>', reason: `${name} is a source and a file: give the file as ./${name}` });
  return isSource ? name : undefined;
}

/** Has the node read a source now, and follows the run to its end. */
export async function runSource(api: NodeApi, name: string, order: RunOrder, onProgress: SyncProgress): Promise<RunRecord> {
  const { run } = (await api.post(`/v1/sources/${name}/runs`, order)) as RunRecord;
  for (;;) {
    const { current, last } = (await api.get(`/v1/sources/${name}`)) as SourceView;
    if (current?.run === run) onProgress(current.share ?? 0, current.accepted + current.unchanged, current.refused);
    else if (last !== undefined && last.run >= run) return last.run === run ? last : await earlierRun(api, name, run);
    await delay(askMilliseconds);
  }
}

/** Another run has ended since. @throws NOT_FOUND */
async function earlierRun(api: NodeApi, name: string, run: number): Promise<RunRecord> {
  const runs = (await api.all(`/v1/sources/${name}/runs`)) as readonly RunRecord[];
  const found = runs.find((each) => each.run === run);
  if (found === undefined) throw new ProtocolError('NOT_FOUND', { run });
  return found;
}
