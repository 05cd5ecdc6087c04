import { hash } from 'node:crypto';

const plainLength = 64;
export const nonceBytes = 12;
const counter = Buffer.from([0, 0, 0, 1]);
const label = Buffer.from('huilian data digest\u0000');

/**
 * A digest of data could be tried out by whoever knows most of the data: at rest it lies under a pad that follows from its
 * holder's key, so that it ends with that key, in every copy.
 *
 *   generation of the key `.` base64url of nonce ‖ (digest XOR pad)
 *
 * The pad is one step of NIST SP 800-56C rev. 2, 4.1, with SHA-256: counter 1 ‖ key ‖ label ‖ nonce ‖ record id.
 * @param nonce 12 bytes that come with no other data of the record under this key
 */
export function coverDigest(digest: string, recordId: string, { generation, key, nonce }: { readonly generation: number; readonly key: Uint8Array; readonly nonce: Uint8Array }): string {
  return `${String(generation)}.${Buffer.concat([nonce, padded(Buffer.from(digest, 'hex'), key, nonce, recordId)]).toString('base64url')}`;
}

/** Empty where nothing is known, or the key is gone. A digest from before they were covered is what it is. */
export function uncoverDigest(covered: string, recordId: string, keyOf: (generation: number) => Uint8Array | undefined): string {
  if (covered.length === plainLength || covered === '') return covered;
  const [generation = '', text = ''] = covered.split('.');
  const key = keyOf(Number(generation));
  if (key === undefined) return '';
  const bytes = Buffer.from(text, 'base64url');
  return padded(bytes.subarray(nonceBytes), key, bytes.subarray(0, nonceBytes), recordId).toString('hex');
}

function padded(bytes: Uint8Array, key: Uint8Array, nonce: Uint8Array, recordId: string): Buffer {
  const pad = hash('sha256', Buffer.concat([counter, key, label, nonce, Buffer.from(recordId)]), 'buffer');
  for (let at = 0; at < pad.length; at += 1) pad[at] = (pad[at] ?? 0) ^ (bytes[at] ?? 0);
  return pad;
}
