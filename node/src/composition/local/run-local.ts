import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import type { LocalRunOptions } from '../../adapters/cli/process-actions.js';
import { runUntilStopped } from '../run-until-stopped.js';
import { EmbeddedEngine } from './embedded-engine.js';
import { FabricEngine } from './fabric-engine.js';
import { centres, Layout } from './layout.js';
import { LocalConsortium } from './local-consortium.js';
import { OwnRows, ownFiles } from './own-rows.js';
import { Report } from './report.js';
import { syncCentres } from './sync-centres.js';
import { WalkThrough } from './walk-through.js';

/**
 * Brings the local consortium up, walks through the main job, then stays up (or ends with `once`). Answers the exit code.
 * @throws BAD_FIELD for a state folder that was begun with another ledger
 */
export async function runLocal(options: LocalRunOptions): Promise<number> {
  const report = new Report();
  const layout = new Layout(path.resolve(options.state));
  mkdirSync(layout.root, { recursive: true, mode: 0o700 });
  keepToEngine(layout, options);
  const engine = options.engine === 'fabric' ? new FabricEngine(layout, options.profile, report) : new EmbeddedEngine(layout, report);
  const local = new LocalConsortium(layout, engine, report, options.client);
  let stopping = false;
  const interrupted = new Promise<'stopped'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => {
      stopping = true;
      resolve('stopped');
    });
  });
  try {
    const walked = await Promise.race([walk(local, report, options), interrupted]);
    if (walked === 'stopped') return 130;
    if (options.once) {
      await local.stop();
      process.stdout.write(`${JSON.stringify(walked)}\n`);
      return 0;
    }
    process.stdout.write(`${JSON.stringify(walked)}\n\n`);
    for (const { address, name, pid } of local.addresses()) process.stdout.write(`${name.padEnd(10)} ${address}  (pid ${String(pid)})\n`);
    process.stdout.write(`${consoleLine(local, layout)}state 状态目录: ${layout.root}\nCtrl-C 停止 / Ctrl-C stops\n`);
    await runUntilStopped(async () => Promise.resolve());
    return 0;
  } catch (error) {
    if (!stopping) reportFailure(error);
    return 1;
  } finally {
    await local.stop();
  }
}

/** Where a centre's people look, and how the first of them gets an account. */
function consoleLine(local: LocalConsortium, layout: Layout): string {
  const [centre] = centres;
  const node = local.addresses().find(({ name }) => name === centre?.id);
  if (node === undefined) return '';
  return `console 控制台: ${node.address}/console/  (npx huilian accounts add NAME --role administrator --state ${path.join(layout.root, 'nodes', node.name)})\n`;
}

/** A consortium was founded on one ledger, and its nodes follow no other. */
function keepToEngine({ engine: file, root }: Layout, { client, engine, profile }: LocalRunOptions): void {
  const chosen = `--engine ${engine}${engine === 'fabric' ? ` --profile ${profile}` : ''} --client ${client}`;
  const before = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  if (before === undefined) writeFileSync(file, `${chosen}\n`);
  else if (before !== chosen) throw new ProtocolError('BAD_FIELD', { path: '--state', reason: `${root} was begun with ${before}: start it so, or name another folder / 该目录属于另一账本，请按原参数启动或换用其他目录` });
}

async function walk(local: LocalConsortium, report: Report, options: LocalRunOptions): Promise<object> {
  const files = ownFiles(options.with ?? [], options.kind);
  report.heading('汇链：三个交易中心与一家银行（全部虚构）', 'Huilian: three trading centres and a bank (all fictional)');
  await local.start();
  await local.govern();
  const walkThrough = new WalkThrough(local, report, options.sabotage);
  await walkThrough.registerOwners();
  await syncCentres(local, report);
  const steps = await walkThrough.run();
  const counted = await counts(local);
  const own = files.length === 0 ? {} : { own: await new OwnRows(local, report, files).run() };
  const summary = { ...counted, ...steps, ...own, seconds: report.seconds() };
  writeFileSync(path.join(local.layout.root, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** Records on the ledger of all three centres, and rows in their dead-letter lists. */
async function counts(local: LocalConsortium): Promise<{ readonly published: number; readonly deadLettered: number }> {
  let published = 0;
  let deadLettered = 0;
  const client = await local.client('sample-bank');
  for (const { id } of centres) {
    for await (const _record of client.query({ publisher: id })) published += 1;
    deadLettered += (await local.api(id).all('/v1/dead-letters')).length;
  }
  return { published, deadLettered };
}

function reportFailure(error: unknown): void {
  const known = error instanceof ProtocolError ? error : undefined;
  const words = known === undefined ? '' : ` ${known.entry.en} / ${known.entry.zh}`;
  process.stderr.write(`✗ walk-through failed / 演示失败: ${error instanceof Error ? error.message : String(error)}${words}\n`);
}
