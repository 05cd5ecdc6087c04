import {
  canonicalize,
  checkJwsHeader,
  checkPlacedHeader,
  digestShape,
  documentDigest,
  domainOf,
  integer,
  jwkThumbprint,
  limits,
  object,
  ownerKeyInForce,
  parseJws,
  ProtocolError,
  readRequest,
  recordId,
  releaseShape,
  stateKey,
  ticketShape,
  VerifiedGrants,
  verifyEs256,
  verifyPresentation,
  verifyReceipt,
  verifyRequest,
  type Charter,
  type Es256Key,
  type Grant,
  type JsonObject,
  type LedgerState,
  type OwnerState,
  type RecoverPublicKey,
  type Release,
  type Ticket,
} from '@huilian/protocol';
import { endorsedWrites } from './endorsed-writes.js';
import type { EndorsedTransaction, Evidence } from './evidence-file.js';
import { FilesRead } from './files-read.js';
import { isAnswerTo } from './open-request.js';
import { keyInput, ProvedBefore } from './proved-before.js';

/** `not-provable-yet`: only the ledger itself can say. */
export type CheckResult = 'holds' | 'fails' | 'not-provable-yet';

/** One check of an evidence file, with its name in both languages. */
export interface EvidenceCheck {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly result: CheckResult;
  /** Error code and reason of a check that fails; what else than the ledger's word a check that is not provable yet lacks. */
  readonly why?: string;
}

/** What an evidence file proves, check by check. */
export interface EvidenceReport {
  /** True when every check that can be made offline holds. */
  readonly ok: boolean;
  readonly checks: readonly EvidenceCheck[];
  readonly ticket: string;
  /** What the proved ticket says; empty where it is not proved. */
  readonly reader: string;
  readonly owner: string;
  readonly publisher: string;
  readonly purpose: string;
  readonly recordIds: readonly string[];
  /** Claim names without the kind. */
  readonly claims: readonly string[];
  /** Unix seconds of the ticket's transaction; 0 where it is not proved. */
  readonly openedAt: number;
}

/** What the verifier starts from. */
export interface EvidenceTrust {
  /** SHA-256 of the charter's canonical bytes, hex, from a source other than the file. */
  readonly charterFingerprint: string;
  /** SD-JWT VC presentations that the reader kept: proved to be the content behind the records, one per record. */
  readonly presentations?: readonly string[];
}

/**
 * Verifies accesses offline, from nothing but the charter's fingerprint: what the centres endorsed, the record under
 * its batch's root, the owner's registered key and grant, the reader's request, the publisher's release, the receipt.
 * Validity on the ledger and the absence of a later revocation need the ledger, and are said to be not provable yet.
 *
 * It remembers what it proved (certificates, endorsed transactions, signatures) and how the last files read, each by the
 * digest of its every byte, so that files which share them, or one file again, cost a fraction: whoever verifies many keeps
 * one. What a file says is linked anew each time. `recover` may bring a faster recovery of owners' keys.
 */
export class EvidenceVerifier {
  private readonly before = new ProvedBefore();
  private readonly files = new FilesRead();
  private readonly grants: VerifiedGrants;

  public constructor(recover?: RecoverPublicKey) {
    this.grants = new VerifiedGrants(recover);
  }

  /**
   * Takes the file's bytes or text (preferred: every byte counts then) or the parsed object.
   * @throws EVIDENCE_MALFORMED
   */
  public async verify(file: unknown, trust: EvidenceTrust | string): Promise<EvidenceReport> {
    const evidence = this.files.read(file);
    const trial = new Trial(evidence, typeof trust === 'string' ? { charterFingerprint: trust } : trust, this.before, this.grants);
    const checks = await trial.run();
    return { ok: checks.every(({ result }) => result !== 'fails'), checks, ticket: evidence.ticketId, ...factsOf(trial.ticket) };
  }
}

const ofThisProcess = new EvidenceVerifier();

