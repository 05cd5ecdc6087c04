import { recover } from 'tiny-secp256k1';
import type { RecoverPublicKey } from '@huilian/protocol';

/** WASM recovery of owners' keys for the checks a node makes itself; the contract decides with its own. */
export const recoverPublicKey: RecoverPublicKey = (digest, signature, recovery) => {
  try {
    return recover(digest, signature, recovery, false) ?? undefined;
  } catch {
    return undefined;
  }
};
