import {
  canonicalize,
  checkPlacedHeader,
  documentDigest,
  domainOf,
  grantDigest,
  jwkThumbprint,
  ownerKeyInForce,
  parseCanonicalObject,
  ProtocolError,
  readCharter,
  readGrantEnvelope,
  readPlacedHeader,
  readRequest,
  recordId,
  releaseShape,
  parseJws,
  checkJwsHeader,
  stateKey,
  verifyEs256,
  verifyGrantSignature,
  verifyReceipt,
  verifyRequest,
  type Charter,
  type LedgerState,
  type Ticket,
} from '@huilian/protocol';
import { endorsedWrites } from './endorsed-writes.js';
import { evidenceShape, type EndorsedTransaction, type Evidence } from './evidence-file.js';

export type CheckResult = 'holds' | 'fails' | 'not-provable-yet';

export interface EvidenceCheck {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly result: CheckResult;
  /** Error code of a check that fails. */
  readonly why?: string;
}

export interface EvidenceReport {
  /** True when every check that can be made offline holds. */
  readonly ok: boolean;
  readonly checks: readonly EvidenceCheck[];
  readonly ticket: string;
  readonly reader: string;
  readonly owner: string;
}

/** Reads an evidence file. @throws EVIDENCE_MALFORMED */
export function readEvidence(file: unknown): Evidence {
  try {
    const evidence = evidenceShape.read(file);
    readCharter(evidence.charter);
    evidence.records.forEach((placed, index) => readPlacedHeader(placed, `/records/${String(index)}`));
    if (evidence.grant !== undefined) readGrantEnvelope(evidence.grant);
    return evidence;
  } catch (error) {
    throw new ProtocolError('EVIDENCE_MALFORMED', error instanceof ProtocolError ? { reason: error.message } : {});
  }
}

/**
 * Verifies an access offline, from nothing but the charter's fingerprint: what the centres endorsed, the record under
 * its batch's root, the owner's registered key and grant, the reader's request, the publisher's release, the receipt.
 * Validity on the ledger and the absence of a later revocation need the ledger, and are said to be not provable yet.
 * @throws EVIDENCE_MALFORMED
 */
export async function verifyEvidence(file: unknown, charterFingerprint: string): Promise<EvidenceReport> {
  const evidence = readEvidence(file);
  const trial = new Trial(evidence);
  const checks = await trial.run(charterFingerprint);
  return {
    ok: checks.every(({ result }) => result !== 'fails'),
    checks,
    ticket: evidence.ticketId,
    reader: trial.ticket?.reader ?? '',
    owner: trial.ticket?.owner ?? '',
  };
}

function invalid(reason: string): never {
  throw new ProtocolError('EVIDENCE_INVALID', { reason });
}

type Step = readonly [id: string, zh: string, en: string, check: () => void | Promise<void>];

/** One verification: each step may use what the steps before it proved. */
class Trial {
  public ticket: Ticket | undefined;
  private ownerKey: string | undefined;

  public constructor(private readonly evidence: Evidence) {}

  public async run(fingerprint: string): Promise<EvidenceCheck[]> {
    const steps: readonly Step[] = [
      ['charter', '章程与指纹一致', 'the charter has the fingerprint', () => { this.checkCharter(fingerprint); }],
      ['ticket', '凭证由过半数中心背书', 'a majority of centres endorsed the ticket', async () => { await this.checkTicket(); }],
      ['records', '记录头在背书的批次根之下', 'the record headers stand under endorsed batch roots', async () => { await this.checkRecords(); }],
      ['registration', '权属人密钥已登记', "the owner's key was registered", async () => { await this.checkRegistration(); }],
      ['grant', '授权由权属人签署且覆盖本次访问', 'the owner signed the grant, and it covers this access', () => { this.checkGrant(); }],
      ['request', '请求由读取方签署', 'the reader signed the request', () => { this.checkRequest(); }],
      ['release', '释放由发布方签署', 'the publisher signed the release', () => { this.checkRelease(); }],
      ['receipt', '回执由读取方签署', 'the reader signed the receipt', () => { this.checkReceipt(); }],
    ];
    const checks: EvidenceCheck[] = [];
    for (const [id, zh, en, check] of steps) checks.push({ id, zh, en, ...(await outcome(check)) });
    return [
      ...checks,
      { id: 'validity', zh: '交易在账本上有效', en: 'the transactions are valid on the ledger', result: 'not-provable-yet' },
      { id: 'no-later-revocation', zh: '此后未被撤销', en: 'no revocation came later', result: 'not-provable-yet' },
    ];
  }

  private get charter(): Charter {
    return this.evidence.charter;
  }

  private get proved(): Ticket {
    return this.ticket ?? invalid('no-ticket');
  }

  private checkCharter(fingerprint: string): void {
    if (documentDigest(this.charter) !== fingerprint) invalid('fingerprint');
    const { chaincode, channel } = this.charter;
    const domain = domainOf({ chaincode, channel, charter: fingerprint, founding: this.evidence.founding });
    if (canonicalize(domain) !== canonicalize(this.evidence.domain)) invalid('domain');
  }

