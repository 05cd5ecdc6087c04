import {
  acknowledgeArgumentShape,
  approveArgumentShape,
  attestArgumentShape,
  batchRoot,
  checkJwsHeader,
  checkMigration,
  checkPlacedHeader,
  completenessRuleSet,
  confirmArgumentShape,
  dayStart,
  declareArgumentShape,
  decodeBatchArgument,
  disputeArgumentShape,
  disputeShape,
  documentDigest,
  domainOf,
  exposeArgumentShape,
  foundArgumentShape,
  fromHex,
  isJsonObject,
  jwkThumbprint,
  keyRotationEnvelopeShape,
  kindFromDocument,
  ledgerFunctions,
  limits,
  memberRotationShape,
  namedCodes,
  needsCodeSet,
  openEntryShape,
  ownerKeyInForce,
  parseCanonicalObject,
  parseJws,
  policyShape,
  proposalContents,
  proposalId,
  proposeArgumentShape,
  ProtocolError,
  readCharter,
  readCodes,
  readCompletenessRules,
  readGrantEnvelope,
  readMemberDocument,
  readMigration,
  readPlacedHeader,
  readReceipt,
  readRecordStatement,
  readRequest,
  recordId,
  recoveryObjectionEnvelopeShape,
  referenceOf,
  refuseArgumentShape,
  rejectArgumentShape,
  revocationEnvelopeShape,
  rotateMemberKeysArgumentShape,
  sameHeader,
  sealedOwner,
  sha256Hex,
  signedStatementShape,
  stateArgumentShape,
  stateKey,
  verifyEs256,
  verifyOffer,
  verifyOwnerStatement,
  verifyReceipt,
  verifyRequest,
  verifyRevocationSignature,
  type AccessRequest,
  type ErrorCode,
  type Grant,
  type GrantEnvelope,
  type Header,
  type JsonObject,
  type JsonValue,
  type LedgerState,
  type MemberState,
  type OwnerState,
  type PlacedHeader,
  type ProposalAction,
  type ProposalState,
  type RecordStatement,
  type RecoverPublicKey,
  type RejectionReason,
  type SignedRequest,
  type Term,
  VerifiedGrants,
} from '@huilian/protocol';

/** One call as a transaction makes it. */
export interface LedgerCommand {
  /** MSP id. */
  readonly caller: string;
  /** `contract:function`. */
  readonly function: string;
  readonly argument: Uint8Array;
  /** Transaction time, Unix seconds. */
  readonly time: number;
  readonly transactionId: string;
}

/** State writes by key, undefined = deleted; per request of a pack its ticket or the code of its refusal. */
export interface Accepted {
  readonly writes: ReadonlyMap<string, unknown>;
  readonly entries?: readonly (string | ErrorCode)[];
}
export type Verdict = Accepted | { readonly refused: ErrorCode };

/** What the model cannot see: certificates travel beside a registration, not on the ledger. */
export type CertifiedBy = Pick<OwnerState, 'ca' | 'certificate'>;

export interface LedgerPlace {
  readonly channel?: string;
  readonly chaincode: string;
}

type KeyType = keyof LedgerState;
type KeyParts = readonly (string | number)[];
type Draft = Map<string, unknown>;

function refuse(code: ErrorCode): never {
  throw new ProtocolError(code);
}

function put<K extends KeyType>(draft: Draft, type: K, parts: KeyParts, value: LedgerState[K] | undefined): void {
  draft.set(stateKey(type, ...parts), value);
}

/** Arguments that may be larger than others. */
const largest: Readonly<Record<string, number>> = {
  [ledgerFunctions.found]: limits.proposeBytes,
  [ledgerFunctions.open]: limits.openBytes,
  [ledgerFunctions.propose]: limits.proposeBytes,
  [ledgerFunctions.publish]: limits.batchCompressedBytes,
};

/**
 * The ledger's rules a second time, from the words of docs/protocol and without the contracts' code: a state, and per
 * command what it writes or why it is refused. No I/O, no clock. Contracts and model are driven with the same commands by a
 * property test; the replay checker holds blocks against it.
 */
export class LedgerModel {
  readonly #state = new Map<string, unknown>();
  readonly #grants: VerifiedGrants;

  public constructor(
    /** Without a channel, the charter's own is taken. */
    private readonly place: LedgerPlace,
    private readonly recover?: RecoverPublicKey,
  ) {
    this.#grants = new VerifiedGrants(recover);
  }

  public get<K extends KeyType>(type: K, ...parts: KeyParts): LedgerState[K] | undefined {
    return this.#state.get(stateKey(type, ...parts)) as LedgerState[K] | undefined;
  }

  /** Decides a command; an accepted one is not yet applied. `certified`: what the ledger says of a registration's certificate. */
  public decide(command: LedgerCommand, certified: CertifiedBy = { ca: '', certificate: '' }): Verdict {
    try {
      return this.#decide(command, certified);
    } catch (error) {
      if (error instanceof ProtocolError) return { refused: error.code };
      throw error;
    }
  }

