export { evidenceShape, readEvidence, type EndorsedTransaction, type Evidence } from './evidence-file.js';
export { fillForm, type FilledField, type FilledForm, type FormMap } from './fill-form.js';
export { errorOf, HttpDoor, type Authorise, type CallOptions, type DoorOptions, type Repeat } from './http-door.js';
export { checkAnswer, grantFor, type Ask, type AskTerms } from './check-grant.js';
export { checkConsortium, type Consortium } from './consortium.js';
export { type SubscribeOptions } from './event-stream.js';
export { MemberClient, type ClientOptions, type EventPage, type Webhook, type WebhookTerms, type FoundRecord, type PlacedRecord, type RecordPage, type RecordQuery, type ReleaseFile, type WaitOptions } from './member-client.js';
export { buildRequest, checkTicket, type OpenedAccess, type OpenTerms, type RequestingReader } from './open-request.js';
export { verifyAcknowledgement, type Acknowledgement, type PublishAnswer, type SubmittedRecord } from './publish-stream.js';
export { es256Signer, generateMemberKeys, publicKeysOf, signMemberRotation, type MemberKeys } from './member-keys.js';
export { OwnerClient, type ShownAsk } from './owner-client.js';
export { memoryPin, OwnerWallet, type DomainPin } from './owner-wallet.js';
export { registrationBytes, signRegistration } from './registration.js';
export { describeGrant, renderGrant, renderStatement, type ClaimWords, type GrantWords, type MemberNames, type Rendering, type Words } from './wallet-words.js';
export { readRelease, type Released, type ReadRecord } from './read-release.js';
export { EvidenceVerifier, verifyEvidence, type CheckResult, type EvidenceCheck, type EvidenceReport, type EvidenceTrust } from './verify-evidence.js';
export { verifyWebhook, type WebhookCheckOptions } from './verify-webhook.js';
// What the signatures above speak of, so that most programs need no second package.
export { bundledKinds, describeClaim, errorBody, grantDigest, isErrorCode, ProtocolError, purposes, referenceOf, type ConsortiumEvent, type Domain, type EventData, type EventFilter, type EventType, type Grant, type GrantEnvelope, type MemberState, type Purpose, type Refusal, type Trail, type TrailEntry } from '@huilian/protocol';
