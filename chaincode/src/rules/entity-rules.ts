import {
  keyRotationEnvelopeShape,
  limits,
  ownerKeyInForce,
  parseCanonical,
  ProtocolError,
  recoveryObjectionEnvelopeShape,
  revocationEnvelopeShape,
  signedStatementShape,
  verifyOwnerStatement,
  verifyRevocationSignature,
  type JsonObject,
  type OwnerState,
  type SignedStatement,
} from '@huilian/protocol';
import { checkCertifiedStatement, type CertifiedStatement } from './certificates.js';
import { requireCallingCentre, requireCharter } from './membership.js';
import { recoverPublicKey } from './owner-signatures.js';
import { put, type Outcome, type RuleContext } from './rule.js';

/** The certificate chain travels as transient data, for it may name a person: canonical JSON array of base64 DER. @throws CERTIFICATE_INVALID */
export function readChain(transient: Uint8Array | undefined): readonly string[] {
  try {
    const chain = parseCanonical(transient ?? new Uint8Array());
    if (Array.isArray(chain) && chain.every((entry) => typeof entry === 'string')) return chain as readonly string[];
  } catch {
    // Falls through to the one refusal below.
  }
  throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'transient' });
}

async function certified(context: RuleContext, argument: JsonObject, chain: readonly string[]): Promise<{ signed: SignedStatement; proof: CertifiedStatement }> {
  const { domain } = await requireCharter(context);
  const signed = signedStatementShape.read(argument);
  const { expires, salt } = signed.statement;
  if (salt !== domain.salt) throw new ProtocolError('GRANT_WRONG_DOMAIN');
  if (expires <= context.time || expires > context.time + limits.statementTermSeconds) throw new ProtocolError('STATEMENT_EXPIRED');
  const proof = await checkCertifiedStatement(signed, chain, context.time, (fingerprint) => context.state.get('ca', fingerprint));
  return { signed, proof };
}

async function requireOwner({ state }: RuleContext, owner: string): Promise<OwnerState> {
  const found = await state.get('owner', owner);
  if (found === undefined) throw new ProtocolError('OWNER_UNKNOWN');
  return found;
}

/** @throws OWNER_EXISTS, STATEMENT_EXPIRED, GRANT_WRONG_DOMAIN and what checkCertifiedStatement throws */
export async function register(context: RuleContext, argument: JsonObject, chain: readonly string[]): Promise<Outcome> {
  const { signed, proof } = await certified(context, argument, chain);
  const { key, owner } = signed.statement;
  if ((await context.state.get('owner', owner)) !== undefined) throw new ProtocolError('OWNER_EXISTS');
  const payload = { key, owner };
  return {
    writes: [put('owner', [owner], { ...proof, key, owner, registeredAt: context.time, sequence: 1 })],
    event: { name: 'registerOwner', payload },
    response: payload,
  };
}

