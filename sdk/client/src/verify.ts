/**
 * `@huilian/sdk/verify`: offline verification of evidence and nothing else, for pages of courts, auditors and banks that
 * never speak to a node. No network client, no wallet, no gRPC; the charter's fingerprint is all it trusts.
 */
export { readEvidence, type EndorsedTransaction, type Evidence } from './evidence-file.js';
export { EvidenceVerifier, verifyEvidence, type CheckResult, type EvidenceCheck, type EvidenceReport, type EvidenceTrust } from './verify-evidence.js';
export { errorBody, ProtocolError, type ErrorBody, type ErrorCode } from '@huilian/protocol';
