import {
  limits,
  ProtocolError,
  recoveryObjectionEnvelopeShape,
  signedStatementShape,
  verifyOwnerStatement,
  type JsonObject,
  type OwnerRecovery,
} from '@huilian/protocol';
import type { CertifiedBy } from '../certificates/trusted-certificates.js';
import { electorateOf, requireAnyMember, requireCallingCentre, requireCharter } from './membership.js';
import { readCertified, requireOwner, type CertifiedCommand } from './owner-keys.js';
import { recoverPublicKey } from './owner-signatures.js';
import { put, type Outcome, type RuleContext } from './rule.js';

const approvalsNeeded = 2;

/**
 * A lost key: one certified statement brought by two active centres; effective 72 hours after the second, unless the old
 * key objects. Until the second centre approved, another statement starts anew: the owner may have lost that key too.
 * @throws NOT_FOUNDED, NOT_A_CENTRE, OWNER_UNKNOWN, RECOVERY_PENDING, ALREADY_VOTED, BAD_FIELD, and what registration throws of statement and certificate
 */
export async function recoverOwner(context: RuleContext, { argument, chain }: CertifiedCommand): Promise<Outcome> {
  await requireCharter(context);
  const signed = signedStatementShape.read(argument);
  const centre = (await requireCallingCentre(context)).document.id;
  const { key, owner: id } = signed.statement;
  const owner = await requireOwner(context, id);
  const before = owner.recovery;
  if (before !== undefined && before.effectiveAt > 0) throw new ProtocolError('RECOVERY_PENDING', { effectiveAt: before.effectiveAt });
  if (key === owner.key) throw new ProtocolError('BAD_FIELD', { path: '/statement/key', reason: 'unchanged' });
  const certified = await readCertified(context, signed, chain);
  const earlier = await earlierApprovals(context, before, certified, key);
  if (earlier.includes(centre)) throw new ProtocolError('ALREADY_VOTED', { member: centre });
  const approvals = [...earlier, centre].sort();
  const effectiveAt = approvals.length < approvalsNeeded ? 0 : context.time + limits.recoveryDelaySeconds;
  const recovery: OwnerRecovery = { ...certified, approvals, effectiveAt, key };
  const payload = { approvals, effectiveAt, key, owner: id };
  return { writes: [put('owner', [id], { ...owner, recovery })], event: { name: 'recoverOwner', payload }, response: payload };
}

/** Approvals of the same key by the same certificate, from centres that are still active. */
async function earlierApprovals(context: RuleContext, before: OwnerRecovery | undefined, { certificate }: CertifiedBy, key: string): Promise<string[]> {
  if (before === undefined || before.key !== key || before.certificate !== certificate) return [];
  const centres = await electorateOf(context);
  return before.approvals.filter((centre) => centres.includes(centre));
}

/** The old key ends a recovery that is not yet effective. @throws NOT_FOUNDED, FORBIDDEN, OWNER_UNKNOWN, RECOVERY_UNKNOWN, GRANT_WRONG_DOMAIN, GRANT_SUITE_UNSUPPORTED, GRANT_NONCANONICAL_SIG, STATEMENT_BAD_SIGNATURE */
export async function objectRecovery(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const envelope = recoveryObjectionEnvelopeShape.read(argument);
  await requireAnyMember(context);
  const { newKey, owner: id } = envelope.objection;
  const { recovery, ...owner } = await requireOwner(context, id);
  if (recovery?.key !== newKey) throw new ProtocolError('RECOVERY_UNKNOWN');
  const signer = verifyOwnerStatement(envelope, 'RecoveryObjection', envelope.objection, domain, recoverPublicKey);
  if (signer !== owner.key) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  const payload = { key: newKey, owner: id };
  return { writes: [put('owner', [id], owner)], event: { name: 'objectRecovery', payload }, response: payload };
}
