import { parseArgs } from 'node:util';
import { ProtocolError } from '@huilian/sdk';
import { startBidderPage } from './start-bidder-page.js';
import { createWallet } from './wallet-file.js';

const usage = `用法 / usage:
  node dist/main.js create --wallet <file> --owner org:<USCC>      新建钱包 / make a wallet
  node dist/main.js --wallet <file> --node <url> [--port 8801]     打开页面 / serve the page
口令由环境变量给出 / the password comes from the environment: HUILIAN_WALLET_PASSWORD\n`;

async function main(): Promise<number | undefined> {
  const text = { type: 'string' } as const;
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { node: text, owner: text, port: text, wallet: text } });
  const password = process.env['HUILIAN_WALLET_PASSWORD'];
  const { node: nodeUrl, owner, port = '8801', wallet: walletFile } = values;
  if (positionals[0] === 'create' && walletFile !== undefined && owner !== undefined && password !== undefined) {
    process.stdout.write(`${await createWallet(walletFile, owner, password)}\n`);
    return 0;
  }
  if (positionals.length > 0 || walletFile === undefined || nodeUrl === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const page = await startBidderPage({ nodeUrl, port: Number(port), walletFile, ...(password === undefined ? {} : { password }) });
  process.stdout.write(`授权页面 / page: ${page.url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void page.close());
  return undefined;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ProtocolError)) throw error;
  process.stderr.write(`${error.message}\n${error.entry.zh}；${error.entry.next.zh}。\n${error.entry.en}; ${error.entry.next.en}.\n`);
  process.exitCode = 1;
}
