import { askedPurposeShape, bytes32Shape, fromUtf8, grantShape, integer, limits, memberIdShape, object, optional, ownerIdShape, ProtocolError, prose, qualifiedClaimShape, readGrantEnvelope, sortedSet, timeShape, toBase32, utf8, verifyGrantSignature, ownerKeyInForce, type GrantEnvelope, type Read, type RecoverPublicKey } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Random, Store, StoreWrite } from '../ports.js';

/** A reader's wish for a grant, as it is shown to the owner. */
export const askShape = object({
  claims: sortedSet(qualifiedClaimShape, 1, limits.grantClaims),
  expires: timeShape,
  maxUses: integer(1, limits.grantMaxUses),
  notBefore: timeShape,
  note: optional(prose(200)),
  owner: ownerIdShape,
  purpose: askedPurposeShape,
  reference: bytes32Shape,
});
type AskTerms = Read<typeof askShape>;

export interface Ask extends AskTerms {
  readonly id: string;
  readonly grantee: string;
  readonly askedAt: number;
  readonly grant?: GrantEnvelope;
}

const key = (id: string): string => `ask/${id}`;
/** The words of readers to an owner go where the owner is erased; who asked for what stays until it runs out. */
export async function* dropAskNotes(store: Store, owner: string): AsyncGenerator<StoreWrite> {
  for await (const [row, bytes] of store.entries({ gte: key(''), lt: key('~') })) {
    const { note, ...ask } = JSON.parse(fromUtf8(bytes)) as Ask;
    if (ask.owner === owner && note !== undefined) yield { key: row, value: utf8(JSON.stringify(ask)) };
  }
}

const lifetimeSeconds = 30 * 86_400;

/** Mailbox between a reader and an owner. The id of an ask is 128 random bits: whoever knows it may see and answer it. */
export class Asks {
  private readonly listeners = new Set<(ask: Ask) => void>();

  public constructor(
    private readonly store: Store,
    private readonly readModel: ReadModel,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly recover: RecoverPublicKey,
  ) {}

  /** @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID, PURPOSE_UNKNOWN */
  public async ask(reader: string, terms: unknown): Promise<Ask> {
    const ask: Ask = { ...askShape.read(terms), askedAt: this.now(), grantee: memberIdShape.read(reader), id: toBase32(this.random.bytes(16)) };
    await this.save(ask);
    for (const listener of this.listeners) listener(ask);
    return ask;
  }

  /** Tells of each new ask, once it is stored. */
  public onAsk(listener: (ask: Ask) => void): void {
    this.listeners.add(listener);
  }

  /** @throws NOT_FOUND */
  public find(id: string): Ask {
    const bytes = /^[a-z2-7]{26}$/.test(id) ? this.store.get(key(id)) : undefined;
    const ask = bytes && (JSON.parse(fromUtf8(bytes)) as Ask);
    if (ask === undefined || ask.askedAt + lifetimeSeconds < this.now()) throw new ProtocolError('NOT_FOUND');
    return ask;
  }

  /** Takes the owner's grant for an ask: exactly its terms, signed by the key in force. @throws NOT_FOUND, GRANT_*, OWNER_UNKNOWN */
  public async answer(id: string, grant: unknown): Promise<Ask> {
    const ask = this.find(id);
    const envelope = readGrantEnvelope(grant);
    const owner = this.readModel.owner(ask.owner);
    if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
    const { key: signer } = verifyGrantSignature(envelope, this.readModel.domain(), this.recover);
    if (signer !== ownerKeyInForce(owner, this.now())) throw new ProtocolError('GRANT_BAD_SIGNATURE');
    const { nonce: _nonce, ...terms } = grantShape.read(envelope.grant);
    if (!sameTerms(terms, ask)) throw new ProtocolError('BAD_FIELD', { path: '/grant', reason: 'not-what-was-asked' });
    const answered: Ask = { ...ask, grant: envelope };
    await this.save(answered);
    return answered;
  }

  private now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  private async save(ask: Ask): Promise<void> {
    await this.store.write([{ key: key(ask.id), value: utf8(JSON.stringify(ask)) }]);
  }
}

function sameTerms(grant: Omit<GrantEnvelope['grant'], 'nonce'>, ask: Ask): boolean {
  const { claims, expires, grantee, maxUses, notBefore, owner, purpose, reference } = ask;
  return JSON.stringify([grant.claims, grant.expires, grant.grantee, grant.maxUses, grant.notBefore, grant.owner, grant.purpose, grant.reference])
    === JSON.stringify([claims, expires, grantee, maxUses, notBefore, owner, purpose, reference]);
}
