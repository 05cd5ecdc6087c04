import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalBytes, proposalId, type JsonObject, type MemberState } from '@huilian/protocol';
import { generateMemberKeys, publicKeysOf } from '@huilian/sdk';
import type { AccessDoor } from './access-door.js';
import { answered, command, refusedBy, type RefusalCase, type World } from './surfaces.js';

const member = 'suspended-bank';

/** A member that was admitted, signed in and made a request, and was suspended by vote then. */
export async function suspendedCases({ local }: World, door: AccessDoor): Promise<Record<string, RefusalCase>> {
  const keys = await generateMemberKeys(member);
  const keyFile = path.join(local.dir, 'members', member, 'member-keys.json');
  mkdirSync(path.dirname(keyFile), { recursive: true });
  writeFileSync(keyFile, JSON.stringify(keys));
  const { document: bank } = (await local.api('guangzhou').get('/v1/members/sample-bank')) as MemberState;

  async function decide(action: 'admit' | 'suspend', content: JsonObject): Promise<void> {
    const proposal = { action, content, round: 1 };
    const votes = [['GuangzhouMSP', 'propose', proposal], ['ZhuhaiMSP', 'approve', { proposal: proposalId(proposal as never) }]] as const;
    for (const [organisation, vote, argument] of votes) await (await (await door.ledger(organisation)).submit(vote, canonicalBytes(argument))).committed();
    await local.whenLevel();
  }

  await decide('admit', { member: { ...bank, ...publicKeysOf(keys), host: 'guangzhou', id: member, organisation: 'GuangzhouMSP' } as unknown as JsonObject });
  const client = await local.client(member);
  const grant = await local.grant({ grantee: member });
  const request = await door.prepare({ grant, reader: member });
  const search = async (): ReturnType<typeof local.call> => await local.call('guangzhou', 'GET', '/v1/records?limit=1', undefined, member);
  if ((await search()).status !== 200) throw new Error('it may search before it is suspended');
  await decide('suspend', { member });

  return {
    'suspended-signs-in': {
      drivers: {
        cli: async () => await command(['query', '--member-keys', keyFile, '--node', local.api('guangzhou').url]),
        http: async () => answered(await search()),
        sdk: async () => await refusedBy(client.page({})),
      },
    },
    'suspended-reads': { drivers: { contract: async () => await door.byContract({ grant, reader: member, request }) } },
  };
}