  public apply(writes: ReadonlyMap<string, unknown>): void {
    for (const [key, value] of writes) {
      if (value === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }

  #decide(command: LedgerCommand, certified: CertifiedBy): Accepted {
    const { argument: bytes } = command;
    if (bytes.length > (largest[command.function] ?? limits.argumentBytes)) refuse('ARG_TOO_LARGE');
    const draft: Draft = new Map();
    if (command.function === ledgerFunctions.publish) this.#publish(draft, command);
    else {
      const argument = readArgument(bytes);
      if (command.function === ledgerFunctions.open) return this.#open(draft, command, argument);
      const rule = this.#rules[command.function];
      if (rule === undefined) refuse('ARG_MALFORMED');
      rule.call(this, draft, command, argument, certified);
    }
    return { writes: draft };
  }

  readonly #rules: Readonly<Record<string, (draft: Draft, command: LedgerCommand, argument: JsonObject, certified: CertifiedBy) => void>> = {
    [ledgerFunctions.found]: this.#found,
    [ledgerFunctions.propose]: this.#propose,
    [ledgerFunctions.approve]: (draft, command, argument) => { this.#vote(draft, command, 'approvals', () => approveArgumentShape.read(argument)); },
    [ledgerFunctions.reject]: (draft, command, argument) => { this.#vote(draft, command, 'rejections', () => rejectArgumentShape.read(argument)); },
    [ledgerFunctions.rotateMemberKeys]: this.#rotateMemberKeys,
    [ledgerFunctions.acknowledge]: this.#acknowledge,
    [ledgerFunctions.declare]: this.#declare,
    [ledgerFunctions.registerOwner]: this.#registerOwner,
    [ledgerFunctions.rotateOwnerKey]: this.#rotateOwnerKey,
    [ledgerFunctions.recoverOwner]: this.#recoverOwner,
    [ledgerFunctions.objectRecovery]: this.#objectRecovery,
    [ledgerFunctions.expose]: this.#expose,
    [ledgerFunctions.attest]: this.#attest,
    [ledgerFunctions.state]: this.#stateOn,
    [ledgerFunctions.confirm]: this.#confirm,
    [ledgerFunctions.refuse]: this.#refuseTicket,
    [ledgerFunctions.dispute]: this.#dispute,
    [ledgerFunctions.revokeGrant]: this.#revokeGrant,
    [ledgerFunctions.setPolicy]: this.#setPolicy,
  };

  // --- Who may ----------------------------------------------------------------------------------------------------------

  #charter(): LedgerState['charter'] {
    return this.get('charter') ?? refuse('NOT_FOUNDED');
  }

  #member(id: string): MemberState {
    return this.get('member', id) ?? refuse('MEMBER_UNKNOWN');
  }

  /** In good standing; a hosted member stands with its host. */
  #active(id: string): MemberState {
    const member = this.#member(id);
    const standing = [member, ...(member.document.host === undefined ? [] : [this.#member(member.document.host)])];
    return standing.every(({ status }) => status === 'active') ? member : refuse('MEMBER_SUSPENDED');
  }

  #own(id: string, caller: string, otherwise: ErrorCode): MemberState {
    if (this.#member(id).document.organisation !== caller) refuse(otherwise);
    return this.#active(id);
  }

  #electorate(): readonly string[] {
    return this.get('electorate')?.centres ?? [];
  }

  #callingCentre(caller: string, otherwise: ErrorCode): string {
    return this.#electorate().find((id) => this.#member(id).document.organisation === caller) ?? refuse(otherwise);
  }

  // --- Governance -------------------------------------------------------------------------------------------------------

