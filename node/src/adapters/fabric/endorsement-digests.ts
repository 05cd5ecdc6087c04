import { createHash } from 'node:crypto';
import { GatewayError, type Gateway, type Proposal } from '@hyperledger/fabric-gateway';
import { gateway as messages } from '@hyperledger/fabric-protos';
import { ProtocolError } from '@huilian/protocol';

const differing = /ProposalResponsePayloads do not match/;
const shown = 16;

/** SHA-256 of what one organisation answers to a call, as an operator compares it with another's. */
export function outcomeDigest(organisation: string, payload: Uint8Array): string {
  return `${organisation}=${createHash('sha256').update(payload).digest('hex').slice(0, shown)}`;
}

/** @param digests `organisation=digest`, one for each that was asked */
export function endorsementsDiffer(digests: readonly string[]): ProtocolError {
  return new ProtocolError('LEDGER_UNAVAILABLE', { digests: [...digests].sort().join(' '), reason: 'endorsements-differ' });
}

/**
 * A gateway says that organisations answered one call differently, and not what each answered. So each is asked for itself,
 * with the same proposal; nothing is ordered. Undefined for any other error.
 */
export async function explainDifference(error: unknown, gateway: Gateway, own: string, proposal: Proposal): Promise<ProtocolError | undefined> {
  if (!(error instanceof GatewayError)) return undefined;
  const others = error.details.filter(({ message }) => differing.test(message)).map(({ mspId }) => mspId);
  if (others.length === 0) return undefined;
  const digests = await Promise.all([...new Set([own, ...others])].map(async (organisation) => await digestOf(gateway, proposal, organisation).catch(() => `${organisation}=no-answer`)));
  return endorsementsDiffer(digests);
}

async function digestOf(gateway: Gateway, proposal: Proposal, organisation: string): Promise<string> {
  const proposed = messages.ProposedTransaction.deserializeBinary(proposal.getBytes());
  proposed.setEndorsingOrganizationsList([organisation]);
  const signature = proposed.getProposal()?.getSignature_asU8() ?? new Uint8Array();
  const endorsed = await gateway.newSignedProposal(proposed.serializeBinary(), signature).endorse();
  const { parseEnvelope } = await import('@huilian/embedded-ledger');
  const envelope = messages.PreparedTransaction.deserializeBinary(endorsed.getBytes()).getEnvelope();
  return outcomeDigest(organisation, parseEnvelope(envelope?.serializeBinary() ?? new Uint8Array(), 0, 'NOT_VALIDATED').proposalResponsePayload);
}
