import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import { openLedger, type LedgerClientConfig } from '../src/adapters/fabric/open-ledger.js';
import { startConsortium } from './ledger-fixture.js';
import { ledgerPortSuite } from './ledger-port/port-suite.js';

const clients: Readonly<Record<LedgerClientConfig['client'], (files: string) => LedgerClientConfig>> = {
  gateway: (files) => ({ chaincode: 'huilian', client: 'gateway', connection: path.join(files, 'connections', 'RiverMSP.json') }),
  network: (files) => ({ chaincode: 'huilian', channel: 'huilian', client: 'network', identity: 'user', profile: path.join(files, 'connections', 'RiverMSP-profile.json'), wallet: path.join(files, 'wallets', 'RiverMSP') }),
};

for (const client of ['gateway', 'network'] as const) ledgerPortSuite(`the ${client} client on the embedded ledger`, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huilian-port-'));
  const consortium = await startConsortium(folder);
  const ledger = await openLedger(clients[client](path.dirname(path.dirname(consortium.connectionFile('river')))));
  return {
    ledger,
    publisher: 'river',
    organisation: 'RiverMSP',
    majority: 2,
    away: async () => {
      await consortium.ledger.close();
    },
    back: async () => {
      await consortium.restart();
    },
    close: async () => {
      await ledger.close();
      await consortium.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test('a connection file that is none is refused with its name', async () => {
  await expect(GatewayLedger.open(path.join(tmpdir(), 'none.json'), 'huilian')).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'file-missing' } });
});
