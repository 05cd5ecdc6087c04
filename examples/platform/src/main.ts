import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ProtocolError, type MemberKeys } from '@huilian/sdk';
import { runPlatform } from './run-platform.js';

const usage = `用法 / usage: node dist/main.js --node <url> --keys <member-keys.json> --uscc <code> [--page <bidder page url>]
也可使用环境变量 / or the environment: HUILIAN_NODE, HUILIAN_KEYS, HUILIAN_USCC, HUILIAN_PAGE\n`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keys: { type: 'string' }, node: { type: 'string' }, page: { type: 'string' }, uscc: { type: 'string' } } });
  const nodeUrl = values.node ?? process.env['HUILIAN_NODE'];
  const keyFile = values.keys ?? process.env['HUILIAN_KEYS'];
  const uscc = values.uscc ?? process.env['HUILIAN_USCC'];
  const page = values.page ?? process.env['HUILIAN_PAGE'] ?? 'http://127.0.0.1:8801';
  if (nodeUrl === undefined || keyFile === undefined || uscc === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const keys = JSON.parse(await readFile(keyFile, 'utf8')) as MemberKeys;
  const onAsk = ({ id }: { id: string }): void => {
    process.stderr.write(`请投标人打开 / let the bidder open: ${new URL(`/?ask=${id}`, page).href}\n`);
  };
  process.stdout.write(`${JSON.stringify(await runPlatform({ nodeUrl, keys, uscc, onAsk }), null, 2)}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ProtocolError)) throw error;
  process.stderr.write(`${error.message}\n${error.entry.zh}；${error.entry.next.zh}。\n${error.entry.en}; ${error.entry.next.en}.\n`);
  process.exitCode = 1;
}
