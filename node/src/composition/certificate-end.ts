import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { NodeConfig } from '../config/config.js';

/** When the certificate ends by which the ledger knows this node, Unix milliseconds; undefined where it cannot be read. */
export async function certificateEnd(ledger: NodeConfig['ledger']): Promise<number | undefined> {
  try {
    return new X509Certificate(await certificateOf(ledger)).validToDate.getTime();
  } catch {
    return undefined;
  }
}

async function certificateOf(ledger: NodeConfig['ledger']): Promise<string | Buffer> {
  if (ledger.client === 'gateway') {
    const { certPath } = JSON.parse(await readFile(ledger.connection, 'utf8')) as { certPath: string };
    return await readFile(path.resolve(path.dirname(ledger.connection), certPath));
  }
  const { credentials } = JSON.parse(await readFile(path.join(ledger.wallet, `${ledger.identity}.id`), 'utf8')) as { credentials: { certificate: string } };
  return credentials.certificate;
}