/** Verifies one evidence file by the verifier of this process. @throws EVIDENCE_MALFORMED */
export async function verifyEvidence(file: unknown, trust: EvidenceTrust | string): Promise<EvidenceReport> {
  return await ofThisProcess.verify(file, trust);
}

type Facts = Pick<EvidenceReport, 'claims' | 'openedAt' | 'owner' | 'publisher' | 'purpose' | 'reader' | 'recordIds'>;

function factsOf(ticket: Ticket | undefined): Facts {
  if (ticket === undefined) return { claims: [], openedAt: 0, owner: '', publisher: '', purpose: '', reader: '', recordIds: [] };
  const { claims, openedAt, owner, publisher, purpose, reader, records } = ticket;
  return { claims, openedAt, owner, publisher, purpose, reader, recordIds: records.map((record) => record.recordId) };
}

function invalid(reason: string): never {
  throw new ProtocolError('EVIDENCE_INVALID', { reason });
}

/** What a step says of itself: nothing where it holds, or what it lacks to be proved offline. */
type Lacking = string | undefined;
/** Only the ledger itself can say; no other word is needed. */
const onLedger = '';
type Step = readonly [id: string, zh: string, en: string, check: () => Lacking | Promise<Lacking>];

const batchShape = object({ count: integer(1, limits.batchHeaders), root: digestShape });

/** One verification: each step may use what the steps before it proved. */
class Trial {
  public ticket: Ticket | undefined;
  private ownerKey: string | undefined;
  private charterHolds = false;

  public constructor(
    private readonly evidence: Evidence,
    private readonly trust: EvidenceTrust,
    private readonly before: ProvedBefore,
    private readonly grants: VerifiedGrants,
  ) {}

  public async run(): Promise<EvidenceCheck[]> {
    const steps: readonly Step[] = [
      ['charter', '章程与指纹一致', 'the charter has the fingerprint', () => this.checkCharter()],
      ['ticket', '凭证由过半数中心背书', 'a majority of centres endorsed the ticket', () => this.checkTicket()],
      ['records', '记录头在背书的批次根之下', 'the record headers stand under endorsed batch roots', () => this.checkRecords()],
      ...this.payloadStep(),
      ['registration', '权属人密钥已登记', "the owner's key was registered", () => this.checkRegistration()],
      ['grant', '授权由权属人签署且覆盖本次访问', 'the owner signed the grant, and it covers this access', () => this.checkGrant()],
      ['request', '请求由读取方签署', 'the reader signed the request', () => this.checkRequest()],
      ['release', '释放由发布方签署', 'the publisher signed the release', () => this.checkRelease()],
      ['receipt', '回执由读取方签署', 'the reader signed the receipt', () => this.checkReceipt()],
      ['validity', '交易在账本上有效', 'the transactions are valid on the ledger', () => onLedger],
      ['no-later-revocation', '此后未被撤销', 'no revocation came later', () => onLedger],
    ];
    const checks: EvidenceCheck[] = [];
    for (const [id, zh, en, check] of steps) checks.push({ id, zh, en, ...(await outcome(check)) });
    return checks;
  }

  private get proved(): Ticket {
    return this.ticket ?? invalid('no-ticket');
  }

  private async checkCharter(): Promise<Lacking> {
    const { charter, domain, founding } = this.evidence;
    const digest = await this.before.get(['charter', charter], () => documentDigest(charter));
    if (digest !== this.trust.charterFingerprint) invalid('fingerprint');
    const { chaincode, channel } = charter;
    const { salt } = await this.before.get(['domain', chaincode, channel, digest, founding], () => domainOf({ chaincode, channel, charter: digest, founding }));
    // Name and version of a domain have one value each, which its shape holds it to.
    if (salt !== domain.salt) invalid('domain');
    this.charterHolds = true;
    return undefined;
  }

