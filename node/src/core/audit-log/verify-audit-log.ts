import { checkJwsHeader, integer, literal, memberIdShape, object, parseJws, ProtocolError, text, timeShape, verifyEs256, type Es256Key, type Read } from '@huilian/protocol';
import { chainStart, nextPlace, type ChainPlace, type Link } from '../chained-log.js';
import { auditCheckpointType } from './audit-log.js';

/** What a signed checkpoint states: at that time the log ended with this entry. */
const checkpointShape = object({ at: timeShape, digest: text(/(?:[0-9a-f]{64})?/, 64), log: literal('audit-log'), member: memberIdShape, seq: integer(0) });
export type AuditCheckpoint = Read<typeof checkpointShape>;

/** Why a log is not what it was, and from which entry on. */
export interface AuditBreak {
  readonly seq: number;
  /** `chain`: an entry was changed, dropped or put elsewhere; `checkpoint`: not the entry that was signed; `tail`: entries of before are missing at the end. */
  readonly reason: 'chain' | 'checkpoint' | 'tail';
}

/** @throws AUDIT_CHECKPOINT_INVALID {reason} */
export function readCheckpoint(compact: string, member: string, key: Es256Key): AuditCheckpoint {
  const jws = parseJws(compact, 'AUDIT_CHECKPOINT_INVALID');
  const kid = checkJwsHeader(jws, auditCheckpointType, 'AUDIT_CHECKPOINT_INVALID');
  if (!verifyEs256(key, jws.signingInput, jws.signature)) throw new ProtocolError('AUDIT_CHECKPOINT_INVALID', { reason: 'signature' });
  const checkpoint = checkpointShape.read(jws.payload);
  if (kid !== member || checkpoint.member !== member) throw new ProtocolError('AUDIT_CHECKPOINT_INVALID', { reason: 'other-member' });
  return checkpoint;
}

/** Follows the chain from its first entry, and holds it against checkpoints of before. Answers where it ends, and the first break. */
export async function verifyAuditLog(entries: AsyncIterable<Link>, checkpoints: readonly AuditCheckpoint[]): Promise<{ readonly head: ChainPlace; readonly broken?: AuditBreak }> {
  const signed = new Map(checkpoints.map(({ digest, seq }) => [seq, digest]));
  let head = chainStart;
  for await (const entry of entries) {
    const next = nextPlace(head, entry);
    if (next === undefined) return { head, broken: { reason: 'chain', seq: head.seq + 1 } };
    head = next;
    if ((signed.get(head.seq) ?? head.digest) !== head.digest) return { head, broken: { reason: 'checkpoint', seq: head.seq } };
  }
  const last = Math.max(0, ...signed.keys());
  return last > head.seq ? { head, broken: { reason: 'tail', seq: head.seq + 1 } } : { head };
}
