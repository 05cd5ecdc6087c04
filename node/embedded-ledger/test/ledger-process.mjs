// A ledger in a process of its own, for tests that kill it. Run from the build: node ledger-process.mjs <dir>
import { fileURLToPath } from 'node:url';
import { startLedger } from '../dist/index.js';

const [dir] = process.argv.slice(2);
const ledger = await startLedger({
  dir,
  chaincodes: { notes: { module: fileURLToPath(new URL('counter', import.meta.url)) } },
  organisations: [
    { mspId: 'RiverMSP', name: 'River (invented)' },
    { mspId: 'HillMSP', name: 'Hill (invented)' },
  ],
  batch: { timeoutMs: 5 },
});
const crashHandlers = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
process.stdout.write(`${JSON.stringify({ connectionFile: ledger.connectionFile('RiverMSP'), crashHandlers })}\n`);
