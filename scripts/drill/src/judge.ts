import type { AcknowledgementLog } from './acknowledged.js';
import type { Drill } from './drill.js';
import { centres, runCommand, type DrillWorld } from './drill-world.js';
import type { Tally } from './result.js';

const drainMilliseconds = 30_000;
const pageRecords = 500;

interface AuditReport {
  readonly records: number;
  readonly ownVersions: number;
  readonly releases: number;
  readonly tickets: number;
  readonly notChecked: readonly string[];
  readonly findings: readonly { readonly invariant: string; readonly place: string; readonly expected: string; readonly found: string }[];
}

interface RecordPage {
  readonly items: readonly { readonly recordId: string; readonly header: { readonly version: number } }[];
  readonly cursor?: string;
}

/**
 * Judges the consortium after its faults: all accepted work ends within 30 s; each acknowledged record is read back from a
 * node that did not take it; the ledger holds each version once; everybody who subscribed was told of every event; and `huilian audit` of every stopped node, with its log and
 * the client's acknowledgements, finds nothing. The nodes run again afterwards.
 */
export async function judge({ acknowledged, progress, subscribers, world }: Pick<Drill, 'acknowledged' | 'progress' | 'subscribers' | 'world'>, tally: Tally): Promise<void> {
  progress.step('judging: does all accepted work end?');
  await world.revive();
  if (!(await world.settles(drainMilliseconds))) {
    const states = await Promise.all(centres.map(async (centre) => await world.status(centre).catch((error: unknown) => String(error))));
    tally.violation(`I21: not drained ${String(drainMilliseconds / 1000)} s after the last fault: ${JSON.stringify(states)}`);
  }
  progress.step('judging: is all of it there?');
  const versions = await readBack(world, acknowledged, tally);
  progress.step('judging: was everybody told?');
  await subscribers.judge(tally, versions);
  await Promise.all(centres.map(async (centre) => { await world.end(centre); }));
  progress.step('judging: huilian audit of each node');
  const file = acknowledged.write(world, 'guangzhou');
  await Promise.all(centres.map(async (centre) => {
    const more = centre === 'guangzhou' ? ['--acknowledged', file] : [];
    const run = await runCommand(['audit', '--state', world.stateOf(centre), '--json', '--log', world.logOf(centre), ...more]);
    const report = read(run.stdout);
    if (report === undefined) {
      tally.violation(`audit of ${centre} gave no report: ${run.stderr.trim().slice(-300)}`);
      return;
    }
    tally.expect(report.notChecked.length === 0, `audit of ${centre} did not check ${report.notChecked.join(' ')}`);
    for (const { expected, found, invariant, place } of report.findings.slice(0, 10)) tally.violation(`${centre} ${invariant} ${place}: expected ${expected}; found ${found}`);
    if (report.findings.length > 10) tally.violation(`${centre}: ${String(report.findings.length - 10)} findings more`);
    // A header published again under another number is one record more in the ledger's batches than there are versions.
    if (centre === 'guangzhou') tally.expect(report.records === versions, `doubled: the ledger's batches hold ${String(report.records)} record versions, there are ${String(versions)}`);
  }));
  await world.revive();
}

/** Reads all records from Beijing; answers how many versions there are. */
async function readBack(world: DrillWorld, acknowledged: AcknowledgementLog, tally: Tally): Promise<number> {
  const ids = new Set<string>();
  let versions = 0;
  let cursor: string | undefined;
  do {
    const page: RecordPage = await world.get('beijing', `/v1/records?limit=${String(pageRecords)}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const { header, recordId } of page.items) {
      ids.add(recordId);
      versions += header.version;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  const lost = acknowledged.all().filter((id) => !ids.has(id));
  tally.expect(lost.length === 0, `lost: ${String(lost.length)} acknowledged records cannot be read back, the first ${lost[0] ?? ''}`);
  tally.figures['acknowledged'] = acknowledged.count;
  return versions;
}

function read(text: string): AuditReport | undefined {
  try {
    return JSON.parse(text) as AuditReport;
  } catch {
    return undefined;
  }
}
