import {
  checkMigration,
  documentDigest,
  isJsonObject,
  kindFromDocument,
  namedCodes,
  needsCodeSet,
  ProtocolError,
  proposalContents,
  completenessRuleSet,
  readCodes,
  readCompletenessRules,
  readMigration,
  termState,
  type JsonObject,
  type JsonValue,
  type KindDefinition,
  type Retirable,
  type Term,
} from '@huilian/protocol';
import { readCaCertificate } from '../certificates/trusted-certificates.js';
import { invalid } from './invalid-proposal.js';
import { put, type RuleContext, type StateWrite } from './rule.js';

/**
 * The dates a document is adopted with. One that would have ended already is not adopted. A later version without a date
 * begins now: what was before it stays with the version before.
 */
function termOf({ effective: given, retires }: Term, time: number, version = 1): Term {
  if (retires !== undefined && (retires <= time || retires <= (given ?? 0))) invalid('term');
  const effective = given ?? (version > 1 ? time : undefined);
  return { ...(effective === undefined ? {} : { effective }), ...(retires === undefined ? {} : { retires }) };
}

/**
 * Versions are adopted one after the other, and none takes effect before the one it follows: so the one in force at any time
 * is the newest that is in force.
 */
function checkOrder(previous: Term | undefined, { effective = 0 }: Term): void {
  if (previous === undefined) return invalid('version-order');
  if (effective < (previous.effective ?? 0)) invalid('effective-order');
}

/** @throws SCHEMA_INVALID, PROPOSAL_INVALID {reason: code-set-unknown, version-order, effective-order, term, adopted-already} */
export async function adoptSchema({ state, time }: RuleContext, content: JsonObject, proposal: string): Promise<StateWrite[]> {
  const { document, ...dates } = proposalContents['publish-schema'].read(content);
  const definition = kindFromDocument(document);
  const { kind, version } = definition;
  checkReferences(document);
  if ((await state.get('schema', kind, version)) !== undefined) invalid('adopted-already');
  const term = termOf(dates, time, version);
  if (version > 1) checkOrder(await state.get('schema', kind, version - 1), term);
  for (const name of namedCodes(definition).filter(needsCodeSet)) {
    const set = await state.get('codeSet', name, 1);
    if (set === undefined || readCodes(set.document) === undefined) throw new ProtocolError('PROPOSAL_INVALID', { reason: 'code-set-unknown', name });
  }
  return [put('schema', [kind, version], { digest: documentDigest(document), document, kind, proposal, version, ...term })];
}

/** Nothing is fetched from elsewhere to understand a schema. @throws SCHEMA_INVALID */
function checkReferences(value: JsonValue): void {
  if (Array.isArray(value)) for (const entry of value as readonly JsonValue[]) checkReferences(entry);
  if (!isJsonObject(value)) return;
  for (const [name, entry] of Object.entries(value)) {
    const reference = name === '$ref' || name === '$dynamicRef';
    if (reference && typeof entry === 'string' && !entry.startsWith('#')) throw new ProtocolError('SCHEMA_INVALID', { reason: 'remote-reference' });
    checkReferences(entry);
  }
}

/** A CA whose trust ended may be trusted again. @throws CERTIFICATE_INVALID, CERTIFICATE_EXPIRED, PROPOSAL_INVALID */
export async function trustCa({ state, time }: RuleContext, content: JsonObject, proposal: string): Promise<StateWrite[]> {
  const { certificate, name, usccOids, ...dates } = proposalContents['trust-ca'].read(content);
  const { fingerprint } = readCaCertificate(certificate, time);
  const before = (await state.get('trustList'))?.fingerprints ?? [];
  const known = before.includes(fingerprint) ? await state.get('ca', fingerprint) : undefined;
  if (known !== undefined && termState(known, time) !== 'retired') invalid('adopted-already');
  return [
    put('ca', [fingerprint], { certificate, fingerprint, name, proposal, usccOids, ...termOf(dates, time) }),
    ...(known === undefined ? [put('trustList', [], { fingerprints: [...before, fingerprint].sort() })] : []),
  ];
}

/** @throws PROPOSAL_INVALID {reason: version-order, effective-order, term, adopted-already, code…} */
export async function adoptDocument({ state, time }: RuleContext, type: 'codeSet' | 'ruleSet', content: AdoptableDocument, proposal: string): Promise<StateWrite[]> {
  const { document, name, version, ...dates } = content;
  if ((await state.get(type, name, version)) !== undefined) invalid('adopted-already');
  const term = termOf(dates, time, version);
  if (type === 'codeSet') readCodes(document);
  else if (name === completenessRuleSet) readCompletenessRules(document);
  if (version > 1) checkOrder(await state.get(type, name, version - 1), term);
  return [put(type, [name, version], { digest: documentDigest(document), document, name, proposal, version, ...term })];
}

interface AdoptableDocument extends Term {
  readonly document: JsonObject;
  readonly name: string;
  readonly version: number;
}

/** @throws SCHEMA_UNKNOWN, PROPOSAL_INVALID {reason, path}: what checkMigration finds, adopted-already */
export async function adoptMigration({ state }: RuleContext, content: JsonObject, proposal: string): Promise<StateWrite[]> {
  const { document } = proposalContents.migration.read(content);
  const migration = readMigration(document);
  const { from, kind, to } = migration;
  if ((await state.get('migration', kind, from, to)) !== undefined) invalid('adopted-already');
  const [old, next] = await Promise.all([from, to].map(async (version): Promise<KindDefinition> => {
    const schema = await state.get('schema', kind, version);
    if (schema === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version });
    return kindFromDocument(schema.document);
  }));
  checkMigration(migration, old as KindDefinition, next as KindDefinition);
  return [put('migration', [kind, from, to], { digest: documentDigest(document), document, from, kind, proposal, to })];
}

/** A date that has passed when the vote ends means at once. @throws PROPOSAL_INVALID {reason: unknown-document, retired-already, term, version} */
export async function retire({ state, time }: RuleContext, content: JsonObject): Promise<StateWrite[]> {
  const { id, of, retires, version } = proposalContents.retire.read(content);
  if ((of === 'ca') !== (version === undefined)) invalid('version');
  const type = retiredTypes[of];
  const parts = version === undefined ? [id] : [id, version];
  const before = await state.get(type, ...parts);
  if (before === undefined) return invalid('unknown-document');
  if (termState(before, time) === 'retired') invalid('retired-already');
  const end = Math.max(retires, time);
  if (end <= (before.effective ?? 0)) invalid('term');
  return [put(type, parts, { ...before, retires: end })];
}

const retiredTypes = { ca: 'ca', 'code-set': 'codeSet', 'rule-set': 'ruleSet', schema: 'schema' } as const satisfies Record<Retirable, string>;
