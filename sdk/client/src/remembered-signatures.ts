import { BoundedMap, concatBytes, sha256Hex, utf8, verifyEs256, type Es256Verify } from '@huilian/protocol';
import { keyInput } from './proved-before.js';

const signaturesRemembered = 10_000;
const signatureBytes = 64;

/**
 * Signatures that held, found again by every byte they were made of: the key, the signature, what was signed. A reader that
 * gets a release again checks all of it again, but for the arithmetic on the curve. Nothing of what was signed is kept.
 */
export class RememberedSignatures {
  private readonly held = new BoundedMap<string, true>(signaturesRemembered);

  public readonly verify: Es256Verify = (key, message, signature) => {
    if (signature.length !== signatureBytes) return false;
    const id = sha256Hex(concatBytes(utf8(keyInput(key)), signature, message));
    if (this.held.get(id) === true) return true;
    const holds = verifyEs256(key, message, signature);
    if (holds) this.held.set(id, true);
    return holds;
  };
}