  #found(draft: Draft, { caller, time, transactionId }: LedgerCommand, argument: JsonObject): void {
    const { charter: document, founder } = foundArgumentShape.read(argument);
    const charter = readCharter(document);
    if (this.get('charter') !== undefined) refuse('ALREADY_FOUNDED');
    const place = { channel: this.place.channel ?? charter.channel, chaincode: this.place.chaincode };
    if (charter.channel !== place.channel || charter.chaincode !== place.chaincode) refuse('BAD_FIELD');
    const own = charter.founders.find(({ member }) => member.id === founder) ?? refuse('NOT_A_FOUNDER');
    if (own.member.organisation !== caller) refuse('FORBIDDEN');
    const digest = documentDigest(charter);
    const others = charter.founders.filter(({ member }) => member.id !== founder).map(({ member }) => this.get('founding', member.id)?.digest);
    if (this.get('founding', founder) === undefined && others.some((other) => other !== undefined && other !== digest)) refuse('CHARTER_MISMATCH');
    put(draft, 'founding', [founder], { digest });
    if (others.some((other) => other !== digest)) return;
    const domain = domainOf({ ...place, charter: digest, founding: transactionId });
    put(draft, 'charter', [], { ...place, digest, document: charter as unknown as JsonObject, domain, founding: transactionId });
    put(draft, 'electorate', [], { centres: charter.founders.map(({ member }) => member.id).sort() });
    for (const { caCertificate, member } of charter.founders) put(draft, 'member', [member.id], { admittedAt: time, caCertificate, document: member, sequence: 1, status: 'active' });
  }

  #propose(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const { action, content, round } = proposeArgumentShape.read(argument);
    const proposer = this.#callingCentre(caller, 'NOT_A_CENTRE');
    const id = proposalId({ action, content, round });
    const before = this.get('proposal', id);
    if (before !== undefined) refuse(before.status === 'open' ? 'PROPOSAL_EXISTS' : 'PROPOSAL_CLOSED');
    this.#applyContent(new Map(), action, content, id, time);
    this.#settleProposal(draft, { action, approvals: [proposer], content, id, proposedAt: time, proposer, rejections: [], round, status: 'open' }, time);
  }

  #vote(draft: Draft, { caller, time }: LedgerCommand, side: 'approvals' | 'rejections', read: () => { readonly proposal: string; readonly reason?: RejectionReason }): void {
    this.#charter();
    const { proposal: id, reason } = read();
    const proposal = this.get('proposal', id) ?? refuse('PROPOSAL_UNKNOWN');
    if (proposal.status !== 'open') refuse('PROPOSAL_CLOSED');
    const voter = this.#callingCentre(caller, 'NOT_A_CENTRE');
    const voted = [...proposal.approvals, ...proposal.rejections].includes(voter);
    if (voted && this.#tally(proposal) === 'open') refuse('ALREADY_VOTED');
    const said = reason === undefined ? {} : { reasons: { ...proposal.reasons, [voter]: reason } };
    this.#settleProposal(draft, voted ? proposal : { ...proposal, [side]: [...proposal[side], voter].sort(), ...said }, time);
  }

  /** A majority of the centres active now; rejected is what can no longer find one. */
  #tally({ approvals, rejections }: ProposalState): ProposalState['status'] {
    const centres = this.#electorate();
    const share = (votes: readonly string[]): number => votes.filter((vote) => centres.includes(vote)).length / centres.length;
    return share(approvals) > 0.5 ? 'adopted' : share(rejections) >= 0.5 ? 'rejected' : 'open';
  }

  #settleProposal(draft: Draft, proposal: ProposalState, time: number): void {
    const status = this.#tally(proposal);
    put(draft, 'proposal', [proposal.id], { ...proposal, status });
    if (status === 'adopted') this.#applyContent(draft, proposal.action, proposal.content, proposal.id, time);
  }

  #applyContent(draft: Draft, action: ProposalAction, content: JsonObject, proposal: string, time: number): void {
    try {
      this.#content(draft, action, content, proposal, time);
    } catch (error) {
      const formal = error instanceof ProtocolError && ['BAD_FIELD', 'UNKNOWN_FIELD', 'BAD_ID'].includes(error.code);
      throw formal ? new ProtocolError('PROPOSAL_INVALID') : error;
    }
  }

  #content(draft: Draft, action: ProposalAction, content: JsonObject, proposal: string, time: number): void {
    if (action === 'admit') this.#admit(draft, content, time);
    else if (action === 'suspend') {
      const { member: id } = proposalContents.suspend.read(content);
      const member = this.#member(id);
      if (member.status !== 'active') refuse('MEMBER_SUSPENDED');
      const centres = this.#electorate().filter((centre) => centre !== id);
      if (centres.length === 0) refuse('PROPOSAL_INVALID');
      put(draft, 'member', [id], { ...member, status: 'suspended' });
      if (member.document.kind === 'centre') put(draft, 'electorate', [], { centres });
    } else if (action === 'retire') this.#retire(draft, content, time);
    else if (action === 'migration') this.#adoptMigration(draft, content, proposal);
    else this.#adopt(draft, action, content, proposal, time);
  }

  #adopt(draft: Draft, action: 'code-set' | 'publish-schema' | 'rule-set' | 'trust-ca', content: JsonObject, proposal: string, time: number): void {
    if (action === 'publish-schema') {
      this.#adoptSchema(draft, content, proposal, time);
      return;
    }
    if (action === 'trust-ca') {
      this.#trustCa(draft, content, proposal, time);
      return;
    }
    const { document, effective, name, retires, version } = proposalContents[action].read(content);
    const type = action === 'code-set' ? 'codeSet' : 'ruleSet';
    if (this.get(type, name, version) !== undefined) refuse('PROPOSAL_INVALID');
    if (type === 'codeSet') readCodes(document);
    else if (name === completenessRuleSet) readCompletenessRules(document);
    const term = newTerm({ effective, retires, version }, this.get(type, name, version - 1), time);
    put(draft, type, [name, version], { digest: documentDigest(document), document, name, proposal, version, ...term });
  }

  #adoptSchema(draft: Draft, content: JsonObject, proposal: string, time: number): void {
    const { document, effective, retires } = proposalContents['publish-schema'].read(content);
    const definition = kindFromDocument(document);
    const { kind, version } = definition;
    if (hasRemoteReference(document)) refuse('SCHEMA_INVALID');
    if (this.get('schema', kind, version) !== undefined) refuse('PROPOSAL_INVALID');
    const term = newTerm({ effective, retires, version }, this.get('schema', kind, version - 1), time);
    for (const word of namedCodes(definition).filter(needsCodeSet)) if (!listsCodes(this.get('codeSet', word, 1))) refuse('PROPOSAL_INVALID');
    put(draft, 'schema', [kind, version], { digest: documentDigest(document), document, kind, proposal, version, ...term });
  }

  #trustCa(draft: Draft, content: JsonObject, proposal: string, time: number): void {
    const { certificate, effective, name, retires, usccOids } = proposalContents['trust-ca'].read(content);
    const fingerprint = sha256Hex(Uint8Array.from(atob(certificate.replace(/-----[A-Z ]+-----|\s/g, '')), (character) => character.charCodeAt(0)));
    const fingerprints = this.get('trustList')?.fingerprints ?? [];
    const ended = (this.get('ca', fingerprint)?.retires ?? Infinity) <= time;
    if (fingerprints.includes(fingerprint) && !ended) refuse('PROPOSAL_INVALID');
    put(draft, 'ca', [fingerprint], { certificate, fingerprint, name, proposal, usccOids, ...newTerm({ effective, retires, version: 1 }, undefined, time) });
    if (!fingerprints.includes(fingerprint)) put(draft, 'trustList', [], { fingerprints: [...fingerprints, fingerprint].sort() });
  }

  #adoptMigration(draft: Draft, content: JsonObject, proposal: string): void {
    const { document } = proposalContents.migration.read(content);
    const migration = readMigration(document);
    const { from, kind, to } = migration;
    if (this.get('migration', kind, from, to) !== undefined) refuse('PROPOSAL_INVALID');
    const [old, next] = [from, to].map((version) => kindFromDocument((this.get('schema', kind, version) ?? refuse('SCHEMA_UNKNOWN')).document));
    if (old !== undefined && next !== undefined) checkMigration(migration, old, next);
    put(draft, 'migration', [kind, from, to], { digest: documentDigest(document), document, from, kind, proposal, to });
  }

  /** What stands on the ledger and has not ended gets its end, now at the earliest. */
  #retire(draft: Draft, content: JsonObject, time: number): void {
    const { id, of, retires, version } = proposalContents.retire.read(content);
    if ((of === 'ca') !== (version === undefined)) refuse('PROPOSAL_INVALID');
    const type = ({ ca: 'ca', 'code-set': 'codeSet', 'rule-set': 'ruleSet', schema: 'schema' } as const)[of];
    const parts = [id, ...(version === undefined ? [] : [version])];
    const standing = this.get(type, ...parts) ?? refuse('PROPOSAL_INVALID');
    const end = retires < time ? time : retires;
    if ((standing.retires ?? Infinity) <= time || end <= (standing.effective ?? 0)) refuse('PROPOSAL_INVALID');
    put(draft, type, parts, { ...standing, retires: end });
  }

  #admit(draft: Draft, content: JsonObject, time: number): void {
    const { caCertificate, member: document } = proposalContents.admit.read(content);
    const member = readMemberDocument(document, '/member');
    const centre = member.kind === 'centre';
    const before = this.get('member', member.id);
    if (before?.status === 'active') refuse('MEMBER_EXISTS');
    if ((before !== undefined && before.document.kind !== member.kind) || centre !== (caCertificate !== undefined)) refuse('PROPOSAL_INVALID');
    this.#checkPlaceOf(member);
    put(draft, 'member', [member.id], { admittedAt: time, ...(caCertificate === undefined ? {} : { caCertificate }), document: member, sequence: (before?.sequence ?? 0) + 1, status: 'active' });
    if (centre) put(draft, 'electorate', [], { centres: [...this.#electorate(), member.id].sort() });
  }

  /** No two active centres share an organisation or a peer; a hosted member is of its host's organisation. */
  #checkPlaceOf({ host: id, organisation, peerId }: MemberState['document']): void {
    const host = id === undefined ? undefined : this.#active(id).document;
    const others = host === undefined ? this.#electorate().map((centre) => this.#member(centre).document) : [];
    const taken = others.some((other) => other.organisation === organisation || other.peerId === peerId);
    const strange = host !== undefined && (host.kind !== 'centre' || host.organisation !== organisation);
    if (taken || strange) refuse('PROPOSAL_INVALID');
  }

  #rotateMemberKeys(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    const { domain } = this.#charter();
    const parsed = parseJws(rotateMemberKeysArgumentShape.read(argument).rotation, 'ARG_MALFORMED');
    const kid = checkJwsHeader(parsed, 'huilian-rotation+jwt', 'ARG_MALFORMED');
    const { encryptionKey, expires, member: id, salt, signingKey } = memberRotationShape.read(parsed.payload);
    if (kid !== id) refuse('ARG_MALFORMED');
    const member = this.#own(id, caller, 'FORBIDDEN');
    if (salt !== domain.salt) refuse('GRANT_WRONG_DOMAIN');
    checkTerm(expires, time);
    if (!verifyEs256(member.document.signingKey, parsed.signingInput, parsed.signature)) refuse('STATEMENT_BAD_SIGNATURE');
    if (jwkThumbprint(signingKey) === jwkThumbprint(member.document.signingKey)) refuse('BAD_FIELD');
    put(draft, 'member', [id], { ...member, document: { ...member.document, encryptionKey, signingKey }, sequence: member.sequence + 1 });
  }

  // --- Owners -----------------------------------------------------------------------------------------------------------

  /** As of a time: a recovery that took effect is written out. */
  #owner(id: string, time: number): OwnerState {
    const owner = this.get('owner', id) ?? refuse('OWNER_UNKNOWN');
    const { recovery, ...rest } = owner;
    if (recovery === undefined || ownerKeyInForce(owner, time) === owner.key) return owner;
    return { ...rest, ca: recovery.ca, certificate: recovery.certificate, key: recovery.key, sequence: owner.sequence + 1 };
  }

  #checkStatement({ expires, salt }: { readonly expires: number; readonly salt: string }, time: number): void {
    if (salt !== this.#charter().domain.salt) refuse('GRANT_WRONG_DOMAIN');
    checkTerm(expires, time);
  }

  #registerOwner(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject, certified: CertifiedBy): void {
    this.#charter();
    const { statement } = signedStatementShape.read(argument);
    this.#callingCentre(caller, 'FORBIDDEN');
    if (this.get('owner', statement.owner) !== undefined) refuse('OWNER_EXISTS');
    this.#checkStatement(statement, time);
    put(draft, 'owner', [statement.owner], { ...certified, key: statement.key, owner: statement.owner, registeredAt: time, sequence: 1 });
  }

  #rotateOwnerKey(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    const { domain } = this.#charter();
    const envelope = keyRotationEnvelopeShape.read(argument);
    this.#callingCentre(caller, 'FORBIDDEN');
    const { expires, newKey, owner: id } = envelope.rotation;
    const { recovery, ...owner } = this.#owner(id, time);
    if (recovery !== undefined && recovery.effectiveAt > 0) refuse('RECOVERY_PENDING');
    checkTerm(expires, time);
    if (verifyOwnerStatement(envelope, 'KeyRotation', envelope.rotation, domain, this.recover) !== owner.key) refuse('STATEMENT_BAD_SIGNATURE');
    if (newKey === owner.key) refuse('BAD_FIELD');
    put(draft, 'owner', [id], { ...owner, key: newKey, sequence: owner.sequence + 1 });
  }

  #recoverOwner(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject, certified: CertifiedBy): void {
    this.#charter();
    const { statement } = signedStatementShape.read(argument);
    const centre = this.#callingCentre(caller, 'NOT_A_CENTRE');
    const owner = this.#owner(statement.owner, time);
    const before = owner.recovery;
    if (before !== undefined && before.effectiveAt > 0) refuse('RECOVERY_PENDING');
    if (statement.key === owner.key) refuse('BAD_FIELD');
    this.#checkStatement(statement, time);
    const same = before?.key === statement.key && before.certificate === certified.certificate;
    const earlier = same ? before.approvals.filter((approval) => this.#electorate().includes(approval)) : [];
    if (earlier.includes(centre)) refuse('ALREADY_VOTED');
    const approvals = [...earlier, centre].sort();
    const effectiveAt = approvals.length < 2 ? 0 : time + limits.recoveryDelaySeconds;
    put(draft, 'owner', [statement.owner], { ...owner, recovery: { ...certified, approvals, effectiveAt, key: statement.key } });
  }

  #objectRecovery(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    const { domain } = this.#charter();
    const envelope = recoveryObjectionEnvelopeShape.read(argument);
    this.#callingCentre(caller, 'FORBIDDEN');
    const { recovery, ...owner } = this.#owner(envelope.objection.owner, time);
    if (recovery?.key !== envelope.objection.newKey) refuse('RECOVERY_UNKNOWN');
    if (verifyOwnerStatement(envelope, 'RecoveryObjection', envelope.objection, domain, this.recover) !== owner.key) refuse('STATEMENT_BAD_SIGNATURE');
    put(draft, 'owner', [owner.owner], owner);
  }

  // --- Completeness -----------------------------------------------------------------------------------------------------

  #declare(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const { days, publisher } = declareArgumentShape.read(argument);
    if (this.#own(publisher, caller, 'FORBIDDEN').document.kind !== 'centre') refuse('NOT_RECORD_OWNER');
    const places = days.map(({ day, kind }) => `${kind} ${day}`);
    days.forEach(({ day, expected, kind }, at) => {
      if (dayStart(day) > time || places.indexOf(`${kind} ${day}`) !== at) refuse('BAD_FIELD');
      if (this.get('schema', kind, 1) === undefined) refuse('SCHEMA_UNKNOWN');
      if (this.get('declaration', publisher, kind, day)?.expected === expected) return;
      put(draft, 'declaration', [publisher, kind, day], { day, declaredAt: time, expected, kind, publisher });
    });
  }

  #acknowledge(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const { documents, member } = acknowledgeArgumentShape.read(argument);
    this.#own(member, caller, 'FORBIDDEN');
    for (const { digest, id, of, version } of documents) {
      const standing = { ca: () => this.get('ca', id)?.fingerprint, 'code-set': () => this.get('codeSet', id, version)?.digest, 'rule-set': () => this.get('ruleSet', id, version)?.digest, schema: () => this.get('schema', id, version)?.digest };
      if (standing[of]() !== digest) refuse('SCHEMA_UNKNOWN');
      if (this.get('acknowledgement', member, of, id, version) === undefined) put(draft, 'acknowledgement', [member, of, id, version], { at: time, digest, id, member, of, version });
    }
  }

  // --- Records ----------------------------------------------------------------------------------------------------------

  #publish(draft: Draft, { argument, caller, time }: LedgerCommand): void {
    this.#charter();
    const { headers, previous, publisher, seq } = decodeBatchArgument(argument);
    const { document } = this.#member(publisher);
    if (document.kind !== 'centre' || document.organisation !== caller) refuse('NOT_RECORD_OWNER');
    this.#active(publisher);
    if (this.get('batch', publisher, seq) !== undefined) refuse('BATCH_EXISTS');
    for (const header of headers) this.#checkKind(header, time);
    put(draft, 'batch', [publisher, seq], { count: headers.length, root: batchRoot(headers) });
    const before = [...previous];
    for (const header of headers.filter(({ version }) => version > 1)) {
      const placed = before.shift() ?? refuse('BATCH_MALFORMED');
      this.#checkPrevious(publisher, header, placed);
      put(draft, 'record', [publisher, header.localId], { batch: seq, header });
    }
  }

  #checkKind({ kind, rights, schema, version }: Header, time: number): void {
    if (kind === 'sealed') return;
    const adopted = this.get('schema', kind, schema) ?? refuse('SCHEMA_UNKNOWN');
    if ((adopted.effective ?? 0) - time > limits.proposalWindowSeconds) refuse('SCHEMA_UNKNOWN');
    const rules = adopted.document['x-huilian'] as { readonly rights: readonly string[]; readonly sealed: boolean };
    if (!rules.rights.includes(rights)) refuse('RIGHTS_NOT_ALLOWED');
    if (rules.sealed && version === 1) refuse('HEADER_INVALID');
  }

  #checkPrevious(publisher: string, header: Header, placed: PlacedHeader): void {
    const { header: before } = placed;
    if (before.localId !== header.localId) refuse('PREVIOUS_MISMATCH');
    const current = this.get('record', publisher, header.localId)?.header;
    if (header.version !== (current?.version ?? 1) + 1) refuse('VERSION_ORDER');
    checkPlacedHeader(placed, this.get('batch', publisher, placed.seq) ?? refuse('PREVIOUS_MISMATCH'));
    if (current !== undefined && !sameHeader(current, before)) refuse('PREVIOUS_MISMATCH');
    if (before.kind === 'sealed' && header.kind !== 'sealed') checkOpening(header, before);
    else if (header.salt !== undefined) refuse('SEALED_OPENING_INVALID');
    else if (header.kind !== before.kind || header.subject !== before.subject || header.owner !== before.owner) refuse('SUPERSEDE_CHANGES_OWNER');
  }

  #expose(draft: Draft, { caller }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const { first, publisher, second } = exposeArgumentShape.read(argument);
    readPlacedHeader(first, '/first');
    readPlacedHeader(second, '/second');
    this.#callingCentre(caller, 'FORBIDDEN');
    const { localId, version } = first.header;
    if (second.header.localId !== localId || second.header.version !== version || sameHeader(first.header, second.header)) refuse('NOT_CONTESTED');
    for (const placed of [first, second]) checkPlacedHeader(placed, this.get('batch', publisher, placed.seq) ?? refuse('RECORD_UNKNOWN'));
    if ((this.get('contested', publisher, localId)?.version ?? 0) < version) put(draft, 'contested', [publisher, localId], { version });
  }

  #attest(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const { compared, outcome, placed, publisher } = attestArgumentShape.read(argument);
    readPlacedHeader(placed, '/placed');
    if (outcome === 'withdrawn' ? compared.length > 0 : compared.length === 0) refuse('BAD_FIELD');
    const attester = this.#callingCentre(caller, 'NOT_A_CENTRE');
    if (attester === publisher) refuse('FORBIDDEN');
    const { digest, kind, localId, owner, subject, version } = placed.header;
    const before = this.get('attestation', publisher, localId, version, attester);
    if (outcome === 'withdrawn') this.#checkPlaced(publisher, placed);
    else this.#checkCurrent(publisher, placed);
    if (outcome === 'withdrawn' && before === undefined) refuse('ATTESTATION_UNKNOWN');
    if (before?.outcome === outcome && before.compared.join() === compared.join()) return;
    put(draft, 'attestation', [publisher, localId, version, attester], { attestedAt: time, attester, compared, digest, outcome, party: owner ?? subject, recordId: recordId(publisher, kind, localId), version });
  }

  #stateOn(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    const { domain } = this.#charter();
    const { envelope, placed } = stateArgumentShape.read(argument);
    const { signature, statement } = readRecordStatement(envelope, '/envelope');
    readPlacedHeader(placed, '/placed');
    this.#callingCentre(caller, 'FORBIDDEN');
    const key = ownerKeyInForce(this.get('owner', statement.owner) ?? refuse('OWNER_UNKNOWN'), time);
    if (verifyOwnerStatement(envelope, 'RecordStatement', statement, domain, this.recover) !== key) refuse('STATEMENT_BAD_SIGNATURE');
    const publisher = statement.record.slice(0, statement.record.indexOf('/'));
    const { digest, kind, localId, owner, subject, version } = placed.header;
    if (statement.record !== recordId(publisher, kind, localId) || statement.version !== version || statement.digest !== `0x${digest}`) refuse('STATEMENT_OTHER_RECORD');
    if ((owner ?? subject) !== statement.owner) refuse('STATEMENT_OTHER_RECORD');
    const before = this.get('statement', publisher, localId, version, statement.owner)?.statement;
    if (before !== undefined && factsOf(before) === factsOf(statement)) return;
    checkIssued(statement, before, time);
    if (statement.verdict === 'withdraw') this.#checkPlaced(publisher, placed);
    else this.#checkCurrent(publisher, placed);
    put(draft, 'statement', [publisher, localId, version, statement.owner], { signature, statedAt: time, statement });
  }

  // --- Access -----------------------------------------------------------------------------------------------------------

  #open(draft: Draft, command: LedgerCommand, argument: JsonObject): Accepted {
    this.#charter();
    const { entries, ...unknown } = argument;
    if (Object.keys(unknown).length > 0) refuse('UNKNOWN_FIELD');
    if (!Array.isArray(entries) || entries.length < 1 || entries.length > limits.openRequests) refuse('BAD_FIELD');
    const answers = (entries as readonly JsonValue[]).map((entry, index) => {
      const ticket = `${command.transactionId}/${String(index)}`;
      try {
        return this.#openOne(draft, command, entry, ticket);
      } catch (error) {
        if (error instanceof ProtocolError) return error.code;
        throw error;
      }
    });
    return { writes: draft, entries: answers };
  }

  /** Within a pack an earlier entry's request id and slot are taken; nothing else of it is seen. */
  #taken<K extends 'request' | 'slot'>(draft: Draft, type: K, ...parts: KeyParts): LedgerState[K] | undefined {
    return this.get(type, ...parts) ?? (draft.get(stateKey(type, ...parts)) as LedgerState[K] | undefined);
  }

  #openOne(draft: Draft, { caller, time }: LedgerCommand, value: JsonValue, id: string): string {
    const entry = openEntryShape.read(isJsonObject(value) ? value : undefined);
    if (entry.grant !== undefined) readGrantEnvelope(entry.grant, '/grant');
    const signed = readRequest(entry.request);
    const { request } = signed;
    const { document: reader } = this.#own(request.reader, caller, 'REQUEST_NOT_READER');
    verifyRequest(signed, reader.signingKey);
    const { document: charter, domain } = this.#charter();
    if (request.salt !== domain.salt) refuse('REQUEST_WRONG_DOMAIN');
    const before = this.#taken(draft, 'request', request.reader, request.requestId);
    if (before !== undefined) return before.digest === signed.digest ? before.ticket : refuse('REQUEST_ID_REUSED');
    checkAge(time - request.issuedAt);
    checkReceiver(request, reader.encryptionKey);
    const { offerSeconds, ticketSeconds } = charter['values'] as { offerSeconds: number; ticketSeconds: number };
    this.#checkOffer(entry.offer, signed, time, offerSeconds);
    for (const placed of request.headers) this.#checkCurrent(request.publisher, placed);
    const owner = request.headers[0]?.header.owner ?? '';
    if (owner === '' && request.recipient !== undefined) refuse('GRANT_REQUIRED');
    const { ends, slot } = owner === '' ? { ends: this.#policyEnd(request, reader.kind, time), slot: undefined } : this.#grantEnd(draft, entry, owner, request, time);
    put(draft, 'ticket', [id], {
      basis: request.basis,
      claims: request.claims,
      encryptionKey: request.encryptionKey,
      expires: Math.min(time + ticketSeconds, ends),
      openedAt: time,
      owner,
      publisher: request.publisher,
      purpose: request.purpose,
      reader: request.reader,
      readerKey: jwkThumbprint(reader.signingKey),
      records: request.headers.map(({ header }) => ({ digest: header.digest, recordId: recordId(request.publisher, header.kind, header.localId), version: header.version })),
      request: signed.digest,
      requestId: request.requestId,
      ...(slot === undefined ? {} : { slot }),
    });
    put(draft, 'request', [request.reader, request.requestId], { digest: signed.digest, ticket: id });
    if (slot !== undefined) put(draft, 'slot', [owner, request.basis.digest, slot], { ticket: id });
    return id;
  }

  #checkOffer(offer: string, signed: SignedRequest, time: number, offerSeconds: number): void {
    const { expires } = verifyOffer(offer, signed, this.#active(signed.request.publisher).document.signingKey);
    if (expires < time) refuse('OFFER_EXPIRED');
    if (expires > time + offerSeconds + limits.proposalWindowSeconds) refuse('OFFER_MISMATCH');
  }

  #checkPlaced(publisher: string, placed: PlacedHeader): void {
    checkPlacedHeader(placed, this.get('batch', publisher, placed.seq) ?? refuse('RECORD_UNKNOWN'));
    if (placed.header.kind === 'sealed') refuse('RECORD_SEALED');
  }

  #checkCurrent(publisher: string, placed: PlacedHeader): void {
    const { localId, version } = placed.header;
    this.#checkPlaced(publisher, placed);
    if (version <= (this.get('contested', publisher, localId)?.version ?? 0)) refuse('RECORD_CONTESTED');
    const current = this.get('record', publisher, localId)?.header;
    if (current?.status === 'revoked') refuse('RECORD_REVOKED');
    if (version !== (current?.version ?? 1)) refuse('RECORD_STALE');
  }

  #grantEnd(draft: Draft, { grant: envelope, slot }: { readonly grant?: GrantEnvelope | undefined; readonly slot?: number | undefined }, owner: string, request: AccessRequest, time: number): { readonly ends: number; readonly slot: number } {
    if (envelope === undefined || request.basis.kind !== 'grant') refuse('GRANT_REQUIRED');
    const { grant } = envelope;
    const { digest, key } = this.#grants.verify(envelope, this.#charter().domain);
    if (request.basis.digest !== digest) refuse('GRANT_REQUIRED');
    const registered = this.get('owner', grant.owner) ?? refuse('OWNER_UNKNOWN');
    if (key !== ownerKeyInForce(registered, time)) refuse('GRANT_BAD_SIGNATURE');
    if (grant.owner !== owner) refuse('GRANT_NOT_OWNER');
    checkGrantTerms(grant, request, time);
    if (this.get('revocation', owner, digest) !== undefined) refuse('GRANT_REVOKED');
    if (slot === undefined) refuse('BAD_FIELD');
    if (slot > grant.maxUses) refuse('GRANT_EXHAUSTED');
    if (this.#taken(draft, 'slot', owner, digest, slot) !== undefined) refuse('SLOT_TAKEN');
    return { ends: grant.expires, slot };
  }

  #policyEnd({ basis, claims, headers, publisher, purpose }: AccessRequest, readerKind: MemberState['document']['kind'], time: number): number {
    const kind = headers[0]?.header.kind ?? '';
    if (basis.kind !== 'policy') refuse('POLICY_UNKNOWN');
    if (headers.some(({ header }) => header.rights === 'public' || header.kind !== kind)) refuse('POLICY_NOT_COVERED');
    const policy = this.get('policy', publisher, kind, basis.digest)?.policy ?? refuse('POLICY_UNKNOWN');
    if (time < policy.notBefore || time >= policy.expires) refuse('POLICY_UNKNOWN');
    const covered = policy.granteeClasses.includes(readerKind) && policy.purposes.includes(purpose) && claims.every((claim) => policy.claims.includes(claim));
    return covered ? policy.expires : refuse('POLICY_NOT_COVERED');
  }

  #ticket(id: string): LedgerState['ticket'] {
    return this.get('ticket', id) ?? refuse('TICKET_UNKNOWN');
  }

  #confirm(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    for (const jws of confirmArgumentShape.read(argument).receipts) {
      const { ticket: id } = readReceipt(jws);
      const ticket = this.#ticket(id);
      this.#own(ticket.publisher, caller, 'FORBIDDEN');
      if (ticket.refused !== undefined) refuse('TICKET_REFUSED');
      const receipt = verifyReceipt(jws, { ticket: id, reader: ticket.reader, key: this.#member(ticket.reader).document.signingKey });
      const first = (draft.get(stateKey('receipt', id)) as LedgerState['receipt'] | undefined) ?? this.get('receipt', id);
      if (first === undefined) put(draft, 'receipt', [id], { confirmedAt: time, digest: documentDigest(receipt), jwe: receipt.jwe });
      else if (first.jwe !== receipt.jwe) refuse('RECEIPT_MISMATCH');
    }
  }

  #checkUnsettled(id: string): void {
    if (this.#ticket(id).refused !== undefined) refuse('TICKET_REFUSED');
    if (this.get('receipt', id) !== undefined) refuse('TICKET_CONFIRMED');
  }

  #refuseTicket(draft: Draft, { caller }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const { code, ticket: id } = refuseArgumentShape.read(argument);
    const ticket = this.#ticket(id);
    this.#own(ticket.publisher, caller, 'FORBIDDEN');
    this.#checkUnsettled(id);
    put(draft, 'ticket', [id], { ...ticket, refused: code });
    if (ticket.slot !== undefined) put(draft, 'slot', [ticket.owner, ticket.basis.digest, ticket.slot], undefined);
  }

  #dispute(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const parsed = parseJws(disputeArgumentShape.read(argument).dispute, 'REQUEST_MALFORMED');
    const kid = checkJwsHeader(parsed, 'huilian-dispute+jwt', 'REQUEST_MALFORMED');
    const { disputedAt, reader, ticket: id } = disputeShape.read(parsed.payload);
    if (kid !== reader || this.#ticket(id).reader !== reader) refuse('REQUEST_NOT_READER');
    const { document } = this.#own(reader, caller, 'REQUEST_NOT_READER');
    if (!verifyEs256(document.signingKey, parsed.signingInput, parsed.signature)) refuse('REQUEST_BAD_SIGNATURE');
    checkAge(time - disputedAt);
    this.#checkUnsettled(id);
    if (this.get('dispute', id) === undefined) put(draft, 'dispute', [id], { disputedAt: time });
  }

  #revokeGrant(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    const { domain } = this.#charter();
    const envelope = revocationEnvelopeShape.read(argument);
    this.#callingCentre(caller, 'FORBIDDEN');
    const { grant, owner: id } = envelope.revocation;
    const owner = this.get('owner', id) ?? refuse('OWNER_UNKNOWN');
    if (verifyRevocationSignature(envelope, domain, this.recover).key !== ownerKeyInForce(owner, time)) refuse('REVOCATION_BAD_SIGNATURE');
    if (this.get('revocation', id, grant) === undefined) put(draft, 'revocation', [id, grant], { revokedAt: time });
  }

  #setPolicy(draft: Draft, { caller, time }: LedgerCommand, argument: JsonObject): void {
    this.#charter();
    const policy = policyShape.read(argument);
    const { expires, kind, notBefore, publisher } = policy;
    if (this.#own(publisher, caller, 'FORBIDDEN').document.kind !== 'centre') refuse('FORBIDDEN');
    if (expires <= notBefore || expires <= time) refuse('BAD_FIELD');
    const digest = documentDigest(policy);
    if (this.get('policy', publisher, kind, digest) === undefined) put(draft, 'policy', [publisher, kind, digest], { digest, policy });
  }
}

