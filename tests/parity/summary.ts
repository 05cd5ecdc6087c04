import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ParityRun } from './parity-run.js';

export interface Summary {
  readonly run: ParityRun;
  readonly end: Awaited<ReturnType<ParityRun['finish']>>;
  readonly schedules: number;
  /** Seed of the first schedule. */
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

/** Writes the page that stands in the repository as docs/parity.md. */
export function writeSummary(file: string, summary: Summary): void {
  const { end, run, schedules, seed } = summary;
  const of = (name: string): Iterable<readonly [string, number]> => run.counts.get(name) ?? [];
  const last = seed + schedules - 1;
  const text = `# The embedded ledger beside Hyperledger Fabric

Written by a run of \`tests/fabric/parity.test.ts\`, not by hand:

\`\`\`text
PARITY_SCHEDULES=${String(schedules)} PARITY_SEED=${String(seed)} PARITY_SUMMARY=docs/parity.md npm run fabric:test -- parity
\`\`\`

A seed is a schedule of 20 to 50 steps (\`tests/parity/schedule.ts\`): endorse, evaluate, submit, wait. Both engines get the same bytes: proposals
with the same nonces by the same identities, envelopes changed in the same way. What they answer, how each transaction is marked, in submit
order, what it read and wrote, which events came, what the state and a node's read model are afterwards must be equal; versions are named by
the transaction that wrote them, since engines cut blocks as they like.

- Fabric ${fabricVersion()}, profile ${summary.fabric}, three centres, low-latency batching; ${String(summary.seconds)} s on ${new Date().toISOString().slice(0, 10)}.
- **${String(schedules)} schedules, seeds ${String(seed)} to ${String(last)}: ${String(run.differences.length)} differences.**
- State at the end: ${String(end.stateKeys)} keys, SHA-256 \`${end.stateDigest}\`; ${String(end.events)} chaincode events; read model: ${end.readModel}.
- Every organisation's peer, asked for its whole state by a contract put in the place of \`huilian\`, gave the same as the embedded ledger.

Not compared: the words of a gateway's own refusals (its status is), what only one engine has (discovery, lifecycle), and
\`getHistoryForKey\`, since the network profiles leave the peers' history database off and no contract of ours asks it.

## Compared

${table('what', run.comparisons)}
## Drawn

${table('step', of('step'))}
${table('call', of('call'))}
${table('answer to it', of('answer'))}
${table('how a proposal was special', of('delivery'))}
${table('change of an envelope', of('change'))}
${table('validation code', of('validation code'))}`;
  writeFileSync(file, text);
}
