import { canonicalize, ownerKeyInForce, ProtocolError, readGrantEnvelope, verifyGrantSignature, type Domain, type Grant, type GrantEnvelope, type OwnerState, type Purpose } from '@huilian/protocol';

/** What a reader asks an owner to grant. Claims are `kind/claim`; times Unix seconds. */
export interface AskTerms {
  readonly owner: string;
  readonly claims: readonly string[];
  readonly purpose: Purpose;
  /** Commitment to a project or bid code (`referenceOf`). */
  readonly reference: string;
  readonly notBefore: number;
  readonly expires: number;
  readonly maxUses: number;
  /** A line for the owner to read; it is not signed. */
  readonly note?: string;
}

/** An ask as a node keeps it, 30 days at most. Times Unix seconds. */
export interface Ask extends AskTerms {
  /** 128 random bits: whoever knows it may see and answer the ask. */
  readonly id: string;
  readonly grantee: string;
  readonly askedAt: number;
  /** Absent until the owner answered. */
  readonly grant?: GrantEnvelope;
}

/** The grant that answers an ask exactly; only its nonce is the signer's own. */
export function grantFor(ask: Ask, nonce: string): Grant {
  const { claims, expires, grantee, maxUses, notBefore, owner, purpose, reference } = ask;
  return { claims, expires, grantee, maxUses, nonce, notBefore, owner, purpose, reference };
}

/**
 * Checks what came back for an ask: exactly its terms, for this domain, signed by the owner's key in force.
 * @throws GRANT_BAD_SIGNATURE, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, GRANT_SUITE_UNSUPPORTED, BAD_FIELD, UNKNOWN_FIELD
 */
export function checkAnswer(ask: Ask, domain: Domain, owner: OwnerState, now: number): GrantEnvelope {
  const envelope = readGrantEnvelope(ask.grant);
  const { key } = verifyGrantSignature(envelope, domain);
  if (key !== ownerKeyInForce(owner, now)) throw new ProtocolError('GRANT_BAD_SIGNATURE', { reason: 'key' });
  if (canonicalize(envelope.grant) !== canonicalize(grantFor(ask, envelope.grant.nonce))) throw new ProtocolError('BAD_FIELD', { path: '/grant', reason: 'not-what-was-asked' });
  return envelope;
}
