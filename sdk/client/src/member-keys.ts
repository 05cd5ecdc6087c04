import { exportJWK, generateKeyPair } from 'jose';
import { es256KeyShape, memberRotationShape, signJws, x25519KeyShape, type Es256Key, type Es256Sign, type X25519Key } from '@huilian/protocol';

/** Private keys of a member as JWKs: ES256 for signing, X25519 for what is encrypted to it. Keep them in a file of mode 0600 or a key store. */
export interface MemberKeys {
  readonly memberId: string;
  readonly signingKey: JsonWebKey;
  readonly encryptionKey: JsonWebKey;
}

/** Makes a member's two key pairs by WebCrypto, extractable so that they can be stored. @throws where the platform has no X25519 */
export async function generateMemberKeys(memberId: string): Promise<MemberKeys> {
  const signing = await generateKeyPair('ES256', { extractable: true });
  const encryption = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
  return { memberId, signingKey: (await exportJWK(signing.privateKey)) as JsonWebKey, encryptionKey: (await exportJWK(encryption.privateKey)) as JsonWebKey };
}

/** The public halves, as admission to the consortium states them. */
export function publicKeysOf(keys: MemberKeys): { readonly signingKey: Es256Key; readonly encryptionKey: X25519Key } {
  const { crv, kty, x, y } = keys.signingKey;
  const encryption = keys.encryptionKey;
  return {
    signingKey: es256KeyShape.read({ crv, kty, x, y }),
    encryptionKey: x25519KeyShape.read({ crv: encryption.crv, kty: encryption.kty, x: encryption.x }),
  };
}

/** ES256 by WebCrypto, the same in Node and browsers: r ‖ s. */
export async function es256Signer(key: JsonWebKey): Promise<Es256Sign> {
  const { crv, d, kty, x, y } = key;
  const imported = await crypto.subtle.importKey('jwk', { crv, d, kty, x, y } as JsonWebKey, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return async (input) => new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, imported, input as BufferSource));
}

/** How long a signed change of keys may wait on its way to the ledger. */
const rotationSeconds = 3600;

/** What a member signs with its old key to change to new ones: a JWS for `governance.rotateMemberKeys`. `salt` is the consortium's (`domain.salt`). */
export async function signMemberRotation(member: string, next: { readonly signingKey: Es256Key; readonly encryptionKey: X25519Key }, salt: string, sign: Es256Sign): Promise<string> {
  const { encryptionKey, signingKey } = next;
  const payload = memberRotationShape.read({ encryptionKey, expires: Math.floor(Date.now() / 1000) + rotationSeconds, member, salt, signingKey });
  return await signJws({ alg: 'ES256', kid: member, typ: 'huilian-rotation+jwt' }, payload, sign);
}
