import { askedPurposeShape, grantDigest, jwkThumbprint, ownerIdShape, ProtocolError, referenceOf, toHex, verifyPresentation, type ErrorBody, type GrantEnvelope, type KindDefinition, type MemberState, type OwnerState, type StatementReason, type Trail, type ViewRecord } from '@huilian/protocol';
import { adoptedKinds, catalogueKinds } from './adopted-kinds.js';
import { grantFor, type Ask } from './check-grant.js';
import { checkConsortium, type Consortium } from './consortium.js';
import { HttpDoor } from './http-door.js';
import type { ClientOptions } from './member-client.js';
import { generateMemberKeys, publicKeysOf } from './member-keys.js';
import { ownClaims, viewOf, type OwnerView, type ReadClaims } from './owner-view.js';
import type { OwnerWallet } from './owner-wallet.js';
import { readRelease, type Released } from './read-release.js';
import { describeGrant, type GrantWords } from './wallet-words.js';

/** How long a signed change of key may wait on its way to the ledger. */
const statementSeconds = 3600;

/** A grant for an own copy is for one reading; a node's clock may be a little behind. */
const ownCopySeconds = 600;
const ownCopyUses = 256;
const clockSlackSeconds = 60;

/** What a node answers an owner that reads its own data. */
interface OwnCopyAnswer {
  readonly partial: boolean;
  readonly copies: readonly Released[];
  readonly open: readonly { readonly recordId: string; readonly presentation: string }[];
  readonly records: readonly ViewRecord[];
  readonly refused: readonly { readonly recordIds: readonly string[]; readonly error: ErrorBody }[];
}

/** The same, opened. */
type OwnCopy = Pick<OwnCopyAnswer, 'partial' | 'records' | 'refused'> & { readonly reads: readonly ReadClaims[] };

/** An owner's word on a record. */
export interface OwnWord {
  /** Record id. */
  readonly record: string;
  readonly version: number;
  /** Payload digest of that version, hex, as in its header. */
  readonly digest: string;
  /** Claims that are meant; the whole record where absent. */
  readonly claims?: readonly string[];
  readonly verdict: 'confirm' | 'dispute' | 'withdraw';
  readonly reason: StatementReason;
}

/** An ask as an owner must see it before it signs: the terms, in words of both languages, and who asks. */
export interface ShownAsk {
  readonly ask: Ask;
  readonly words: GrantWords;
  readonly reader: MemberState;
  /** Answered already: `ask.grant` is there. */
  readonly answered: boolean;
}

/**
 * An owner's client at any centre's node, in Node and browsers. An owner does not sign in: its signature is what counts,
 * and the wallet signs only what it can say in words, for the consortium it pinned.
 */
export class OwnerClient {
  private readonly door: HttpDoor;
  private known: Consortium | undefined;

  private constructor(
    url: string,
    /** `org:<USCC>`. */
    public readonly owner: string,
    private readonly wallet: OwnerWallet,
    private readonly options: ClientOptions,
  ) {
    this.door = new HttpDoor(url, options.patienceSeconds === undefined ? {} : { patienceSeconds: options.patienceSeconds });
  }

  /** Asks nothing of the node yet. @throws BAD_ID, BAD_FIELD for what is no owner id */
  public static connect(url: string, owner: string, wallet: OwnerWallet, options: ClientOptions = {}): OwnerClient {
    return new OwnerClient(url, ownerIdShape.read(owner, '/owner'), wallet, options);
  }

  /** The consortium, checked and then remembered. @throws CHARTER_MISMATCH, EXCHANGE_FAILED */
  public async consortium(): Promise<Consortium> {
    this.known ??= checkConsortium(await this.door.get('/v1/consortium'), this.options.charterFingerprint);
    return this.known;
  }

  /** The owner's key as it is registered, with a recovery that is under way. @throws OWNER_UNKNOWN */
  public async registered(): Promise<OwnerState> {
    return await this.door.get<OwnerState>(`/v1/owners/${encodeURIComponent(this.owner)}`);
  }

