import { ProtocolError } from '@huilian/protocol';

/** Classes and codes of SQLSTATE that pass by themselves: connections, resources, shutdowns, locks, a standby. */
const passing = /^(?:08|53|40|57P|57014|55P03|25006|XX)/;
/** What an administrator of the database changes: sign-in, a database or rights that are not there. */
const denied = /^(?:28|3D|42501)/;

/** What a database said, without its words: they may quote values. A ProtocolError stays what it is. */
export function databaseError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const code = (error as { code?: unknown }).code;
  // SQLSTATE has five characters; anything else comes from the connection.
  const sqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  const cause = typeof code === 'string' ? code : 'connection';
  if (sqlState === undefined || passing.test(sqlState)) return new ProtocolError('MIRROR_FAILED', { reason: 'away', cause });
  return new ProtocolError('MIRROR_FAILED', { reason: denied.test(sqlState) ? 'denied' : 'refused', cause });
}