  private async checkTicket(): Promise<Lacking> {
    const { ticket, ticketId } = this.evidence;
    if (ticketId.split('/')[0] !== ticket.transactionId) invalid('ticket-id');
    this.ticket = ticketShape.read(await this.endorsed(ticket, 'ticket', ticketId));
    return undefined;
  }

  private async checkRecords(): Promise<Lacking> {
    const { records } = this.evidence;
    const { publisher, records: covered } = this.proved;
    const roots = await this.batchRoots(publisher);
    if (records.length !== covered.length) invalid('records');
    for (const [index, placed] of records.entries()) {
      const { header, seq } = placed;
      checkPlacedHeader(placed, roots.get(seq) ?? invalid('batch-missing'));
      const record = covered[index];
      const same = record?.digest === header.digest && record.version === header.version && record.recordId === recordId(publisher, header.kind, header.localId);
      if (!same) invalid('record');
    }
    return undefined;
  }

  /** Roots of exactly the batches that the records stand in, by seq. */
  private async batchRoots(publisher: string): Promise<Map<number, LedgerState['batch']>> {
    const { batches, records } = this.evidence;
    const roots = new Map<number, LedgerState['batch']>();
    for (const batch of batches) {
      if (roots.has(batch.seq) || !records.some(({ seq }) => seq === batch.seq)) invalid('batch-surplus');
      roots.set(batch.seq, batchShape.read(await this.endorsed(batch, 'batch', publisher, batch.seq)));
    }
    return roots;
  }

  /** Only where the reader gave its presentations along: nothing is said of content that nobody showed. */
  private payloadStep(): readonly Step[] {
    const { presentations } = this.trust;
    return presentations === undefined ? [] : [['payloads', '内容与记录头摘要一致', 'the content has the digests of the headers', () => this.checkPayloads(presentations)]];
  }

  private checkPayloads(presentations: readonly string[]): Lacking {
    const { publisher, records } = this.proved;
    if (presentations.length !== records.length) invalid('presentations');
    for (const [index, { digest, recordId: id, version }] of records.entries()) {
      const verified = verifyPresentation(presentations[index] ?? '', { digest, signingKey: this.publisherKey(publisher) });
      if (verified.recordId !== id || verified.version !== version) invalid('presentation');
    }
    return undefined;
  }

  private async checkRegistration(): Promise<Lacking> {
    const { registration } = this.evidence;
    const { basis, openedAt, owner } = this.proved;
    if (basis.kind === 'policy') return registration === undefined ? 'policy' : invalid('registration-surplus');
    if (registration === undefined) return invalid('registration-missing');
    const state = (await this.endorsed(registration, 'owner', owner)) as unknown as OwnerState;
    if (state.owner !== owner) invalid('owner');
    this.ownerKey = ownerKeyInForce(state, openedAt);
    return undefined;
  }

  private checkGrant(): Lacking {
    const { domain, grant: envelope } = this.evidence;
    const ticket = this.proved;
    if (ticket.basis.kind === 'policy') return envelope === undefined ? 'policy' : invalid('grant-surplus');
    if (envelope === undefined) return invalid('grant-missing');
    const { digest, key } = this.grants.verify(envelope, domain);
    if (canonicalize(envelope.domain) !== canonicalize(domain)) invalid('grant-domain');
    if (digest !== ticket.basis.digest || key !== this.ownerKey) invalid('grant-signer');
    if (!coversTicket(envelope.grant, ticket)) invalid('grant-terms');
    return undefined;
  }

  private async checkRequest(): Promise<Lacking> {
    const { domain, readerKey, records, request } = this.evidence;
    const ticket = this.proved;
    if (jwkThumbprint(readerKey) !== ticket.readerKey) invalid('reader-key');
    const signed = await this.before.get(['request', request, keyInput(readerKey)], () => {
      const read = readRequest(request);
      verifyRequest(read, readerKey);
      return read;
    });
    if (!isAnswerTo(signed, ticket) || signed.request.salt !== domain.salt) invalid('request');
    if (canonicalize(signed.request.headers) !== canonicalize(records)) invalid('request-records');
    return undefined;
  }

