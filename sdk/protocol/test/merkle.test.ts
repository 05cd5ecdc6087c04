import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkMerklePath, leafHash, MerkleTree, merkleRoot, toHex } from '@huilian/protocol';

const sha = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());

/** RFC 6962 §2.1 word for word. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  const k = split(leaves.length);
  return sha(Uint8Array.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** RFC 6962 §2.1.1 word for word. */
function auditPath(index: number, leaves: readonly Uint8Array[]): string[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  const [inside, beside] = index < k ? [leaves.slice(0, k), leaves.slice(k)] : [leaves.slice(k), leaves.slice(0, k)];
  return [...auditPath(index < k ? index : index - k, inside), toHex(treeHash(beside))];
}

function split(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

const leaves = Array.from({ length: 70 }, (_, index) => leafHash(Uint8Array.of(index, 7)));
const refused = (call: () => void): boolean => {
  try {
    call();
    return false;
  } catch (error) {
    return error instanceof Error && error.message.startsWith('MERKLE_PATH_INVALID');
  }
};

describe('Merkle trees', () => {
  it('hash leaves as RFC 6962 does', () => {
    expect(toHex(leafHash(Uint8Array.of(1, 2)))).toBe(toHex(sha(Uint8Array.of(0, 1, 2))));
    expect(merkleRoot([])).toBe(toHex(sha()));
  });

  it('have the roots and paths of RFC 6962 for every size from 1 to 70 and every index', () => {
    for (let size = 1; size <= leaves.length; size += 1) {
      const some = leaves.slice(0, size);
      const root = toHex(treeHash(some));
      const tree = new MerkleTree(some);
      expect([merkleRoot(some), tree.root]).toEqual([root, root]);
      some.forEach((leaf, index) => {
        expect(tree.path(index)).toEqual(auditPath(index, some));
        checkMerklePath(leaf, index, size, tree.path(index), root);
      });
    }
  });

  it('let no leaf stand at another index, and no path be shorter, longer or altered', () => {
    for (const size of [1, 2, 3, 5, 8, 13, 33]) {
      const some = leaves.slice(0, size);
      const tree = new MerkleTree(some);
      some.forEach((leaf, index) => {
        const path = tree.path(index);
        const rightful = (at: number): boolean => !refused(() => checkMerklePath(leaf, at, size, path, tree.root));
        expect(some.flatMap((_, at) => (rightful(at) ? [at] : []))).toEqual([index]);
        const bent = path.map((_, step) => path.map((hash, at) => (at === step ? toHex(leafHash(Uint8Array.of(at))) : hash)));
        const cut = path.length === 0 ? [] : [path.slice(1), path.slice(0, -1)];
        for (const wrong of [[...path, tree.root], ...cut, ...bent]) expect(refused(() => checkMerklePath(leaf, index, size, wrong, tree.root))).toBe(true);
      });
    }
  });

  it('refuse indexes that are none', () => {
    const [leaf] = leaves as [Uint8Array];
    for (const index of [-1, 1, 0.5, NaN, Infinity]) expect(refused(() => checkMerklePath(leaf, index, 1, [], toHex(leaf)))).toBe(true);
    for (const size of [0, -1, 1.5, NaN, Infinity]) expect(refused(() => checkMerklePath(leaf, 0, size, [], toHex(leaf)))).toBe(true);
    // 2^32 + 1 would wrap to a tree of one level.
    const other = leafHash(Uint8Array.of(9));
    expect(refused(() => checkMerklePath(leaf, 0, 2 ** 32 + 1, [toHex(other)], toHex(sha(Uint8Array.of(1), leaf, other))))).toBe(true);
    expect(() => new MerkleTree([])).toThrow(RangeError);
  });
});