  private async checkTicket(): Promise<void> {
    const { ticket, ticketId } = this.evidence;
    if (ticketId.split('/')[0] !== ticket.transactionId) invalid('ticket-id');
    const state = await this.endorsed(ticket, 'ticket', ticketId);
    this.ticket = state;
  }

  private async checkRecords(): Promise<void> {
    const { batches, records } = this.evidence;
    const { publisher, records: covered } = this.proved;
    const roots = new Map<number, LedgerState['batch']>();
    for (const batch of batches) roots.set(batch.seq, await this.endorsed(batch, 'batch', publisher, batch.seq));
    if (records.length !== covered.length) invalid('records');
    records.forEach((placed, index) => {
      const { header } = placed;
      checkPlacedHeader(placed, roots.get(placed.seq) ?? invalid('batch-missing'));
      const record = covered[index];
      const same = record?.digest === header.digest && record.version === header.version && record.recordId === recordId(publisher, header.kind, header.localId);
      if (!same) invalid('record');
    });
  }

  private async checkRegistration(): Promise<void> {
    const { registration } = this.evidence;
    const { openedAt, owner } = this.proved;
    if (owner === '') return;
    if (registration === undefined) return invalid('registration-missing');
    const state = await this.endorsed(registration, 'owner', owner);
    this.ownerKey = ownerKeyInForce(state, openedAt);
  }

  private checkGrant(): void {
    const { domain, grant: envelope } = this.evidence;
    const ticket = this.proved;
    if (ticket.basis.kind === 'policy') return;
    if (envelope === undefined) return invalid('grant-missing');
    const { digest, key } = verifyGrantSignature(envelope, domain);
    const { claims, expires, grantee, notBefore, owner, purpose } = envelope.grant;
    if (digest !== ticket.basis.digest || digest !== grantDigest(domain, envelope.grant) || key !== this.ownerKey) invalid('grant-signer');
    const fits = owner === ticket.owner && grantee === ticket.reader && purpose === ticket.purpose && notBefore <= ticket.openedAt && ticket.openedAt < expires;
    const kinds = new Set(ticket.records.map((record) => record.recordId.split('/')[1] ?? ''));
    const covered = [...kinds].every((kind) => ticket.claims.every((claim) => claims.includes(`${kind}/${claim}`)));
    if (!fits || !covered) invalid('grant-terms');
  }

  private checkRequest(): void {
    const { domain, readerKey, records, request } = this.evidence;
    const ticket = this.proved;
    if (jwkThumbprint(readerKey) !== ticket.readerKey) invalid('reader-key');
    const signed = readRequest(request);
    verifyRequest(signed, readerKey);
    const fits = signed.digest === ticket.request && signed.request.reader === ticket.reader && signed.request.salt === domain.salt;
    if (!fits || canonicalize(signed.request.headers) !== canonicalize(records)) invalid('request');
  }

  private checkRelease(): void {
    const { jweDigest, release: jws, ticketId } = this.evidence;
    const { publisher } = this.proved;
    const founder = this.charter.founders.find(({ member }) => member.id === publisher) ?? invalid('publisher');
    const parsed = parseJws(jws, 'RELEASE_BAD_SIGNATURE');
    const kid = checkJwsHeader(parsed, 'huilian-release+jwt', 'RELEASE_BAD_SIGNATURE');
    const release = releaseShape.read(parsed.payload);
    if (!verifyEs256(founder.member.signingKey, parsed.signingInput, parsed.signature)) throw new ProtocolError('RELEASE_BAD_SIGNATURE');
    const fits = kid === publisher && release.publisher === publisher && release.ticket === ticketId && release.jwe === jweDigest;
    if (!fits) invalid('release');
  }

  private checkReceipt(): void {
    const { jweDigest, readerKey, receipt: jws, ticketId } = this.evidence;
    const receipt = verifyReceipt(jws, { ticket: ticketId, reader: this.proved.reader, key: readerKey });
    if (receipt.jwe !== jweDigest) invalid('receipt');
  }

  /** The value that an endorsed transaction wrote under a key. */
  private async endorsed<K extends keyof LedgerState>(transaction: EndorsedTransaction, type: K, ...parts: (string | number)[]): Promise<LedgerState[K]> {
    const writes = await endorsedWrites(transaction, this.charter);
    const value = writes.get(stateKey(type, ...parts));
    if (value === undefined) return invalid(`no-${type}-write`);
    return parseCanonicalObject(value) as unknown as LedgerState[K];
  }
}

async function outcome(check: () => void | Promise<void>): Promise<{ result: CheckResult; why?: string }> {
  try {
    await check();
    return { result: 'holds' };
  } catch (error) {
    return { result: 'fails', why: error instanceof ProtocolError ? error.message : 'EVIDENCE_INVALID' };
  }
}