  private async checkRelease(): Promise<Lacking> {
    const { jweDigest, release: jws, ticketId } = this.evidence;
    const { publisher } = this.proved;
    const key = this.publisherKey(publisher);
    const { kid, release } = await this.before.get(['release', jws, keyInput(key)], () => provedRelease(jws, key));
    const fits = kid === publisher && release.publisher === publisher && release.ticket === ticketId && release.jwe === jweDigest;
    if (!fits) invalid('release');
    return undefined;
  }

  private async checkReceipt(): Promise<Lacking> {
    const { jweDigest, readerKey, receipt: jws, ticketId } = this.evidence;
    const { reader } = this.proved;
    const receipt = await this.before.get(['receipt', jws, ticketId, reader, keyInput(readerKey)], () => verifyReceipt(jws, { ticket: ticketId, reader, key: readerKey }));
    if (receipt.jwe !== jweDigest) invalid('receipt');
    return undefined;
  }

  /** The charter's key of a publisher: evidence/0 knows no later keys and no later centres. */
  private publisherKey(publisher: string): Es256Key {
    const founder = this.trustedCharter.founders.find(({ member }) => member.id === publisher);
    return founder?.member.signingKey ?? invalid('publisher');
  }

  private get trustedCharter(): Charter {
    return this.charterHolds ? this.evidence.charter : invalid('no-charter');
  }

  /** The value that an endorsed transaction wrote under a key. */
  private async endorsed<K extends keyof LedgerState>(transaction: EndorsedTransaction, type: K, ...parts: (string | number)[]): Promise<JsonObject> {
    const charter = this.trustedCharter;
    const writes = await this.before.get(['transaction', this.trust.charterFingerprint, transaction], async () => await endorsedWrites(transaction, charter, this.before));
    return writes.value(stateKey(type, ...parts)) ?? invalid(`no-${type}-write`);
  }
}

/** @throws RELEASE_BAD_SIGNATURE, BAD_FIELD, UNKNOWN_FIELD */
function provedRelease(jws: string, key: Es256Key): { readonly kid: string; readonly release: Release } {
  const parsed = parseJws(jws, 'RELEASE_BAD_SIGNATURE');
  const kid = checkJwsHeader(parsed, 'huilian-release+jwt', 'RELEASE_BAD_SIGNATURE');
  const release = releaseShape.read(parsed.payload);
  if (!verifyEs256(key, parsed.signingInput, parsed.signature)) throw new ProtocolError('RELEASE_BAD_SIGNATURE');
  return { kid, release };
}

/** A grant's terms allow what the ticket gave: parties, purpose, count, term, every claim of every kind. */
function coversTicket({ claims, expires, grantee, maxUses, notBefore, owner, purpose }: Grant, ticket: Ticket): boolean {
  const fits = owner === ticket.owner && grantee === ticket.reader && purpose === ticket.purpose && (ticket.slot ?? Infinity) <= maxUses;
  const inTerm = notBefore <= ticket.openedAt && ticket.openedAt < expires;
  const kinds = new Set(ticket.records.map((record) => record.recordId.split('/')[1] ?? ''));
  return fits && inTerm && [...kinds].every((kind) => ticket.claims.every((claim) => claims.includes(`${kind}/${claim}`)));
}

async function outcome(check: () => Lacking | Promise<Lacking>): Promise<{ readonly result: CheckResult; readonly why?: string }> {
  try {
    const lacking = await check();
    if (lacking === undefined) return { result: 'holds' };
    return { result: 'not-provable-yet', ...(lacking === onLedger ? {} : { why: lacking }) };
  } catch (error) {
    return { result: 'fails', why: error instanceof ProtocolError ? error.message : 'EVIDENCE_INVALID {"reason":"broken-message"}' };
  }
}
