import { limits, ProtocolError } from '@huilian/protocol';

/** A statement that changes keys is short-lived: not expired, and not signed for longer than a day ahead. @throws STATEMENT_EXPIRED, BAD_FIELD */
export function checkStatementTerm(expires: number, time: number): void {
  if (expires <= time) throw new ProtocolError('STATEMENT_EXPIRED', { expires });
  if (expires > time + limits.statementTermSeconds) throw new ProtocolError('BAD_FIELD', { path: '/expires', reason: 'term' });
}
