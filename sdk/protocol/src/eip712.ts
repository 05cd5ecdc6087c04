import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes, fromHex, toHex } from './bytes.js';
import { canonicalBytes, utf8 } from './canonical.js';
import { keccak256 } from './hash.js';
import { bytes32Shape } from './ids.js';
import { literal, object, type Read } from './shape.js';

/** EIP-712 typed data over the few flat structs of the protocol; types are pinned here, never taken from a caller. */

export const domainShape = object({ name: literal('Huilian'), version: literal('1'), salt: bytes32Shape });
/** The EIP-712 domain of one consortium on one channel; `salt` follows from its charter and founding. */
export type Domain = Read<typeof domainShape>;

/** What makes a consortium's domain its own: salt = keccak256(JCS{charter, channel, chaincode, founding}). */
export interface DomainFacts {
  readonly channel: string;
  readonly chaincode: string;
  /** SHA-256 of the charter's canonical bytes, hex. */
  readonly charter: string;
  /** Id of the transaction that completed the founding. */
  readonly founding: string;
}

export function domainOf(facts: DomainFacts): Domain {
  const { channel, chaincode, charter, founding } = facts;
  return { name: 'Huilian', version: '1', salt: `0x${toHex(keccak256(canonicalBytes({ channel, chaincode, charter, founding })))}` };
}

type FieldType = 'string' | 'string[]' | 'bytes32' | 'uint64' | 'uint32';
export interface TypedField {
  readonly name: string;
  readonly type: FieldType;
}

/** The structs an owner signs. The same lists feed ethers' signTypedData, so wallets show exactly these fields. */
export const typedStructs = {
  Grant: [
    { name: 'owner', type: 'string' },
    { name: 'grantee', type: 'string' },
    { name: 'claims', type: 'string[]' },
    { name: 'purpose', type: 'string' },
    { name: 'reference', type: 'bytes32' },
    { name: 'notBefore', type: 'uint64' },
    { name: 'expires', type: 'uint64' },
    { name: 'maxUses', type: 'uint32' },
    { name: 'nonce', type: 'bytes32' },
  ],
  Revocation: [
    { name: 'owner', type: 'string' },
    { name: 'grant', type: 'bytes32' },
  ],
  KeyRotation: [
    { name: 'owner', type: 'string' },
    { name: 'newKey', type: 'string' },
    { name: 'expires', type: 'uint64' },
  ],
  RecoveryObjection: [
    { name: 'owner', type: 'string' },
    { name: 'newKey', type: 'string' },
  ],
  TrailRequest: [
    { name: 'owner', type: 'string' },
    { name: 'issuedAt', type: 'uint64' },
    { name: 'nonce', type: 'bytes32' },
  ],
  RecordStatement: [
    { name: 'owner', type: 'string' },
    { name: 'record', type: 'string' },
    { name: 'version', type: 'uint32' },
    { name: 'digest', type: 'bytes32' },
    { name: 'claims', type: 'string[]' },
    { name: 'verdict', type: 'string' },
    { name: 'reason', type: 'string' },
    { name: 'issuedAt', type: 'uint64' },
  ],
} as const satisfies Record<string, readonly TypedField[]>;
export type TypedStructName = keyof typeof typedStructs;

const typeHashes = new Map<TypedStructName, Uint8Array>();

function typeHash(name: TypedStructName): Uint8Array {
  let hash = typeHashes.get(name);
  if (hash === undefined) {
    hash = keccak256(utf8(`${name}(${typedStructs[name].map((field) => `${field.type} ${field.name}`).join(',')})`));
    typeHashes.set(name, hash);
  }
  return hash;
}

function encodeField(type: FieldType, value: unknown): Uint8Array {
  switch (type) {
    case 'string':
      return keccak256(utf8(value as string));
    case 'string[]':
      return keccak256(concatBytes(...(value as readonly string[]).map((entry) => keccak256(utf8(entry)))));
    case 'bytes32':
      return fromHex((value as string).slice(2), 32);
    case 'uint64':
    case 'uint32':
      return fromHex((value as number).toString(16).padStart(64, '0'), 32);
  }
}

const domainTypeHash = keccak256(utf8('EIP712Domain(string name,string version,bytes32 salt)'));
const separators = new Map<string, Uint8Array>();

function domainSeparator(domain: Domain): Uint8Array {
  let separator = separators.get(domain.salt);
  if (separator === undefined) {
    separator = keccak256(
      concatBytes(domainTypeHash, keccak256(utf8(domain.name)), keccak256(utf8(domain.version)), fromHex(domain.salt.slice(2), 32)),
    );
    if (separators.size > 100) separators.clear();
    separators.set(domain.salt, separator);
  }
  return separator;
}

/** The EIP-712 digest that is signed, 32 bytes. The message must have been read by its shape before. */
export function typedDigest(domain: Domain, name: TypedStructName, message: Readonly<Record<string, unknown>>): Uint8Array {
  const fields = typedStructs[name].map((field) => encodeField(field.type, message[field.name]));
  return keccak256(concatBytes(Uint8Array.of(0x19, 0x01), domainSeparator(domain), keccak256(concatBytes(typeHash(name), ...fields))));
}

/** Recovers the uncompressed public key (65 bytes) from digest, r ‖ s and recovery bit; undefined where there is none. */
export type RecoverPublicKey = (digest: Uint8Array, signature: Uint8Array, recovery: 0 | 1) => Uint8Array | undefined;

/** Portable recovery; hot paths inject a WASM implementation of the same. */
export const portableRecover: RecoverPublicKey = (digest, signature, recovery) => {
  try {
    return secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery).recoverPublicKey(digest).toBytes(false);
  } catch {
    return undefined;
  }
};

/** Key id of an owner's public key: the last 20 bytes of Keccak-256 of its point, `0x` and lower-case hex. */
export function ownerKeyOf(publicKey: Uint8Array): string {
  return `0x${toHex(keccak256(publicKey.subarray(1)).subarray(12))}`;
}

const halfOrder = secp256k1.Point.Fn.ORDER >> 1n;

/** Splits a canonical signature: 65 bytes as `0x` lower-case hex, 0 < r, 0 < s <= n/2, v 27 or 28; undefined otherwise. */
export function splitCanonicalSignature(signature: string): { compact: Uint8Array; recovery: 0 | 1 } | undefined {
  if (!/^0x[0-9a-f]{130}$/.test(signature)) return undefined;
  const r = BigInt(`0x${signature.slice(2, 66)}`);
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const v = Number.parseInt(signature.slice(130), 16);
  const inRange = r > 0n && r < secp256k1.Point.Fn.ORDER && s > 0n && s <= halfOrder && (v === 27 || v === 28);
  return inRange ? { compact: fromHex(signature.slice(2, 130), 64), recovery: v === 27 ? 0 : 1 } : undefined;
}

/** The key that made a canonical signature over a digest; undefined where none did. */
export function recoverOwnerKey(digest: Uint8Array, signature: string, recover: RecoverPublicKey = portableRecover): string | undefined {
  const parts = splitCanonicalSignature(signature);
  const publicKey = parts && recover(digest, parts.compact, parts.recovery);
  return publicKey && ownerKeyOf(publicKey);
}
