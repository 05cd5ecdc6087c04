import type { contracts as Contracts } from '../src/index.js';

const events = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * The chaincode's contracts, from their sources. Loading fabric-contract-api adds process-wide crash listeners that would
 * hide a failing test; they are taken away again.
 */
export async function loadContracts(): Promise<typeof Contracts> {
  process.env['CORE_CHAINCODE_LOGGING_LEVEL'] ??= 'CRITICAL';
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  const { contracts } = await import('../src/index.js');
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[index]?.includes(listener)) process.removeListener(event, listener as () => void);
    }
  }
  return contracts;
}
