import { acknowledgeArgumentShape, ProtocolError, type AdoptedReference, type JsonObject } from '@huilian/protocol';
import { requireCharter, requireOwnMember } from './membership.js';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/**
 * A member holds adopted documents and can use them: the receipt of what a vote sent to everybody. For a member without a node
 * its host says so. Brought again, it changes nothing.
 * @throws NOT_FOUNDED, MEMBER_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, SCHEMA_UNKNOWN {of, id, version} for what is not adopted, or
 * not as the member has it
 */
export async function acknowledgeDocuments(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { documents, member } = acknowledgeArgumentShape.read(argument);
  await requireOwnMember(context, member);
  const writes: StateWrite[] = [];
  const seen = new Set<string>();
  for (const reference of documents) {
    const { digest, id, of, version } = reference;
    if ((await digestOf(context, reference)) !== digest) throw new ProtocolError('SCHEMA_UNKNOWN', { of, id, version });
    const key = `${of}/${id}/${String(version)}`;
    const known = seen.has(key) || (await context.state.get('acknowledgement', member, of, id, version)) !== undefined;
    seen.add(key);
    if (!known) writes.push(put('acknowledgement', [member, of, id, version], { at: context.time, member, ...reference }));
  }
  const payload = { count: writes.length, member };
  return { writes, ...(writes.length === 0 ? {} : { event: { name: 'acknowledge' as const, payload } }), response: payload };
}

async function digestOf({ state }: RuleContext, { id, of, version }: AdoptedReference): Promise<string | undefined> {
  if (of === 'ca') return (await state.get('ca', id))?.fingerprint;
  if (of === 'schema') return (await state.get('schema', id, version))?.digest;
  return (await state.get(of === 'code-set' ? 'codeSet' : 'ruleSet', id, version))?.digest;
}
