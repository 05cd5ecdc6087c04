import { ownerIdShape, ProtocolError, toHex, type GrantEnvelope, type MemberState, type OwnerState, type Trail } from '@huilian/protocol';
import { adoptedKinds } from './adopted-kinds.js';
import { grantFor, type Ask } from './check-grant.js';
import { checkConsortium, type Consortium } from './consortium.js';
import { HttpDoor } from './http-door.js';
import type { ClientOptions } from './member-client.js';
import type { OwnerWallet } from './owner-wallet.js';
import { describeGrant, type GrantWords } from './wallet-words.js';

/** How long a signed change of key may wait on its way to the ledger. */
const statementSeconds = 3600;

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

  private mustBeOwn({ owner }: Ask): void {
    if (owner !== this.owner) throw new ProtocolError('GRANT_NOT_OWNER');
  }
}
