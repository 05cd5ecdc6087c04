import { readdirSync } from 'node:fs';
import path from 'node:path';
import { bundledKinds } from '@huilian/protocol';
import { describeSync, progressBar } from '../../adapters/cli/sync-command.js';
import { kindOfFile, syncFiles } from '../../adapters/cli/sync-files.js';
import { FilesSource } from '../../adapters/sources/file-source.js';
import type { LocalConsortium } from './local-consortium.js';
import { centres, sampleData } from './layout.js';
import type { Report } from './report.js';

/** Each centre syncs its export files; answers how many rows were refused and kept as dead letters. */
export async function syncCentres(consortium: LocalConsortium, report: Report): Promise<{ readonly refused: number }> {
  let refused = 0;
  const kinds = bundledKinds().map(({ kind }) => kind);
  for (const { id, nameEn, nameZh } of centres) {
    const folder = path.join(sampleData, id);
    const files = readdirSync(folder).sort().map((name) => ({ file: path.join(folder, name), kind: kindOfFile(name, kinds) }));
    const bar = progressBar(true);
    const { failure, report: outcome } = await syncFiles(consortium.api(id), new FilesSource(files), {
      onProgress: (share, accepted, bad) => { bar?.update(Math.floor(share * 100), { accepted, refused: bad }); },
    }).finally(() => bar?.stop());
    if (failure !== undefined) throw failure;
    refused += outcome.refusedRows;
    report.step(`${nameZh}同步完成`, `${nameEn} synced`);
    report.detail(describeSync(outcome));
  }
  await whenPublished(consortium);
  report.step('全部记录已上链并被各节点索引', 'every accepted record is on the ledger and indexed by all nodes');
  return { refused };
}

/** Nothing waits in any outbox, and every node has seen all of it. */
export async function whenPublished(consortium: LocalConsortium): Promise<void> {
  await consortium.whenEveryNode(async (api) => {
    const { outbox } = (await api.get('/v1/status')) as { outbox: { pending: number; inFlight: number } };
    return outbox.pending === 0 && outbox.inFlight === 0;
  });
  await consortium.whenLevel();
}
