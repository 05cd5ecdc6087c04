import { BoundedMap, sha256Text, type Es256Key } from '@huilian/protocol';

const proofsRemembered = 10_000;
/** Longer inputs are proved anew each time: what they lead to would fill the memory. */
const longestRemembered = 256 * 1024;
/** In place of such an input's digest. */
const tooLong = '';

/**
 * What a verifier proved before, found again by the digest of everything that the proof was made of, keys included. Only
 * what held is remembered; nothing in it grows stale, because nothing in it depends on the time or on the ledger.
 */
export class ProvedBefore {
  private readonly known = new BoundedMap<string, unknown>(proofsRemembered);
  /** A part of a file that was read never changes: its digest is computed once. */
  private readonly parts = new WeakMap<object, string>();

  /**
   * @param inputs well-formed text without U+0000, which keeps them apart, or a part of a file that was read; the first names
   * the kind of proof
   * @throws what `prove` throws
   */
  public async get<T>(inputs: readonly (string | object)[], prove: () => T | Promise<T>): Promise<T> {
    const texts = inputs.map((input) => (typeof input === 'string' ? input : this.digestOf(input)));
    const joined = texts.join('\u0000');
    if (joined.length > longestRemembered || texts.includes(tooLong)) return await prove();
    const id = sha256Text(joined, 'hex');
    const known = this.known.get(id);
    if (known !== undefined) return known as T;
    const proved = await prove();
    this.known.set(id, proved);
    return proved;
  }

  private digestOf(part: object): string {
    let digest = this.parts.get(part);
    if (digest === undefined) {
      const spelled = JSON.stringify(part);
      digest = spelled.length > longestRemembered ? tooLong : sha256Text(spelled, 'hex');
      this.parts.set(part, digest);
    }
    return digest;
  }
}

/** A key as an input of a proof. */
export function keyInput({ x, y }: Es256Key): string {
  return `${x}.${y}`;
}
