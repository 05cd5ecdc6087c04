import type { Es256Key } from '@huilian/protocol';
import { signMemberRotation } from '@huilian/sdk';
import { nextKeys } from '../adapters/keys/next-keys.js';

/** Makes the next keys on disk, once, and signs the change with the key in use. Undefined where the ledger shows the next key already. */
export async function prepareKeys(stateDir: string, salt: string, registered: Es256Key): Promise<string | undefined> {
  const { memberId, next, sign } = await nextKeys(stateDir);
  if (registered.x === next.signingKey.x && registered.y === next.signingKey.y) return undefined;
  return await signMemberRotation(memberId, next, salt, sign);
}
