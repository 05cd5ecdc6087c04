import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect, hash } from '@hyperledger/fabric-gateway';
import { common, gateway as messages, peer as peerMessages } from '@hyperledger/fabric-protos';
import { expect } from 'vitest';
import { canonicalBytes, proposalId, type JsonObject, type LedgerFunction, type MemberState } from '@huilian/protocol';
import { PeerGateway } from '../../../node/src/adapters/fabric/peer-gateway.js';
import { makePeerClient } from '../../../node/src/adapters/fabric/peer-client.js';
import { readConnection } from '../../../node/src/adapters/fabric/connection.js';
import { endorsingError } from '../../../node/src/adapters/fabric/gateway-errors.js';
import type { AccessDoor } from './access-door.js';
import { answered, command, refusedBy, seconds, type Refused, type RefusalCase, type World } from './surfaces.js';

/** Votes and admissions that break a rule, and calls of functions that nobody offers. */
export async function governanceCases({ local }: World, door: AccessDoor): Promise<Record<string, RefusalCase>> {
  const state = path.join(local.dir, 'nodes', 'guangzhou');
  const { items: proposals } = (await local.api('guangzhou').get('/v1/governance/proposals')) as { items: { action: string; content: JsonObject; round: number; id?: string; proposal?: string }[] };
  // One that the command line can make again from its content alone; the list is ordered by digests, new with every consortium.
  const adopted = proposals.find(({ action }) => action === 'admit');
  if (adopted === undefined) throw new Error('the sample consortium has proposals');
  const adoptedId = proposalId({ action: adopted.action as never, content: adopted.content, round: adopted.round });
  const { document: bank } = (await local.api('guangzhou').get('/v1/members/sample-bank')) as MemberState;
  const { charter } = (await local.api('guangzhou').get('/v1/consortium')) as { charter: JsonObject };
  let files = 0;

  function file(content: unknown): string {
    const name = path.join(local.dir, `proposal-${String((files += 1))}.json`);
    writeFileSync(name, JSON.stringify(content));
    return name;
  }

  const deciding = (name: LedgerFunction & ('approve' | 'found' | 'propose' | 'reject'), body: JsonObject, args: readonly string[], argument: JsonObject = body): RefusalCase => ({
    drivers: {
      cli: async () => await command(['governance', name, ...args, '--state', state]),
      contract: async () => await refusedBy((await door.ledger('GuangzhouMSP')).submit(name, canonicalBytes(argument))),
      http: async () => answered(await local.call('guangzhou', 'POST', `/v1/governance/${name}`, body, 'operator')),
    },
  });
  const proposing = (action: string, content: JsonObject, round = 1): RefusalCase => deciding('propose', { action, content, round }, [action, file(content), '--round', String(round)]);

  const withoutCommand = ({ drivers: { cli: _command, ...others } }: RefusalCase): RefusalCase => ({ drivers: others });
  // One proposal that stays open: one centre of three has voted for it.
  const open = { action: 'code-set', content: { document: { codes: ['invented'] }, name: 'refusals', version: 1 }, round: 1 } as const;
  const openId = proposalId(open as never);
  await (await (await door.ledger('GuangzhouMSP')).submit('propose', canonicalBytes(open))).committed();
  await local.whenLevel();

  /** Straight at the peer, under any name. */
  async function calling(name: string, argument: Uint8Array, organisation = 'GuangzhouMSP'): Promise<Refused | undefined> {
    const connection = await readConnection(path.join(local.dir, 'ledger', 'connections', `${organisation}.json`));
    const peer = new PeerGateway(connection.peers[0], connection);
    try {
      return await refusedBy(peer.endorse('huilian', name, { arguments: [argument] }).catch((error: unknown) => { throw endorsingError(error); }));
    } finally {
      peer.close();
    }
  }
  /** A call that says of itself that it was made 14 minutes ago, signed like any other. */
  async function backDated(name: string, argument: Uint8Array): Promise<Refused | undefined> {
    const connection = await readConnection(path.join(local.dir, 'ledger', 'connections', 'GuangzhouMSP.json'));
    const client = makePeerClient(connection.peers[0]);
    const gateway = connect({ client, hash: hash.none, identity: connection.identity, signer: connection.signer });
    try {
      const made = gateway.getNetwork(connection.channel).getContract('huilian').newProposal(name, { arguments: [argument] });
      const unsigned = messages.ProposedTransaction.deserializeBinary(made.getBytes());
      const signed = unsigned.getProposal() ?? new peerMessages.SignedProposal();
      const proposal = peerMessages.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
      const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
      const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
      channelHeader.getTimestamp()?.setSeconds(seconds() - 14 * 60);
      header.setChannelHeader(channelHeader.serializeBinary());
      proposal.setHeader(header.serializeBinary());
      signed.setProposalBytes(proposal.serializeBinary());
      unsigned.setProposal(signed);
      const refused = await refusedBy(gateway.newProposal(unsigned.serializeBinary()).endorse().catch((error: unknown) => { throw endorsingError(error); }));
      // An operator is told of the clock, not of an identity that is refused.
      expect(refused?.text).toContain('clock-apart');
      return refused;
    } finally {
      gateway.close();
      client.close();
    }
  }
  const called = (name: string): RefusalCase => ({ drivers: { contract: async () => await calling(name, canonicalBytes({})) } });
  const sent = (name: LedgerFunction, argument: Uint8Array, organisation = 'GuangzhouMSP'): RefusalCase => ({
    drivers: { contract: async () => await refusedBy((await door.ledger(organisation)).submit(name, argument)) },
  });

  return {
    'vote-unknown': deciding('approve', { proposal: 'a'.repeat(64) }, ['a'.repeat(64)]),
    'vote-closed': deciding('reject', { proposal: adoptedId }, [adoptedId]),
    'propose-again': proposing(adopted.action, adopted.content, adopted.round),
    'propose-member-exists': proposing('admit', { member: { ...bank, contact: 'https://other.invalid' } as unknown as JsonObject }),
    'propose-bad-schema': proposing('publish-schema', { document: { $id: 'nothing' } }),
    'propose-open-again': proposing('code-set', open.content),
    'vote-twice': deciding('approve', { proposal: openId }, [openId]),
    'propose-unknown-content': withoutCommand(proposing('suspend', { member: 'sample-bank', more: 1 })),
    'propose-unknown-field': withoutCommand(deciding('propose', { action: 'suspend', content: { member: 'sample-bank' }, more: 1, round: 1 }, [])),
    'found-again': deciding('found', { charter }, ['--charter', file(charter)], { charter, founder: 'guangzhou' }),
    'policy-of-another': sent('setPolicy', canonicalBytes({ claims: ['item'], expires: 2_000_000_000, granteeClasses: ['supervisor'], kind: 'supervision', notBefore: 1_700_000_000, publisher: 'beijing', purposes: ['supervision'] })),
    'call-helper': called('access:runJson'),
    'call-undecorated': called('records:runBytes'),
    'call-underscore': called('access:_x'),
    'call-constructor': called('access:constructor'),
    'call-proto': called('__proto__:x'),
    'call-unknown-contract': called('nobody:open'),
    'call-back-dated': { drivers: { contract: async () => await backDated('governance:approve', canonicalBytes({ proposal: 'a'.repeat(64) })) } },
    'argument-no-json': sent('approve', Buffer.from('{"proposal":')),
    'argument-duplicate-key': sent('approve', Buffer.from(`{"proposal":"${'a'.repeat(64)}","proposal":"${'b'.repeat(64)}"}`)),
    'argument-byte-order-mark': sent('approve', Buffer.from('\uFEFF{}')),
    'argument-lone-surrogate': sent('approve', Buffer.from('{"proposal":"\\ud800"}')),
    'argument-deep': sent('approve', Buffer.from('['.repeat(60_000))),
    'argument-last-code-point': sent('setPolicy', canonicalBytes({ claims: ['item'], expires: 2_000_000_000, granteeClasses: ['supervisor'], kind: 'supervision', notBefore: 1_700_000_000, publisher: 'guangzhou\u{10ffff}', purposes: ['supervision'] })),
    'argument-bad-utf8': sent('approve', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    'argument-too-large': sent('approve', new Uint8Array(64 * 1024 + 1).fill(0x20)),
    'argument-propose-too-large': sent('propose', new Uint8Array(512 * 1024 + 1).fill(0x20)),
    'argument-open-too-large': sent('open', new Uint8Array(1024 * 1024 + 1).fill(0x20)),
    'argument-operator': sent('approve', canonicalBytes({ proposal: { $gt: null } })),
    'argument-status-set': sent('approve', canonicalBytes({ createdAt: 1, ownerMsp: 'BeijingMSP', proposal: 'a'.repeat(64), status: 'adopted' })),
  };
}
