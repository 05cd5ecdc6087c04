import { limits, ownerKeyInForce, ProtocolError, trailRequestEnvelopeShape, utf8, verifyOwnerStatement, type CentreRefusals, type RecoverPublicKey, type Trail, type TrailRequestEnvelope } from '@huilian/protocol';
import { readAnswer, refusalsAnswerShape } from '../exchange/read-answer.js';
import type { RefusalLog } from '../exchange/refusal-log.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Keys, Store, Transport } from '../ports.js';

const nonceKey = (owner: string, nonce: string): string => `trail/nonce/${owner}/${nonce}`;

/** The ledger's fold joined with the refusals of every centre, for the owner's signed request only. */
export class JoinTrail {
  /** Nonces on their way to the store: two uses at the same moment are one and a replay. */
  private readonly storing = new Set<string>();

  public constructor(
    private readonly readModel: ReadModel,
    private readonly refusals: RefusalLog,
    private readonly store: Store,
    private readonly transport: Transport,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly recover: RecoverPublicKey,
  ) {}

  /** @throws OWNER_UNKNOWN, STATEMENT_BAD_SIGNATURE, STATEMENT_EXPIRED, REPLAYED, GRANT_WRONG_DOMAIN */
  public async join(request: unknown): Promise<Trail> {
    const envelope = this.check(request);
    await this.useNonce(envelope);
    const { owner } = envelope.request;
    const others = (await this.readModel.members()).filter(({ document, status }) => document.kind === 'centre' && status === 'active' && document.id !== this.keys.memberId);
    const answers = await Promise.all(others.map(async ({ document }) => ({ centre: document.id, answer: await this.askCentre(document.id, envelope) })));
    const own: CentreRefusals = { centre: this.keys.memberId, head: this.refusals.headEntry(), refusals: await this.refusals.forOwner(owner) };
    return {
      entries: await this.readModel.trail(owner),
      refusals: [own, ...answers.flatMap(({ answer }) => answer ?? [])],
      missing: answers.filter(({ answer }) => answer === undefined).map(({ centre }) => centre),
    };
  }

  /** This node's own part, for another centre that passes the owner's request on. */
  public async ownRefusals(request: unknown): Promise<CentreRefusals> {
    const envelope = this.check(request);
    // Used up here as well: taken to this centre itself, the same request is a replay.
    await this.useNonce(envelope);
    const { owner } = envelope.request;
    return { centre: this.keys.memberId, head: this.refusals.headEntry(), refusals: await this.refusals.forOwner(owner) };
  }

  private check(request: unknown): TrailRequestEnvelope {
    const envelope = trailRequestEnvelopeShape.read(request);
    const { issuedAt, owner: id } = envelope.request;
    const owner = this.readModel.owner(id);
    if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
    const now = Math.floor(this.clock.now() / 1000);
    const signer = verifyOwnerStatement(envelope, 'TrailRequest', envelope.request, this.readModel.domain(), this.recover);
    if (signer !== ownerKeyInForce(owner, now)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
    if (Math.abs(now - issuedAt) > limits.requestAgeSeconds) throw new ProtocolError('STATEMENT_EXPIRED');
    return envelope;
  }

  private async useNonce({ request: { nonce, owner } }: TrailRequestEnvelope): Promise<void> {
    const key = nonceKey(owner, nonce);
    if (this.storing.has(key) || this.store.get(key) !== undefined) throw new ProtocolError('REPLAYED');
    this.storing.add(key);
    await this.store.write([{ key, value: utf8('used') }]).finally(() => this.storing.delete(key));
  }

  private async askCentre(centre: string, envelope: TrailRequestEnvelope): Promise<CentreRefusals | undefined> {
    try {
      const answer = await this.transport.request(centre, 'refusals', utf8(JSON.stringify({ request: envelope })));
      const said = readAnswer(centre, refusalsAnswerShape, answer);
      // A centre speaks for itself, and of this owner only.
      const own = said.centre === centre && said.refusals.every(({ owner }) => owner === envelope.request.owner);
      return own ? said : undefined;
    } catch {
      return undefined;
    }
  }
}
