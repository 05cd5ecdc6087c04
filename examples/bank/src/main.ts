import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ProtocolError, type MemberKeys } from '@huilian/sdk';
import { runBank, type BankResult } from './run-bank.js';

const usage = `用法 / usage: node dist/main.js --node <url> --keys <member-keys.json> --uscc <code> --application <number>
  --fingerprint <charter> [--evidence evidence.json] [--page <bidder page url>]\n`;
const text = { type: 'string' } as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { application: text, evidence: text, fingerprint: text, keys: text, node: text, page: text, uscc: text } });
  const { application, evidence = 'evidence.json', fingerprint, keys: keyFile, node: nodeUrl, page = 'http://127.0.0.1:8801', uscc } = values;
  if (nodeUrl === undefined || keyFile === undefined || uscc === undefined || application === undefined || fingerprint === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const keys = JSON.parse(await readFile(keyFile, 'utf8')) as MemberKeys;
  const onAsk = ({ id }: { id: string }): void => {
    process.stderr.write(`请投标人打开 / let the bidder open: ${new URL(`/?ask=${id}`, page).href}\n`);
  };
  const result = await runBank({ nodeUrl, keys, uscc, application, fingerprint, evidenceFile: evidence, onAsk });
  print(result);
  return result.reports.every(({ ok }) => ok) ? 0 : 1;
}

function print({ records, reports }: BankResult): void {
  for (const { claims, recordId, version } of records) process.stdout.write(`${recordId} v${String(version)}\n${JSON.stringify(claims, null, 2)}\n`);
  for (const { checks, ticket } of reports) {
    process.stdout.write(`\n证据 / evidence ${ticket}\n`);
    for (const { en, result, why, zh } of checks) process.stdout.write(`  ${result.padEnd(17)} ${zh} / ${en}${why === undefined ? '' : ` (${why})`}\n`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ProtocolError)) throw error;
  process.stderr.write(`${error.message}\n${error.entry.zh}；${error.entry.next.zh}。\n${error.entry.en}; ${error.entry.next.en}.\n`);
  process.exitCode = 1;
}
