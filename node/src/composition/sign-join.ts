import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { signJoinRequest, type joinRequestShape, type Read } from '@huilian/protocol';
import { es256Signer, type MemberKeys } from '@huilian/sdk';
import { openKeys } from '../adapters/keys/node-keys.js';
import { memberKeysFile } from './initialise.js';

/** A member without a node has its keys in one file, a centre in the folder of its node. @throws KEYS_MISSING, BAD_FIELD */
export async function signJoin(stateDir: string, request: Read<typeof joinRequestShape>): Promise<string> {
  const file = path.join(stateDir, memberKeysFile);
  if (existsSync(file)) return await signJoinRequest(request, await es256Signer((JSON.parse(readFileSync(file, 'utf8')) as MemberKeys).signingKey));
  const keys = await openKeys(stateDir);
  try {
    return await signJoinRequest(request, keys.sign);
  } finally {
    await keys.close();
  }
}
