import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startLedger } from '@huilian/embedded-ledger';
import { root } from '../consortium.js';

// The embedded ledger as `huilian ledger start` runs it, with the plain ways' chaincode beside `huilian`: started by embedded-consortium.ts.

const [dir = '', ...organisations] = process.argv.slice(2);

/** Nodes keep the address they know. */
function lastPort(): number {
  const file = path.join(dir, 'connections', `${organisations[0] ?? ''}.json`);
  if (!existsSync(file)) return 0;
  const { endpoint } = JSON.parse(readFileSync(file, 'utf8')) as { endpoint: string };
  return Number(endpoint.split(':').at(-1));
}

const ledger = await startLedger({
  dir,
  channel: 'huilian',
  chaincodes: { huilian: { module: path.join(root, 'chaincode', 'dist', 'index.js') }, baseline: { module: path.join(root, 'scripts', 'bench', 'chaincode') } },
  organisations: organisations.map((mspId) => ({ mspId, name: mspId })),
  listen: { host: '127.0.0.1', port: lastPort() },
});
const stop = (): void => {
  void ledger.close().then(() => {
    process.disconnect();
  });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
process.send?.('serving');
