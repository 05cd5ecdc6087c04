import { anyObject, askedPurposeShape, boolean, bytes32Shape, claimNameShape, digestShape, fieldMapShape, integer, limits, list, object, optional, ownerIdShape, prose, qualifiedClaimShape, recordIdShape, text, ticketIdShape, timeShape } from '@huilian/protocol';

const askIdShape = text(/[a-z2-7]{26}/, 26);

/** What to ask an owner for: claims are `kind/claim`; times Unix seconds. `project` stays here, only its salted digest leaves. */
export const askBodyShape = object({
  claims: list(qualifiedClaimShape, 1, limits.grantClaims),
  expires: optional(timeShape),
  maxUses: optional(integer(1, limits.grantMaxUses)),
  notBefore: optional(timeShape),
  note: optional(prose(200)),
  owner: ownerIdShape,
  project: optional(prose(200)),
  purpose: askedPurposeShape,
  reference: optional(bytes32Shape),
  validDays: optional(integer(1, 366)),
});

/** Which records to open, claims without their kind; by the grant that answered an ask, a grant itself, or a policy's digest. */
export const ticketBodyShape = object({
  ask: optional(askIdShape),
  claims: list(claimNameShape, 1, limits.requestClaims),
  grant: optional(anyObject()),
  policy: optional(digestShape),
  purpose: askedPurposeShape,
  recordIds: list(recordIdShape, 1, limits.requestRecords),
});

/** A form to be filled from what tickets release, by a field map (docs/protocol/owner-view.md). */
export const prefillBodyShape = object({ map: fieldMapShape, owner: ownerIdShape, tickets: list(ticketIdShape, 1, 64) });

export const readBodyShape = object({ receipt: optional(boolean()) });

/** An evidence file as it was kept; without `charter` the fingerprint this sidecar was started with. */
export const verifyBodyShape = object({
  charter: optional(digestShape),
  evidence: anyObject(),
  presentations: optional(list(text(/[A-Za-z0-9_~.-]+/, 4 * limits.recordBytes), 1, limits.requestRecords)),
});
