import { concatBytes, equalBytes, fromHex, toHex } from './bytes.js';
import { utf8 } from './canonical.js';
import { ProtocolError } from './errors.js';
import { sha256 } from './hash.js';
import { nativeCrypto } from './native.js';

/** Merkle trees as RFC 6962 §2.1: leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right), split at the largest power of two. */

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(concatBytes(leafPrefix, data));
}

/** Leaf hash of a text's UTF-8 bytes, without a copy of them where the process can hash text. */
export function leafHashOfText(text: string): Uint8Array {
  return nativeCrypto === undefined ? leafHash(utf8(text)) : nativeCrypto.hash('sha256', `\u0000${text}`, 'buffer');
}

/** What a node's hash is taken of, written over each time: a tree of thousands of leaves needs as many nodes. */
const nodeInput = concatBytes(nodePrefix, new Uint8Array(64));

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

/** All levels of the tree from the leaves up; an odd last node rises unchanged, which equals RFC 6962's split. */
function levels(leaves: readonly Uint8Array[]): (readonly Uint8Array[])[] {
  const out: (readonly Uint8Array[])[] = [leaves];
  for (let level = leaves; level.length > 1; ) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const left = level[at] as Uint8Array;
      const right = level[at + 1];
      above.push(right === undefined ? left : nodeHash(left, right));
    }
    out.push(above);
    level = above;
  }
  return out;
}

/** Root over leaf hashes; of no leaves, SHA-256 of the empty string. Lower-case hex. */
export function merkleRoot(leaves: readonly Uint8Array[]): string {
  if (leaves.length === 0) return toHex(sha256(new Uint8Array()));
  return toHex(levels(leaves).at(-1)?.[0] as Uint8Array);
}

/** The audit path of one leaf, lowest sibling first, lower-case hex. A tree is kept to give many paths cheaply. */
export class MerkleTree {
  private readonly levels: (readonly Uint8Array[])[];

  public constructor(leaves: readonly Uint8Array[]) {
    if (leaves.length === 0) throw new RangeError('a tree needs a leaf');
    this.levels = levels(leaves);
  }

  public get root(): string {
    return toHex(this.levels.at(-1)?.[0] as Uint8Array);
  }

  public path(index: number): string[] {
    const out: string[] = [];
    let at = index;
    for (const level of this.levels.slice(0, -1)) {
      const sibling = level[at ^ 1];
      if (sibling !== undefined) out.push(toHex(sibling));
      at >>= 1;
    }
    return out;
  }
}

/** Checks an inclusion proof (RFC 9162 §2.1.3.2). @throws MERKLE_PATH_INVALID */
export function checkMerklePath(leaf: Uint8Array, index: number, size: number, path: readonly string[], root: string): void {
  // Numbers that bit operations would round or wrap have no place in a tree.
  const stands = Number.isInteger(index) && Number.isInteger(size) && index >= 0 && index < size && size < 2 ** 31;
  if (!stands || !equalBytes(fold(leaf, index, size, path), fromHex(root, 32))) {
    throw new ProtocolError('MERKLE_PATH_INVALID', { index, size });
  }
}

function fold(leaf: Uint8Array, index: number, size: number, path: readonly string[]): Uint8Array {
  let hash = leaf;
  let at = index;
  let last = size - 1;
  for (const step of path) {
    if (last === 0) throw new ProtocolError('MERKLE_PATH_INVALID', { index, size });
    const sibling = fromHex(step, 32);
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last !== 0) throw new ProtocolError('MERKLE_PATH_INVALID', { index, size });
  return hash;
}
