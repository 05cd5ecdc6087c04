import { checkRecipient, ownerKeyInForce, ProtocolError, type AccessRequest, type Domain, type Grant, type GrantEnvelope } from '@huilian/protocol';
import { verifiedGrant } from './owner-signatures.js';
import type { KeyParts, RuleContext } from './rule.js';

/** Why a request may be opened, and until when. */
export interface Permission {
  /** Unix seconds at which grant or policy end. */
  readonly ends: number;
  /** Owner id, or empty where a policy permits. */
  readonly owner: string;
  /** The use of a grant this takes. */
  readonly slot?: { readonly id: string; readonly number: number; readonly parts: KeyParts };
}

export interface GrantUse {
  readonly envelope: GrantEnvelope;
  /** Owner of the records. */
  readonly owner: string;
  /** The number the calling node proposes. */
  readonly proposedSlot: number | undefined;
  readonly request: AccessRequest;
  /** Slots taken earlier in the pack, by id. */
  readonly takenSlots: ReadonlySet<string>;
}

/**
 * The owner's grant: signed by the owner's key in force, for this reader, purpose, claims and time, not revoked, with a
 * use left. The revocation and slot keys are read where they are absent too.
 * @throws GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, GRANT_BAD_SIGNATURE, GRANT_REQUIRED,
 * OWNER_UNKNOWN, GRANT_NOT_OWNER, GRANT_WRONG_GRANTEE, GRANT_WRONG_PURPOSE, GRANT_CLAIM_NOT_COVERED,
 * ENCRYPTION_KEY_MISMATCH, GRANT_NOT_YET_VALID, GRANT_EXPIRED, GRANT_REVOKED, BAD_FIELD, GRANT_EXHAUSTED, SLOT_TAKEN
 */
export async function permissionByGrant(context: RuleContext, domain: Domain, use: GrantUse): Promise<Permission> {
  const { grant } = use.envelope;
  const { digest, key } = verifiedGrant(use.envelope, domain);
  if (use.request.basis.digest !== digest) throw new ProtocolError('GRANT_REQUIRED', { reason: 'other-grant' });
  const owner = await context.state.get('owner', grant.owner);
  if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
  if (key !== ownerKeyInForce(owner, context.time)) throw new ProtocolError('GRANT_BAD_SIGNATURE');
  if (grant.owner !== use.owner) throw new ProtocolError('GRANT_NOT_OWNER');
  checkTerms(grant, use.request);
  checkRecipient(use.request, grant);
  checkTime(grant, context.time);
  if ((await context.state.get('revocation', grant.owner, digest)) !== undefined) throw new ProtocolError('GRANT_REVOKED');
  return { ends: grant.expires, owner: grant.owner, slot: await takeSlot(context, use, digest) };
}

function checkTerms(grant: Grant, { claims, headers, purpose, reader }: AccessRequest): void {
  if (grant.grantee !== reader) throw new ProtocolError('GRANT_WRONG_GRANTEE');
  if (grant.purpose !== purpose) throw new ProtocolError('GRANT_WRONG_PURPOSE');
  const covered = new Set(grant.claims);
  for (const kind of new Set(headers.map(({ header }) => header.kind))) {
    for (const claim of claims) {
      if (!covered.has(`${kind}/${claim}`)) throw new ProtocolError('GRANT_CLAIM_NOT_COVERED', { claim: `${kind}/${claim}` });
    }
  }
}

function checkTime(grant: Grant, time: number): void {
  if (time < grant.notBefore) throw new ProtocolError('GRANT_NOT_YET_VALID', { notBefore: grant.notBefore });
  if (time >= grant.expires) throw new ProtocolError('GRANT_EXPIRED', { expires: grant.expires });
}

/** One key per use: two uses of one number conflict, whatever order they come in. Numbers run from 1 to maxUses. */
async function takeSlot({ state }: RuleContext, { envelope, proposedSlot, takenSlots }: GrantUse, digest: string): Promise<Permission['slot']> {
  const { maxUses, owner } = envelope.grant;
  if (proposedSlot === undefined) throw new ProtocolError('BAD_FIELD', { path: '/slot', reason: 'missing' });
  if (proposedSlot > maxUses) throw new ProtocolError('GRANT_EXHAUSTED', { maxUses });
  const parts = [owner, digest, proposedSlot];
  const id = parts.join('/');
  if (takenSlots.has(id) || (await state.get('slot', ...parts)) !== undefined) throw new ProtocolError('SLOT_TAKEN', { slot: proposedSlot });
  return { id, number: proposedSlot, parts };
}