  /** An ask in words. @throws NOT_FOUND, GRANT_NOT_OWNER for another owner's ask, WALLET_UNREADABLE for what has no words */
  public async show(id: string): Promise<ShownAsk> {
    const ask = await this.door.get<Ask>(`/v1/asks/${encodeURIComponent(id)}`);
    this.mustBeOwn(ask);
    const reader = await this.door.get<MemberState>(`/v1/members/${encodeURIComponent(ask.grantee)}`);
    const words = describeGrant(grantFor(ask, `0x${'0'.repeat(64)}`), { [ask.grantee]: reader.document.name }, await adoptedKinds(this.door, ask.claims));
    return { ask, words, reader, answered: ask.grant !== undefined };
  }

  /**
   * Signs exactly the terms that were shown, and puts the grant where the reader finds it. Whatever the node says by now,
   * nothing else is signed. @throws GRANT_NOT_OWNER, BAD_FIELD where the ask is another by now, WALLET_*, GRANT_BAD_SIGNATURE where the key is not the registered one
   */
  public async grant({ ask }: Pick<ShownAsk, 'ask'>): Promise<GrantEnvelope> {
    this.mustBeOwn(ask);
    const { domain } = await this.consortium();
    const nonce = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
    const envelope = await this.wallet.signGrant(domain, grantFor(ask, nonce), await adoptedKinds(this.door, ask.claims));
    await this.door.post(`/v1/asks/${encodeURIComponent(ask.id)}/grant`, envelope, { repeat: 'by-key' });
    return envelope;
  }

  /** Takes a grant back; `grant` is its EIP-712 digest (`grantDigest`). Live tickets end with it. @throws WALLET_*, REVOCATION_BAD_SIGNATURE, OWNER_UNKNOWN */
  public async revoke(grant: string): Promise<{ readonly transactionId: string }> {
    const { domain } = await this.consortium();
    return await this.door.post('/v1/revocations', await this.wallet.signRevocation(domain, { owner: this.owner, grant }), { repeat: 'by-key' });
  }

  /** Everything that happened to the owner's data, refusals of all centres included; `missing` names centres that did not answer. @throws WALLET_*, STATEMENT_BAD_SIGNATURE, OWNER_UNKNOWN */
  public async trail(): Promise<Trail> {
    const { domain } = await this.consortium();
    return await this.door.post<Trail>('/v1/trails', await this.wallet.signTrailRequest(domain, this.owner));
  }

  /** Registers another key in place of the wallet's; every grant of the old one ends. @throws WALLET_*, OWNER_UNKNOWN, RECOVERY_PENDING, STATEMENT_BAD_SIGNATURE */
  public async rotateKey(newKey: string): Promise<{ readonly transactionId: string }> {
    const { domain } = await this.consortium();
    const expires = Math.floor(Date.now() / 1000) + statementSeconds;
    return await this.door.post('/v1/owner-keys/rotate', await this.wallet.signKeyRotation(domain, { owner: this.owner, newKey, expires }), { repeat: 'by-key' });
  }

  /** Ends a recovery that is under way to `newKey`, as `registered()` shows it: the wallet still has the old key. @throws WALLET_*, RECOVERY_UNKNOWN, STATEMENT_BAD_SIGNATURE */
  public async objectRecovery(newKey: string): Promise<{ readonly transactionId: string }> {
    const { domain } = await this.consortium();
    return await this.door.post('/v1/owner-keys/object', await this.wallet.signRecoveryObjection(domain, { owner: this.owner, newKey }), { repeat: 'by-key' });
  }

  /**
   * Signs the owner's word on a record that is about it, and brings it to the ledger, where every member sees it. The record is
   * one of a view, in the version that was seen there. @throws WALLET_*, STATEMENT_OTHER_RECORD, STATEMENT_SUPERSEDED, RECORD_STALE, RECORD_REVOKED, RECORD_CONTESTED
   */
  public async state(word: OwnWord): Promise<{ readonly transactionId: string }> {
    const { domain } = await this.consortium();
    const { claims = [], digest, reason, record, verdict, version } = word;
    const statement = { owner: this.owner, record, version, digest: `0x${digest}`, claims: [...new Set(claims)].sort(), verdict, reason, issuedAt: Math.floor(Date.now() / 1000) };
    return await this.door.post('/v1/record-statements', await this.wallet.signRecordStatement(domain, statement, await adoptedKinds(this.door, statement.claims.map((claim) => `${record.split('/')[1] ?? ''}/${claim}`))), { repeat: 'by-key' });
  }

