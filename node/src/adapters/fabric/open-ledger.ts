import type { Ledger } from '../../core/ports.js';
import { GatewayLedger } from './gateway-ledger.js';

/** Which client speaks to the ledger, and what it needs; see `ledger` of huilian.json. */
export type LedgerClientConfig =
  | { readonly client: 'gateway'; readonly connection: string; readonly chaincode: string }
  | { readonly client: 'network'; readonly profile: string; readonly wallet: string; readonly identity: string; readonly channel: string; readonly chaincode: string };

/**
 * Opens the configured client; it connects when it is first used. The older one is loaded only where it is configured.
 * @throws CONFIG_INVALID {file, reason}
 */
export async function openLedger(config: LedgerClientConfig): Promise<Ledger> {
  if (config.client === 'gateway') return await GatewayLedger.open(config.connection, config.chaincode);
  const { NetworkLedger } = await import('./network-ledger.js');
  return await NetworkLedger.open(config, config.chaincode);
}
