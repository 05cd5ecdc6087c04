import { GatewayError } from '@hyperledger/fabric-gateway';
import { parseErrorMessage, ProtocolError } from '@huilian/protocol';

/** What a peer says of a creator that has expired, is unknown or may not write. */
const refusedIdentity = /access denied|identity expired|creator/i;

/** What a peer says of a proposal whose time lies outside its own window; told first, for some say it as an access denied. */
const refusedTime = /timestamp/i;

/** What an error of each phase means; see the Ledger port. */
export function endorsingError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (!(error instanceof GatewayError)) return unavailable(error);
  for (const { message } of error.details) {
    const found = contractError(message);
    if (found !== undefined) return found;
    if (refusedTime.test(message)) return new ProtocolError('LEDGER_UNAVAILABLE', { grpc: error.code, reason: 'clock-apart' });
    // Waiting helps nobody here: the certificate must be renewed, or the right one be configured.
    if (refusedIdentity.test(message)) return new ProtocolError('LEDGER_UNAVAILABLE', { grpc: error.code, reason: 'identity-refused' });
  }
  return unavailable(error);
}

/** Handed to ordering or asked for its outcome, and then no clear answer. */
export function unknownOutcome(error: unknown, transactionId: string): ProtocolError {
  return new ProtocolError('OUTCOME_UNKNOWN', { transactionId, ...(error instanceof GatewayError ? { grpc: error.code } : {}) });
}

export function unavailable(error: unknown): ProtocolError {
  return new ProtocolError('LEDGER_UNAVAILABLE', error instanceof GatewayError ? { grpc: error.code } : {});
}

/**
 * The contract's own refusal. A peer's message may contain words that look like codes (`INTERNAL`, `NOT_FOUND` are gRPC
 * statuses too), so only codes that the protocol or a contract gives are taken for one.
 */
function contractError(message: string): ProtocolError | undefined {
  return parseErrorMessage(message, ['ledger', 'protocol']);
}

/** The error a committed transaction's validation code stands for; undefined for VALID. */
export function commitError(code: string, transactionId: string): ProtocolError | undefined {
  if (code === 'VALID') return undefined;
  const conflict = code === 'MVCC_READ_CONFLICT' || code === 'PHANTOM_READ_CONFLICT';
  return new ProtocolError(conflict ? 'LEDGER_CONFLICT' : 'LEDGER_REJECTED', { code, transactionId });
}
