import { invalidAccess, validAccess } from './access-cases.js';
import { invalidEntities, validEntities } from './entities-cases.js';
import { invalidGovernance, validGovernance } from './governance-cases.js';
import type { LedgerCase } from './ledger-case.js';
import { invalidRecords, validRecords } from './records-cases.js';

export interface LedgerItem {
  readonly item: string;
  readonly about: string;
  readonly valid: readonly LedgerCase[];
  readonly invalid: readonly LedgerCase[];
}

export const ledgerItems: readonly LedgerItem[] = [
  { item: 'ledger-governance', about: 'Founding, members, proposals and votes, rotation of member keys', valid: validGovernance, invalid: invalidGovernance },
  { item: 'ledger-entities', about: 'Registration, rotation and recovery of owner keys', valid: validEntities, invalid: invalidEntities },
  { item: 'ledger-records', about: 'Publication and exposure of record headers', valid: validRecords, invalid: invalidRecords },
  { item: 'ledger-access', about: 'Tickets, receipts, refusals, disputes, revocations, policies', valid: validAccess, invalid: invalidAccess },
];
