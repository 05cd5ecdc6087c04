import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import { startConsortium } from './ledger-fixture.js';
import { ledgerPortSuite } from './ledger-port/port-suite.js';

ledgerPortSuite('the gateway client on the embedded ledger', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'huilian-port-'));
  const consortium = await startConsortium(folder);
  const ledger = await GatewayLedger.open(consortium.connectionFile('river'), 'huilian');
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
