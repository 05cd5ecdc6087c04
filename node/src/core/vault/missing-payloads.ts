import type { ReadModel } from '../indexing/read-model.js';
import type { Vault } from './vault.js';

export interface MissingPayload {
  readonly recordId: string;
  readonly version: number;
  /** Unix seconds. */
  readonly publishedAt: number;
}

const pageOfRecords = 500;

/**
 * Records of this publisher whose content it does not have, though it published them: those that came after the backup
 * it was restored from. No offer is made for them; importing them again publishes their next version. A page may be short.
 */
export async function missingPayloads(readModel: ReadModel, vault: Vault, publisher: string, from?: string): Promise<{ readonly items: readonly MissingPayload[]; readonly cursor?: string }> {
  const items: MissingPayload[] = [];
  let cursor = from;
  do {
    const page = await readModel.records({ publisher, limit: pageOfRecords, ...(cursor === undefined ? {} : { cursor }) });
    ({ cursor } = page);
    for (const { header, publishedAt, recordId } of page.items) {
      if (header.status === 'active' && !vault.isKnown(recordId, header.version)) items.push({ recordId, version: header.version, publishedAt });
    }
  } while (items.length === 0 && cursor !== undefined);
  return { items, ...(cursor === undefined ? {} : { cursor }) };
}
