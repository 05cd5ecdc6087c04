import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ParityRun } from './parity-run.js';

export interface Summary {
  readonly run: ParityRun;
  readonly end: Awaited<ReturnType<ParityRun['finish']>>;
  readonly schedules: number;
  readonly seed: number;
  /** Profile of the network. */
  readonly fabric: string;
  readonly seconds: number;
}

function fabricVersion(): string {
  const bin = process.env['FABRIC_BIN'];
  const output = execFileSync(bin === undefined ? 'peer' : path.join(bin, 'peer'), ['version'], { encoding: 'utf8' });
  return /Version: *v?(\S+)/.exec(output)?.[1] ?? 'unknown';
}

function table(head: string, rows: Iterable<readonly [string, number]>): string {
  const lines = [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, count]) => `| ${name} | ${String(count)} |`);
  return `| ${head} | count |\n|---|---:|\n${lines.join('\n')}\n`;
}

export function writeSummary(file: string, summary: Summary): void {
  const { end, run } = summary;
  const of = (name: string): Iterable<readonly [string, number]> => run.counts.get(name) ?? [];
  const text = `${String(summary.schedules)} ${summary.fabric} ${String(summary.seconds)} ${fabricVersion()} ${JSON.stringify(end)}
${table('step', of('step'))}${table('v', of('validation code'))}`;
  writeFileSync(file, text);
}
