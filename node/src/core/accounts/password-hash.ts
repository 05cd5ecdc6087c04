import { scrypt, timingSafeEqual } from 'node:crypto';
import { fromBase64url, toBase64url, utf8 } from '@huilian/protocol';
import { Mutex } from '../mutex.js';
import type { Random } from '../ports.js';

/** A password as it is kept: scrypt (RFC 7914) with its own parameters, so that they can be raised. */
export interface PasswordHash {
  readonly algorithm: 'scrypt';
  /** Cost, block size, parallelisation. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
  /** Base64url: 128 bits of salt, 256 of hash. */
  readonly salt: string;
  readonly hash: string;
}

/**
 * One of the settings that the OWASP Password Storage Cheat Sheet holds equal: N = 2^15, r = 8, p = 3. It needs 32 MiB, so
 * that a node stays within its memory while somebody signs in.
 */
const current = { n: 2 ** 15, r: 8, p: 3 } as const;
const hashBytes = 32;

/** Hashes one password after another: a flood of sign-ins takes one thread and one memory, not all. */
export class PasswordHasher {
  private readonly turns = new Mutex();

  public constructor(private readonly random: Random) {}

  public async hash(password: string): Promise<PasswordHash> {
    const salt = this.random.bytes(16);
    return { algorithm: 'scrypt', ...current, salt: toBase64url(salt), hash: toBase64url(await this.derive(password, salt, current)) };
  }

  /** Takes as long where there is no hash to compare with, so that the time says nothing of who has an account. */
  public async matches(password: string, kept: PasswordHash | undefined): Promise<boolean> {
    const { hash, salt, ...cost } = kept ?? { ...current, hash: toBase64url(new Uint8Array(hashBytes)), salt: toBase64url(new Uint8Array(16)) };
    const found = await this.derive(password, fromBase64url(salt), cost);
    return timingSafeEqual(found, fromBase64url(hash)) && kept !== undefined;
  }

  /** Whether a hash was made with other settings than today's. */
  public isOutdated({ n, p, r }: PasswordHash): boolean {
    return n !== current.n || r !== current.r || p !== current.p;
  }

  private async derive(password: string, salt: Uint8Array, { n, p, r }: Pick<PasswordHash, 'n' | 'p' | 'r'>): Promise<Uint8Array> {
    return await this.turns.run(async () => await new Promise<Uint8Array>((resolve, reject) => {
      scrypt(utf8(normalised(password)), salt, hashBytes, { N: n, r, p, maxmem: 256 * n * r }, (error, key) => {
        if (error === null) resolve(key);
        else reject(error);
      });
    }));
  }
}

/** One spelling of each password, whatever keyboard it was typed on (RFC 8265, 4.2). */
export function normalised(password: string): string {
  return password.normalize('NFC');
}
