export { startLedger, type Ledger, type LedgerOptions, type LogLevel } from './start-ledger.js';
export type { ChaincodeSource, ContractClass } from './chaincode-host.js';
export type { EndorsementRule } from './config-block.js';
export type { BatchLimits } from './chain.js';
export type { KeyPair, Role } from './certificates.js';
export { issueIdentity, type ConnectionFile, type IdentityRequest, type IssuedIdentity, type LedgerOrganisation, type LedgerUser } from './state-folder.js';
export {
  blockHeaderBytes,
  parseBlock,
  parseEnvelope,
  type BlockEndorsement,
  type BlockEvent,
  type BlockIdentity,
  type ParsedBlock,
  type ParsedTransaction,
  type TransactionType,
} from './block-reader.js';
export type { NamespaceReadWrites, RangeRead, StateRead, StateWrite, Version } from './read-write-set.js';
export { VALIDATION_CODES, type ValidationCode } from './validation-code.js';
export { MalformedMessageError } from './wire.js';