function readArgument(bytes: Uint8Array): JsonObject {
  try {
    return parseCanonicalObject(bytes);
  } catch {
    return refuse('ARG_MALFORMED');
  }
}

/** A statement that changes keys: not expired, signed for a day at most. */
function checkTerm(expires: number, time: number): void {
  if (expires <= time) refuse('STATEMENT_EXPIRED');
  if (expires > time + limits.statementTermSeconds) refuse('BAD_FIELD');
}

/** What a member signed: five minutes old at most, and no further ahead than endorsers let a clock run. */
function checkAge(age: number): void {
  if (age > limits.requestAgeSeconds || age < -limits.proposalWindowSeconds) refuse('REQUEST_EXPIRED');
}

/** A sealed header's owner is a commitment that the opening must fit. */
function checkOpening({ owner, salt }: Header, before: Header): void {
  if (salt === undefined || owner === undefined || sealedOwner(salt, owner) !== before.owner) refuse('SEALED_OPENING_INVALID');
}

/** What makes two statements on one version the same. */
function factsOf({ claims, issuedAt, reason, verdict }: RecordStatement): string {
  return [issuedAt, verdict, reason, ...claims].join();
}

/** A day old at most, after the word that stands, and with something to take back. */
function checkIssued({ issuedAt, verdict }: RecordStatement, before: RecordStatement | undefined, time: number): void {
  const age = time - issuedAt;
  if (age > limits.statementTermSeconds || age < -limits.proposalWindowSeconds) refuse('STATEMENT_EXPIRED');
  if (before !== undefined && before.issuedAt >= issuedAt) refuse('STATEMENT_SUPERSEDED');
  if (before === undefined && verdict === 'withdraw') refuse('STATEMENT_OTHER_RECORD');
}

