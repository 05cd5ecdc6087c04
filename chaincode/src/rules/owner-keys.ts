import {
  keyRotationEnvelopeShape,
  ownerKeyInForce,
  ProtocolError,
  signedStatementShape,
  verifyOwnerStatement,
  type JsonObject,
  type OwnerState,
  type SignedStatement,
} from '@huilian/protocol';
import { checkCertifiedStatement, type CertifiedBy } from '../certificates/trusted-certificates.js';
import { requireAnyMember, requireCharter } from './membership.js';
import { recoverPublicKey } from './owner-signatures.js';
import { put, type Outcome, type RuleContext } from './rule.js';
import { checkStatementTerm } from './statement-term.js';

/** A signed statement with the certificate chain that came beside it as transient data (base64 DER, leaf first). */
export interface CertifiedCommand {
  readonly argument: JsonObject;
  readonly chain: readonly string[];
}

/** @throws GRANT_WRONG_DOMAIN, STATEMENT_EXPIRED, BAD_FIELD, and what checkCertifiedStatement throws */
export async function readCertified(context: RuleContext, signed: SignedStatement, chain: readonly string[]): Promise<CertifiedBy> {
  const { domain } = await requireCharter(context);
  const { expires, salt } = signed.statement;
  if (salt !== domain.salt) throw new ProtocolError('GRANT_WRONG_DOMAIN');
  checkStatementTerm(expires, context.time);
  return await checkCertifiedStatement(signed, chain, context.time, {
    byFingerprint: (fingerprint) => context.state.get('ca', fingerprint),
    fingerprints: async () => (await context.state.get('trustList'))?.fingerprints ?? [],
  });
}

/** The owner's state at a time: a recovery that took effect by time alone is written out as such. @throws OWNER_UNKNOWN */
export async function requireOwner({ state, time }: RuleContext, id: string): Promise<OwnerState> {
  const owner = await state.get('owner', id);
  if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
  const { recovery, ...rest } = owner;
  if (recovery === undefined || recovery.effectiveAt === 0 || recovery.effectiveAt > time) return owner;
  return { ...rest, ca: recovery.ca, certificate: recovery.certificate, key: recovery.key, sequence: owner.sequence + 1 };
}

/** @throws NOT_FOUNDED, FORBIDDEN, OWNER_EXISTS, GRANT_WRONG_DOMAIN, STATEMENT_EXPIRED, and what checkCertifiedStatement throws */
export async function registerOwner(context: RuleContext, { argument, chain }: CertifiedCommand): Promise<Outcome> {
  await requireCharter(context);
  const signed = signedStatementShape.read(argument);
  await requireAnyMember(context);
  const { key, owner } = signed.statement;
  if ((await context.state.get('owner', owner)) !== undefined) throw new ProtocolError('OWNER_EXISTS');
  const certified = await readCertified(context, signed, chain);
  const state: OwnerState = { ...certified, key, owner, registeredAt: context.time, sequence: 1 };
  const payload = { key, owner, sequence: 1 };
  return { writes: [put('owner', [owner], state)], event: { name: 'registerOwner', payload }, response: payload };
}

/**
 * A new key signed by the one in force; it ends every grant of the old one. Not while a recovery waits: whoever holds the
 * old key objects to that first.
 * @throws NOT_FOUNDED, FORBIDDEN, OWNER_UNKNOWN, RECOVERY_PENDING, STATEMENT_EXPIRED, GRANT_WRONG_DOMAIN, GRANT_SUITE_UNSUPPORTED, GRANT_NONCANONICAL_SIG, STATEMENT_BAD_SIGNATURE, BAD_FIELD
 */
export async function rotateOwnerKey(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const envelope = keyRotationEnvelopeShape.read(argument);
  await requireAnyMember(context);
  const { expires, newKey, owner: id } = envelope.rotation;
  const owner = await requireOwner(context, id);
  if (owner.recovery !== undefined && owner.recovery.effectiveAt > 0) throw new ProtocolError('RECOVERY_PENDING', { effectiveAt: owner.recovery.effectiveAt });
  checkStatementTerm(expires, context.time);
  const signer = verifyOwnerStatement(envelope, 'KeyRotation', envelope.rotation, domain, recoverPublicKey);
  if (signer !== ownerKeyInForce(owner, context.time)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  if (newKey === signer) throw new ProtocolError('BAD_FIELD', { path: '/rotation/newKey', reason: 'unchanged' });
  const { recovery: _begun, ...rest } = owner;
  const payload = { key: newKey, owner: id, sequence: owner.sequence + 1 };
  return {
    writes: [put('owner', [id], { ...rest, key: newKey, sequence: payload.sequence })],
    event: { name: 'rotateOwnerKey', payload },
    response: payload,
  };
}
