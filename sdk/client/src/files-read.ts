import { BoundedMap, sha256Hex, sha256Text } from '@huilian/protocol';
import { readEvidence, type Evidence } from './evidence-file.js';

/** One that was read takes some 100 KiB. */
const filesRemembered = 256;

/** Reads evidence files, and knows by the digest of its bytes what a file read as before. Only what could be read is remembered. */
export class FilesRead {
  private readonly known = new BoundedMap<string, Evidence>(filesRemembered);

  /** @throws EVIDENCE_MALFORMED */
  public read(file: unknown): Evidence {
    const id = digestOf(file);
    const known = id === undefined ? undefined : this.known.get(id);
    if (known !== undefined) return known;
    const evidence = readEvidence(file);
    if (id !== undefined) this.known.set(id, evidence);
    return evidence;
  }
}

/** Undefined for parsed objects, which can change, and for text that has no bytes of its own: a lone surrogate would hash as U+FFFD. */
function digestOf(file: unknown): string | undefined {
  if (file instanceof Uint8Array) return sha256Hex(file);
  return typeof file === 'string' && file.isWellFormed() ? sha256Text(file, 'hex') : undefined;
}
