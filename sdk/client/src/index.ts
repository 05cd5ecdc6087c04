export { evidenceShape, type EndorsedTransaction, type Evidence } from './evidence-file.js';
export { fillForm, type FilledField, type FilledForm, type FormMap } from './fill-form.js';
export { HttpDoor } from './http-door.js';
export { MemberClient, type Ask, type AskTerms, type Consortium, type FoundRecord, type OpenedAccess, type OpenTerms, type RecordQuery } from './member-client.js';
export { es256Signer, generateMemberKeys, publicKeysOf, type MemberKeys } from './member-keys.js';
export { memoryPin, OwnerWallet, registrationBytes, renderGrant, type DomainPin, type Rendering } from './owner-wallet.js';
export { readRelease, type Released, type ReadRecord } from './read-release.js';
export { readEvidence, verifyEvidence, type CheckResult, type EvidenceCheck, type EvidenceReport } from './verify-evidence.js';