  /**
   * All that the centres hold of this owner, merged claim by claim. Each centre's records come under a ticket of a grant that
   * is signed here for this one reading, encrypted to a key that is made here for it: the node passes on what it cannot open,
   * and the reading is on the trail. `refused` names what could not be read, and why. Where the kinds have more claims than a
   * grant holds, the wallet signs more than one.
   * @throws WALLET_*, OWNER_UNKNOWN, SCHEMA_UNKNOWN for a kind that no vote adopted, GRANT_BAD_SIGNATURE where the key is not the
   * registered one, and what readRelease throws
   */
  public async view(options: { readonly kind?: string } = {}): Promise<OwnerView & { readonly refused: OwnCopyAnswer['refused'] }> {
    const { kind } = options;
    const kinds = await catalogueKinds(this.door, kind === undefined ? undefined : [kind]);
    const grants = ownClaims(kinds, kind);
    if (grants.length === 0) throw new ProtocolError('SCHEMA_UNKNOWN', kind === undefined ? {} : { kind });
    const copies: OwnCopy[] = [];
    for (const claims of grants) copies.push(await this.ownCopy(claims, kinds, kind));
    const records = new Map(copies.flatMap((copy) => copy.records.map((record) => [record.recordId, record] as const)));
    const wholeKinds = new Set(grants.flat().map((claim) => claim.split('/')[0] ?? ''));
    const view = viewOf(this.owner, [...records.values()], copies.flatMap(({ reads }) => reads), { kinds, partial: copies.some(({ partial }) => partial), wholeKinds });
    return { ...view, refused: copies.flatMap(({ refused }) => refused) };
  }

  /** What comes under one grant, verified and opened; public records, for which none is needed, with it. */
  private async ownCopy(claims: readonly string[], kinds: readonly KindDefinition[], kind: string | undefined): Promise<OwnCopy> {
    const { domain, node } = await this.consortium();
    const receiver = await generateMemberKeys(node);
    const { encryptionKey: key } = publicKeysOf(receiver);
    const now = Math.floor(Date.now() / 1000);
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const grant = await this.wallet.signGrant(domain, {
      owner: this.owner, grantee: node, claims, purpose: 'own-copy', reference: referenceOf(salt, jwkThumbprint(key)),
      notBefore: now - clockSlackSeconds, expires: now + ownCopySeconds, maxUses: ownCopyUses, nonce: `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`,
    }, kinds);
    const answer = await this.door.post<OwnCopyAnswer>('/v1/own-copies', { grant, recipient: { key, salt: toHex(salt) }, ...(kind === undefined ? {} : { kind }) });
    const reads: ReadClaims[] = [];
    for (const copy of answer.copies) {
      if (copy.state.owner !== this.owner || copy.state.basis.digest !== grantDigest(domain, grant.grant)) throw new ProtocolError('EXCHANGE_FAILED', { reason: 'ticket' });
      reads.push(...(await readRelease(copy, receiver.encryptionKey)));
    }
    for (const { presentation, recordId } of answer.open) reads.push(await this.readOpen(recordId, presentation, answer.records));
    const { partial, records, refused } = answer;
    return { partial, reads, records, refused };
  }

  /** A public record comes without a ticket: it is held against its header's digest and its publisher's key. */
  private async readOpen(recordId: string, presentation: string, notes: readonly ViewRecord[]): Promise<ReadClaims> {
    const publisher = await this.door.get<MemberState>(`/v1/members/${encodeURIComponent(recordId.split('/')[0] ?? '')}`);
    const digest = notes.find((note) => note.recordId === recordId)?.digest ?? '';
    const verified = verifyPresentation(presentation, { digest, signingKey: publisher.document.signingKey });
    if (verified.recordId !== recordId) throw new ProtocolError('PAYLOAD_DIGEST_MISMATCH', { reason: 'record' });
    return { recordId, version: verified.version, claims: verified.claims };
  }

  /** @throws GRANT_NOT_OWNER; PURPOSE_UNKNOWN for what nobody may ask another for */
  private mustBeOwn({ owner, purpose }: Ask): void {
    if (owner !== this.owner) throw new ProtocolError('GRANT_NOT_OWNER');
    askedPurposeShape.read(purpose);
  }
}
