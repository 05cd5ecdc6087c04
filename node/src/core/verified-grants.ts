import { canonicalBytes, sha256Hex, verifyGrantSignature, type Domain, type GrantEnvelope, type RecoverPublicKey, type VerifiedTriple } from '@huilian/protocol';
import { BoundedMap } from './bounded-map.js';

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
