import { randomBytes } from 'node:crypto';
import { signJoinRequest, type MemberDocument } from '@huilian/protocol';
import { es256Signer, generateMemberKeys, publicKeysOf, type MemberKeys } from '@huilian/sdk';
import type { RunningConsortium } from './running-consortium.js';

/** A bank that no one knows yet, after the sample's own, and its keys. */
export async function newBank(consortium: RunningConsortium): Promise<{ readonly document: MemberDocument; readonly keys: MemberKeys }> {
  const { items } = (await consortium.api('guangzhou').get('/v1/members')) as { items: { document: MemberDocument }[] };
  const like = items.find(({ document }) => document.id === 'sample-bank')?.document;
  const id = `bank-${randomBytes(4).toString('hex')}`;
  const keys = await generateMemberKeys(id);
  return { document: { ...like, ...publicKeysOf(keys), id } as MemberDocument, keys };
}

/** What an applicant sends that Guangzhou shall host. */
export async function joinRequest(consortium: RunningConsortium): Promise<{ readonly request: string }> {
  const { document, keys } = await newBank(consortium);
  const { domain: { salt } } = await consortium.consortium();
  const terms = { document: { ...document, host: 'guangzhou', organisation: 'GuangzhouMSP' }, expires: Math.floor(Date.now() / 1000) + 600, nonce: `0x${randomBytes(32).toString('hex')}`, salt };
  return { request: await signJoinRequest(terms, await es256Signer(keys.signingKey)) };
}
