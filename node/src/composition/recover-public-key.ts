import { recover } from 'tiny-secp256k1';
import { toHex, type RecoverPublicKey } from '@huilian/protocol';
import { BoundedMap } from '../core/bounded-map.js';

const recoveriesRemembered = 10_000;
/** By digest, signature and recovery bit together: what was recovered once for exactly these is recovered again at every release of a grant. */
const recovered = new BoundedMap<string, Uint8Array>(recoveriesRemembered);

/** WASM recovery of owners' keys for the checks a node makes itself; the contract decides with its own. */
export const recoverPublicKey: RecoverPublicKey = (digest, signature, recovery) => {
  const made = `${toHex(digest)}${toHex(signature)}${String(recovery)}`;
  const known = recovered.get(made);
  if (known !== undefined) return known;
  try {
    const key = recover(digest, signature, recovery, false) ?? undefined;
    if (key !== undefined) recovered.set(made, key);
    return key;
  } catch {
    return undefined;
  }
};