/** An own copy goes to a key that the request names, anything else to the registered one. */
function checkReceiver({ encryptionKey, purpose, recipient }: AccessRequest, registered: JsonObject): void {
  if ((recipient === undefined) === (purpose === 'own-copy')) refuse('ENCRYPTION_KEY_MISMATCH');
  if (encryptionKey !== jwkThumbprint(recipient === undefined ? registered : recipient.key)) refuse('ENCRYPTION_KEY_MISMATCH');
}

function checkGrantTerms(grant: Grant, { claims, encryptionKey, headers, purpose, reader, recipient }: AccessRequest, time: number): void {
  if (grant.grantee !== reader) refuse('GRANT_WRONG_GRANTEE');
  if (grant.purpose !== purpose) refuse('GRANT_WRONG_PURPOSE');
  const asked = headers.flatMap(({ header }) => claims.map((claim) => `${header.kind}/${claim}`));
  if (!asked.every((claim) => grant.claims.includes(claim))) refuse('GRANT_CLAIM_NOT_COVERED');
  if (recipient !== undefined && grant.reference !== referenceOf(fromHex(recipient.salt), encryptionKey)) refuse('ENCRYPTION_KEY_MISMATCH');
  if (time < grant.notBefore) refuse('GRANT_NOT_YET_VALID');
  if (time >= grant.expires) refuse('GRANT_EXPIRED');
}

/** When a new version begins and ends: the first one at any time, a later one now or when it says, never before the one it follows. */
function newTerm({ effective, retires, version }: Term & { readonly version: number }, previous: Term | undefined, time: number): Term {
  const begins = effective ?? (version === 1 ? undefined : time);
  if (retires !== undefined && retires <= Math.max(time, effective ?? 0)) refuse('PROPOSAL_INVALID');
  if (version > 1 && (previous === undefined || (begins ?? 0) < (previous.effective ?? 0))) refuse('PROPOSAL_INVALID');
  return { ...(begins === undefined ? {} : { effective: begins }), ...(retires === undefined ? {} : { retires }) };
}

function listsCodes(set: LedgerState['codeSet'] | undefined): boolean {
  return set !== undefined && readCodes(set.document) !== undefined;
}

function hasRemoteReference(value: JsonValue): boolean {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some(hasRemoteReference);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([name, entry]) => ((name === '$ref' || name === '$dynamicRef') && typeof entry === 'string' && !entry.startsWith('#')) || hasRemoteReference(entry));
}
