export { evidenceShape, type EndorsedTransaction, type Evidence } from './evidence-file.js';
export { fillForm, type FilledField, type FilledForm, type FormMap } from './fill-form.js';
export { HttpDoor } from './http-door.js';
export { MemberClient, type Ask, type AskTerms, type Consortium, type FoundRecord, type OpenedAccess, type OpenTerms, type RecordQuery } from './member-client.js';
export { es256Signer, generateMemberKeys, publicKeysOf, type MemberKeys } from './member-keys.js';
export { describeGrant, memoryPin, OwnerWallet, registrationBytes, renderGrant, type DomainPin, type GrantWords, type Rendering, type Words } from './owner-wallet.js';
export { readRelease, type Released, type ReadRecord } from './read-release.js';
export { readEvidence, verifyEvidence, type CheckResult, type EvidenceCheck, type EvidenceReport } from './verify-evidence.js';
// What the signatures above speak of, so that most programs need no second package.
export { errorBody, grantDigest, ProtocolError, purposes, referenceOf, type Domain, type Grant, type GrantEnvelope, type MemberState, type Purpose } from '@huilian/protocol';
