import { createHash } from 'node:crypto';
import { toBase32 } from '@huilian/protocol';

const algorithms = ['sha256', 'sha512', 'sha1', 'md5', 'sm3', 'sha3-256', 'ripemd160'] as const;
/** How a careless design would have hashed a number of a person. */
const forms: readonly ((id: string) => string)[] = [(id) => id, (id) => `personnel${id}`, (id) => `personnel\u0000${id}`, (id) => `idNumber:${id}`, (id) => JSON.stringify(id), (id) => JSON.stringify({ idNumber: id })];

/** Finds, of some identity numbers, those that an unkeyed and unsalted hash in these bytes betrays: in binary, hex or base32. */
export class TriedHashes {
  private readonly binary = new Map<bigint, string>();
  private readonly base32 = new Map<string, string>();

  public constructor(ids: readonly string[]) {
    for (const id of ids) {
      for (const algorithm of algorithms) {
        for (const form of forms) {
          const digest = createHash(algorithm).update(form(id)).digest();
          this.binary.set(digest.readBigUInt64BE(0), id);
          this.base32.set(toBase32(digest.subarray(0, 16)).slice(0, 20), id);
        }
      }
    }
  }

  public betrayed(bytes: Uint8Array): Set<string> {
    const found = new Set<string>();
    const note = (id: string | undefined): void => { if (id !== undefined) found.add(id); };
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 8 <= buffer.length; at += 1) note(this.binary.get(buffer.readBigUInt64BE(at)));
    const text = buffer.toString('latin1').toLowerCase();
    for (const [token] of text.matchAll(/[0-9a-f]{32,}/g)) note(this.binary.get(BigInt(`0x${token.slice(0, 16)}`)));
    for (const [token] of text.matchAll(/[a-z2-7]{26}/g)) note(this.base32.get(token.slice(0, 20)));
    return found;
  }
}

/** Resident identity numbers invented with births of 1900 to 1924, which is before such numbers were given out (GB 11643). */
export function inventedIds(count: number): { readonly id: string; readonly birthDate: string }[] {
  return Array.from({ length: count }, (_, at) => {
    const date = new Date(Date.UTC(1900, 0, 1 + at * 9)).toISOString().slice(0, 10);
    const head = `440105${date.replaceAll('-', '')}${String(at % 1000).padStart(3, '0')}`;
    const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const sum = weights.reduce((total, weight, place) => total + weight * Number(head[place]), 0);
    return { birthDate: date, id: `${head}${'10X98765432'.charAt(sum % 11)}` };
  });
}
