import { adoptedKinds, describeGrant, grantDigest, HttpDoor, ProtocolError, type Ask, type Consortium, type Domain, type Grant, type GrantWords, type KindDefinition, type MemberState } from '@huilian/sdk';
import { trailInWords, type NodeTrail, type TrailInWords } from './trail-in-words.js';
import type { OpenedWallet } from './wallet-file.js';

/** An ask as the page shows it. `shown` names these very words: only what was shown is signed. */
export interface ShownAsk {
  readonly id: string;
  readonly words: GrantWords;
  readonly readerKind: string;
  readonly note?: string;
  readonly expired: boolean;
  /** Digest of the grant that signing would make; of the signed one where it is signed already. */
  readonly shown: string;
  readonly signed: boolean;
}

const rememberedGrants = 100;

/** What the owner can do: see an ask in words, sign it, take a grant back, see the trail. */
export class AnswerAsks {
  private readonly node: HttpDoor;
  private readonly prepared = new Map<string, { readonly id: string; readonly domain: Domain; readonly grant: Grant; readonly kinds: readonly KindDefinition[] }>();

  public constructor(
    nodeUrl: string,
    private readonly opened: OpenedWallet,
  ) {
    this.node = new HttpDoor(nodeUrl);
  }

  public get owner(): string {
    return this.opened.owner;
  }

  /** @throws NOT_FOUND, GRANT_NOT_OWNER for another owner's ask, WALLET_UNREADABLE for what has no words */
  public async show(id: string): Promise<ShownAsk> {
    const [ask, domain] = await Promise.all([this.node.get<Ask>(`/v1/asks/${encodeURIComponent(id)}`), this.domain()]);
    if (ask.owner !== this.owner) throw new ProtocolError('GRANT_NOT_OWNER');
    const kinds = await adoptedKinds(this.node, ask.claims);
    const grant = ask.grant?.grant ?? this.prepare(ask, domain, kinds);
    const reader = await this.node.get<MemberState>(`/v1/members/${encodeURIComponent(grant.grantee)}`);
    return {
      id,
      words: describeGrant(grant, { [grant.grantee]: reader.document.name }, kinds),
      readerKind: reader.document.kind,
      ...(ask.note === undefined ? {} : { note: ask.note }),
      expired: grant.expires <= Date.now() / 1000,
      shown: grantDigest(domain, grant),
      signed: ask.grant !== undefined,
    };
  }

  /** Signs the grant that was shown under this digest, byte for byte, whatever the node says by now. @throws NOT_FOUND, WALLET_* */
  public async sign(id: string, shown: string): Promise<{ readonly grant: string }> {
    const prepared = this.prepared.get(shown);
    if (prepared?.id !== id) throw new ProtocolError('NOT_FOUND', { reason: 'not-shown' });
    const envelope = await this.opened.wallet.signGrant(prepared.domain, prepared.grant, prepared.kinds);
    await this.node.post(`/v1/asks/${encodeURIComponent(id)}/grant`, envelope);
    return { grant: shown };
  }

  /** @throws WALLET_DOMAIN_CHANGED, REVOCATION_BAD_SIGNATURE */
  public async revoke(grant: string): Promise<object> {
    return await this.node.post('/v1/revocations', await this.opened.wallet.signRevocation(await this.domain(), { owner: this.owner, grant }));
  }

  /** Everything that happened to the owner's data, refusals of every centre included. @throws OWNER_UNKNOWN */
  public async trail(): Promise<TrailInWords> {
    const request = await this.opened.wallet.signTrailRequest(await this.domain(), this.owner);
    const [trail, members] = await Promise.all([this.node.post<NodeTrail>('/v1/trails', request), this.node.get<{ items: MemberState[] }>('/v1/members')]);
    const kinds = await adoptedKinds(this.node, trail.entries.flatMap(({ recordIds = [] }) => recordIds.map((id) => id.split('/')[1] ?? '')));
    return trailInWords(trail, members.items, kinds);
  }

  private async domain(): Promise<Domain> {
    return (await this.node.get<Consortium>('/v1/consortium')).domain;
  }

  private prepare(ask: Ask, domain: Domain, kinds: readonly KindDefinition[]): Grant {
    const { claims, expires, grantee, maxUses, notBefore, owner, purpose, reference } = ask;
    const nonce = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}`;
    const grant: Grant = { claims, expires, grantee, maxUses, nonce, notBefore, owner, purpose, reference };
    // Refused here already, so that no button appears under words that are not there.
    describeGrant(grant, {}, kinds);
    const [oldest] = this.prepared.keys();
    if (this.prepared.size >= rememberedGrants && oldest !== undefined) this.prepared.delete(oldest);
    this.prepared.set(grantDigest(domain, grant), { id: ask.id, domain, grant, kinds });
    return grant;
  }
}
