import { BoundedMap } from './bounded-map.js';
import { canonicalBytes } from './canonical.js';
import type { Domain, RecoverPublicKey } from './eip712.js';
import { verifyGrantSignature, type GrantEnvelope, type VerifiedTriple } from './grant.js';
import { sha256Hex } from './hash.js';

const grantsRemembered = 10_000;

/**
 * What was proved once of a grant's signature, found again by everything it was made of, never by the digest alone. Whether
 * the key is the one in force is the caller's to ask every time.
 */
export class VerifiedGrants {
  private readonly known = new BoundedMap<string, VerifiedTriple>(grantsRemembered);

  public constructor(private readonly recover?: RecoverPublicKey) {}

  /** @throws GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, GRANT_BAD_SIGNATURE */
  public verify(envelope: GrantEnvelope, domain: Domain): VerifiedTriple {
    const id = sha256Hex(canonicalBytes([domain, envelope]));
    let triple = this.known.get(id);
    if (triple === undefined) {
      triple = verifyGrantSignature(envelope, domain, this.recover);
      this.known.set(id, triple);
    }
    return triple;
  }
}
