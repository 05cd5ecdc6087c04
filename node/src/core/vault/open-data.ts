import { readDisclosure, type JsonObject } from '@huilian/protocol';
import type { Vault } from './vault.js';

/** The data of a version as it was accepted: every claim it has. @throws PAYLOAD_MISSING, ERASED, VAULT_CORRUPT */
export function openData(vault: Vault, recordId: string, version: number): JsonObject {
  return Object.fromEntries(Object.values(vault.open(recordId, version).disclosures).map((disclosure) => readDisclosure(disclosure)));
}