/** A new key, signed by the one in force; ends every grant of the old one. @throws OWNER_UNKNOWN, STATEMENT_BAD_SIGNATURE, STATEMENT_EXPIRED */
export async function rotateKey(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const envelope = keyRotationEnvelopeShape.read(argument);
  const { expires, newKey, owner: id } = envelope.rotation;
  const owner = await requireOwner(context, id);
  const signer = verifyOwnerStatement(envelope, 'KeyRotation', envelope.rotation, domain, recoverPublicKey);
  if (signer !== ownerKeyInForce(owner, context.time)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  if (expires <= context.time) throw new ProtocolError('STATEMENT_EXPIRED');
  if (newKey === signer) throw new ProtocolError('BAD_FIELD', { path: '/rotation/newKey', reason: 'unchanged' });
  return changedKey(context, owner, newKey, 'rotateOwnerKey');
}

function changedKey(_context: RuleContext, owner: OwnerState, key: string, name: 'rotateOwnerKey'): Outcome {
  const { recovery: _ended, ...rest } = owner;
  const payload = { key, owner: owner.owner, sequence: owner.sequence + 1 };
  return { writes: [put('owner', [owner.owner], { ...rest, key, sequence: owner.sequence + 1 })], event: { name, payload }, response: payload };
}

/**
 * A lost key: the same certified statement, brought by two centres; effective 72 hours after the second, unless the old
 * key objects. @throws OWNER_UNKNOWN, NOT_A_CENTRE, ALREADY_VOTED, RECOVERY_PENDING
 */
export async function recoverOwner(context: RuleContext, argument: JsonObject, chain: readonly string[]): Promise<Outcome> {
  const { signed, proof } = await certified(context, argument, chain);
  const { key, owner: id } = signed.statement;
  const centre = (await requireCallingCentre(context)).document.id;
  const owner = settled(await requireOwner(context, id), context.time);
  const before = owner.recovery;
  if (before !== undefined && before.effectiveAt > 0) throw new ProtocolError('RECOVERY_PENDING', { effectiveAt: before.effectiveAt });
  const approvals = before?.key === key ? before.approvals : [];
  if (approvals.includes(centre)) throw new ProtocolError('ALREADY_VOTED', { member: centre });
  const both = [...approvals, centre].sort();
  const recovery = { ...proof, approvals: both, effectiveAt: both.length < 2 ? 0 : context.time + limits.recoveryDelaySeconds, key };
  const payload = { approvals: both, effectiveAt: recovery.effectiveAt, key, owner: id };
  return { writes: [put('owner', [id], { ...owner, recovery })], event: { name: 'recoverOwner', payload }, response: payload };
}

/** An owner whose recovery has taken effect, written out as such. */
function settled(owner: OwnerState, time: number): OwnerState {
  const { recovery, ...rest } = owner;
  if (recovery === undefined || ownerKeyInForce(owner, time) === owner.key) return owner;
  return { ...rest, ca: recovery.ca, certificate: recovery.certificate, key: recovery.key, sequence: owner.sequence + 1 };
}

/** The old key ends a recovery that is not yet effective. @throws OWNER_UNKNOWN, RECOVERY_UNKNOWN, STATEMENT_BAD_SIGNATURE */
export async function objectRecovery(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const envelope = recoveryObjectionEnvelopeShape.read(argument);
  const { newKey, owner: id } = envelope.objection;
  const owner = await requireOwner(context, id);
  const { recovery, ...rest } = owner;
  const pending = recovery !== undefined && recovery.key === newKey && ownerKeyInForce(owner, context.time) === owner.key;
  if (!pending) throw new ProtocolError('RECOVERY_UNKNOWN');
  if (verifyOwnerStatement(envelope, 'RecoveryObjection', envelope.objection, domain, recoverPublicKey) !== owner.key) {
    throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  }
  const payload = { key: newKey, owner: id };
  return { writes: [put('owner', [id], rest)], event: { name: 'objectRecovery', payload }, response: payload };
}

/** Ends a grant: signed by the owner's key in force, brought by any member. The key is (owner, grant), so a stranger's revocation blocks nobody. @throws OWNER_UNKNOWN, REVOCATION_BAD_SIGNATURE */
export async function revokeGrant(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const envelope = revocationEnvelopeShape.read(argument);
  const { grant, owner: id } = envelope.revocation;
  const owner = await requireOwner(context, id);
  const { key } = verifyRevocationSignature(envelope, domain, recoverPublicKey);
  if (key !== ownerKeyInForce(owner, context.time)) throw new ProtocolError('REVOCATION_BAD_SIGNATURE');
  const payload = { grant, owner: id };
  const before = await context.state.get('revocation', id, grant);
  // Revoked twice stays revoked since the first time.
  const writes = before === undefined ? [put('revocation', [id, grant], { revokedAt: context.time })] : [];
  return { writes, event: { name: 'revokeGrant', payload }, response: { ...payload, revokedAt: before?.revokedAt ?? context.time } };
}
