import {
  documentDigest,
  domainOf,
  foundArgumentShape,
  ProtocolError,
  readCharter,
  type Charter,
  type JsonObject,
  type LedgerState,
} from '@huilian/protocol';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/**
 * One founder's call. Each call reads every founder's key, so that of two racing calls one conflicts and is run again;
 * the call that sees all of them with the same charter completes the founding. A founder that called before may change
 * its charter until then: otherwise two founders with a wrong one could never agree on another.
 * @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID, ALREADY_FOUNDED, NOT_A_FOUNDER, FORBIDDEN, CHARTER_MISMATCH
 */
export async function foundConsortium(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { charter: document, founder } = foundArgumentShape.read(argument);
  const charter = readCharter(document);
  if ((await context.state.get('charter')) !== undefined) throw new ProtocolError('ALREADY_FOUNDED');
  checkPlace(context, charter);
  const own = charter.founders.find(({ member }) => member.id === founder);
  if (own === undefined) throw new ProtocolError('NOT_A_FOUNDER', { member: founder });
  if (own.member.organisation !== context.caller) throw new ProtocolError('FORBIDDEN', { member: founder });
  const digest = documentDigest(charter);
  const missing = await foundersMissing(context, charter, founder, digest);
  const complete = missing.length === 0;
  const payload = { charter: digest, complete, founder };
  return {
    writes: [put('founding', [founder], { digest }), ...(complete ? foundingWrites(context, charter, digest) : [])],
    event: { name: 'found', payload },
    response: { ...payload, missing },
  };
}

/** The charter names the channel and chaincode it is brought to; so does the signed proposal, also where another chaincode calls in. */
function checkPlace({ channel, chaincode }: RuleContext, charter: Charter): void {
  if (charter.channel !== channel) throw new ProtocolError('BAD_FIELD', { path: '/charter/channel', reason: 'other-channel' });
  if (charter.chaincode !== chaincode) throw new ProtocolError('BAD_FIELD', { path: '/charter/chaincode', reason: 'other-chaincode' });
}

/** The other founders that have not called with this charter. @throws CHARTER_MISMATCH at a founder's first call */
async function foundersMissing({ state }: RuleContext, charter: Charter, founder: string, digest: string): Promise<string[]> {
  const own = await state.get('founding', founder);
  const missing: string[] = [];
  for (const { member } of charter.founders) {
    if (member.id === founder) continue;
    const key = await state.get('founding', member.id);
    if (key !== undefined && key.digest !== digest && own === undefined) throw new ProtocolError('CHARTER_MISMATCH', { member: member.id });
    if (key?.digest !== digest) missing.push(member.id);
  }
  return missing;
}

function foundingWrites({ channel, chaincode, transactionId, time }: RuleContext, charter: Charter, digest: string): StateWrite[] {
  const domain = domainOf({ channel, chaincode, charter: digest, founding: transactionId });
  const state: LedgerState['charter'] = { chaincode, channel, digest, document: charter as unknown as JsonObject, domain, founding: transactionId };
  const centres = charter.founders.map(({ member }) => member.id).sort();
  return [
    put('charter', [], state),
    put('electorate', [], { centres }),
    ...charter.founders.map(({ caCertificate, member }) =>
      put('member', [member.id], { admittedAt: time, caCertificate, document: member, sequence: 1, status: 'active' }),
    ),
  ];
}
