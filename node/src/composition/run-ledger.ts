import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startLedger } from '@huilian/embedded-ledger';
import type { LedgerRunOptions } from '../adapters/cli/process-actions.js';
import { announceReady } from './local/managed-process.js';
import { runUntilStopped } from './run-until-stopped.js';

/** Runs the embedded ledger for a contract module, the way a peer would load it, until it is told to stop. */
export async function runLedger(options: LedgerRunOptions): Promise<void> {
  const ledger = await startLedger({
    dir: options.dir,
    channel: options.channel,
    chaincodes: { [options.chaincode]: { module: path.resolve(options.contract) } },
    organisations: options.organisations.map((mspId) => ({ mspId, name: mspId })),
    listen: { host: '127.0.0.1', port: options.port === 0 ? lastPort(options) : options.port },
    log: (level, message, fields) => {
      process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
    },
  });
  const connections = options.organisations.map((mspId) => ledger.connectionFile(mspId));
  process.stderr.write(
    `embedded ledger on ${ledger.address}: for development, tests, demonstrations and single-site pilots; production runs on Hyperledger Fabric / 内嵌账本仅用于开发、测试、演示和单点试点\n` +
      connections.map((file) => `  ${file}\n`).join(''),
  );
  announceReady({ address: ledger.address });
  await runUntilStopped(async () => {
    await ledger.close();
  });
}

/** The port of the last run on this folder: nodes keep the address they know, so a restarted ledger must be found there again. */
function lastPort({ dir, organisations }: LedgerRunOptions): number {
  const file = path.join(dir, 'connections', `${organisations[0] ?? ''}.json`);
  if (!existsSync(file)) return 0;
  const { endpoint } = JSON.parse(readFileSync(file, 'utf8')) as { endpoint: string };
  return Number(endpoint.split(':').at(-1));
}
