import { recover } from 'tiny-secp256k1';
import { canonicalBytes, sha256Hex, verifyGrantSignature, type Domain, type GrantEnvelope, type RecoverPublicKey, type VerifiedTriple } from '@huilian/protocol';

/** WASM recovery, about eight times the portable one; the same answers (tested against ethers). */
export const recoverPublicKey: RecoverPublicKey = (digest, signature, recovery) => {
  try {
    return recover(digest, signature, recovery, false) ?? undefined;
  } catch {
    return undefined;
  }
};

/** What is cached is the verified triple (digest, signature, key), found by everything it was made of; the key in force is read from state every time. */
const verified = new Map<string, VerifiedTriple>();
const mostVerified = 10_000;

/** @throws GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, GRANT_BAD_SIGNATURE */
export function verifiedGrant(envelope: GrantEnvelope, domain: Domain): VerifiedTriple {
  const id = sha256Hex(canonicalBytes([domain, envelope]));
  let triple = verified.get(id);
  if (triple === undefined) {
    triple = verifyGrantSignature(envelope, domain, recoverPublicKey);
    if (verified.size >= mostVerified) verified.clear();
    verified.set(id, triple);
  }
  return triple;
}
