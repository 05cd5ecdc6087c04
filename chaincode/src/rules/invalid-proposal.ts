import { ProtocolError } from '@huilian/protocol';

/** @throws PROPOSAL_INVALID {reason} */
export function invalid(reason: string): never {
  throw new ProtocolError('PROPOSAL_INVALID', { reason });
}
