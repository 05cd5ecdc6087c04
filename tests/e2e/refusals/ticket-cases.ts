import { canonicalBytes, jweDigest, signReceipt, type Receipt } from '@huilian/protocol';
import { es256Signer, generateMemberKeys, type MemberClient, type OpenedAccess } from '@huilian/sdk';
import path from 'node:path';
import type { AccessDoor } from './access-door.js';
import { answered, command, refusedBy, seconds, type Refused, type RefusalCase, type World } from './surfaces.js';

const reader = 'zhuhai-platform';

/** Tickets, releases and receipts: in another's hand, at another time, or changed on the way. */
export function ticketCases({ expectWrites, local }: World, door: AccessDoor): Record<string, RefusalCase> {
  const platform = async (): Promise<MemberClient> => await local.client(reader);

  async function opened(): Promise<OpenedAccess> {
    expectWrites('access:open');
    return await (await platform()).open({ claims: ['identity'], grant: await local.grant({}), purpose: 'registration', recordIds: [door.entity] });
  }

  async function ended(): Promise<string> {
    const { state, ticket } = await opened();
    const { domain } = await local.consortium();
    await (await platform()).revoke(await local.wallet(local.owner).signRevocation(domain, { grant: state.basis.digest, owner: local.owner }));
    expectWrites('access:revokeGrant');
    await local.whenLevel();
    return ticket;
  }

  async function receiptOf({ release, ticket }: OpenedAccess, change: Partial<Receipt> = {}, keys = local.keys(reader)): Promise<string> {
    return await signReceipt({ jwe: jweDigest(release.jwe), reader, receivedAt: seconds(), resend: false, ticket, ...change }, await es256Signer(keys.signingKey));
  }

  /** By the publisher's own client of the ledger. */
  async function settled(name: 'confirm' | 'refuse', argument: Uint8Array): Promise<void> {
    await (await (await door.ledger('GuangzhouMSP')).submit(name, argument)).committed();
  }
  const refusal = (ticket: string): Uint8Array => canonicalBytes({ code: 'TICKET_ENDED', ticket });
  const refusing = async (ticket: string): Promise<Refused | undefined> => await refusedBy((await door.ledger('GuangzhouMSP')).submit('refuse', refusal(ticket)));

  const receiving = (make: (access: OpenedAccess) => Promise<string>): RefusalCase => ({
    drivers: {
      contract: async () => await refusedBy((await door.ledger('GuangzhouMSP')).submit('confirm', canonicalBytes({ receipts: [await make(await opened())] }))),
      http: async () => answered(await local.call('zhuhai', 'POST', '/v1/receipts', { receipt: await make(await opened()) }, reader)),
    },
  });
  /** What came to a reader, changed before its software looks at it. */
  const reading = (spoil: (access: OpenedAccess) => Promise<OpenedAccess> | OpenedAccess, client: () => Promise<MemberClient> = platform): RefusalCase => ({
    drivers: { sdk: async () => await refusedBy((await client()).read(await spoil(await opened()))) },
  });
  const other = (character: string | undefined): string => (character === 'A' ? 'B' : 'A');
  const changedAt = (text: string, at: number): string => `${text.slice(0, at)}${other(text[at])}${text.slice(at + 1)}`;

  return {
    'ticket-of-another': {
      drivers: {
        cli: async () => await command(['evidence', (await opened()).ticket, '--member-keys', path.join(local.dir, 'members', 'sample-bank', 'member-keys.json'), '--node', local.api('beijing').url, '--out', path.join(local.dir, 'another.json')]),
        http: async () => {
          const { ticket } = await opened();
          await local.whenLevel();
          return answered(await local.call('beijing', 'GET', `/v1/tickets/${ticket}/release`, undefined, 'sample-bank'));
        },
        sdk: async () => {
          const { ticket } = await opened();
          await local.whenLevel();
          return await refusedBy((await local.client('sample-bank')).resend(ticket));
        },
      },
    },
    'ticket-ended': {
      drivers: {
        http: async () => answered(await local.call('zhuhai', 'GET', `/v1/tickets/${await ended()}/release`, undefined, reader)),
        sdk: async () => await refusedBy((await platform()).resend(await ended())),
      },
    },
    'ticket-refused-twice': {
      drivers: {
        contract: async () => {
          const { ticket } = await opened();
          await settled('refuse', refusal(ticket));
          expectWrites('access:refuse');
          return await refusing(ticket);
        },
      },
    },
    'ticket-refused-after-receipt': {
      drivers: {
        contract: async () => {
          const access = await opened();
          await settled('confirm', canonicalBytes({ receipts: [await receiptOf(access)] }));
          return await refusing(access.ticket);
        },
      },
    },
    'slot-taken': {
      drivers: {
        contract: async () => {
          const grant = await local.grant({});
          expectWrites('access:open');
          expectNoRefusal(await door.byContract({ grant, slot: 1 }));
          return await door.byContract({ grant, slot: 1 });
        },
      },
    },
    'receipt-by-another-key': receiving(async (access) => await receiptOf(access, {}, await generateMemberKeys(reader))),
    'receipt-of-another-reader': receiving(async (access) => await receiptOf(access, { reader: 'sample-bank' })),
    'receipt-of-another-ticket': {
      drivers: {
        http: async () => {
          const [first, second] = [await opened(), await opened()];
          return answered(await local.call('zhuhai', 'POST', '/v1/receipts', { receipt: await receiptOf(first, { ticket: second.ticket }) }, reader));
        },
        sdk: async () => {
          const [first, second] = [await opened(), await opened()];
          return await refusedBy((await platform()).receipt({ ...second, release: first.release }));
        },
      },
    },
    'release-changed': reading((access) => ({ ...access, release: { ...access.release, jwe: changedAt(access.release.jwe, access.release.jwe.length - 60) } })),
    'release-of-another-ticket': reading(async (access) => ({ ...access, release: (await opened()).release })),
    'release-by-another-key': reading(async (access) => ({ ...access, publisherKey: (await (await platform()).member('beijing')).document.signingKey }) as OpenedAccess),
    'release-for-another-key': reading((access) => access, async () => await local.client(reader, { ...local.keys(reader), encryptionKey: (await generateMemberKeys(reader)).encryptionKey })),
    'release-of-more-claims': reading((access) => ({ ...access, state: { ...access.state, claims: ['contact'] } })),
  };
}

function expectNoRefusal(refused: Refused | undefined): void {
  if (refused !== undefined) throw new Error(refused.text);
}
