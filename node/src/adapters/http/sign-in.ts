import { createHash, timingSafeEqual } from 'node:crypto';
import { importJWK, jwtVerify, decodeJwt } from 'jose';
import { fromUtf8, ProtocolError, sha256Hex, toBase64url, utf8 } from '@huilian/protocol';
import type { Session } from '../../core/accounts/sessions.js';
import type { ReadModel } from '../../core/indexing/read-model.js';
import type { Clock, Random, Store } from '../../core/ports.js';

/**
 * Who is calling: the centre's own side, a person of it that is signed in or the machine by the operator's token; its
 * monitoring; or a member that this node serves.
 */
export type Caller = { readonly role: 'monitor' } | { readonly role: 'operator'; readonly session?: Session } | { readonly role: 'member'; readonly member: string };

/** The centre's own side. */
export type OperatorCaller = Extract<Caller, { readonly role: 'operator' }>;

/** Who may use routes for signed-in callers: monitoring may not. */
export type SignedInCaller = Exclude<Caller, { readonly role: 'monitor' }>;

const tokenSeconds = 900;
const assertionSeconds = 60;
const skewSeconds = 5;
const usedPrefix = 'sign-in/used/';

/**
 * Members sign in with a private-key JWT (RFC 7523): ES256 by the registered key, audience this node's token address,
 * at most 60 seconds, used once, also after a restart. What they get is an opaque token in this process's memory.
 */
export class SignIn {
  private readonly tokens = new Map<string, { readonly caller: Caller; readonly expires: number }>();
  /** Assertions under way: two uses at the same moment are one and a replay. */
  private readonly storing = new Set<string>();
  private readonly own: readonly { readonly digest: Buffer; readonly caller: Caller }[];
  private pruned = 0;

  public constructor(
    private readonly readModel: ReadModel,
    private readonly memberId: string,
    private readonly audience: string,
    { metricsToken, operatorToken }: { readonly metricsToken: string; readonly operatorToken: string },
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly store: Store,
  ) {
    this.own = [{ digest: digest(operatorToken), caller: { role: 'operator' } }, { digest: digest(metricsToken), caller: { role: 'monitor' } }];
  }

  /** @throws TOKEN_INVALID, REPLAYED */
  public async exchange(assertion: string): Promise<{ access_token: string; token_type: 'Bearer'; expires_in: number }> {
    const member = await this.verify(assertion);
    await this.forgetExpired();
    const token = toBase64url(this.random.bytes(32));
    this.tokens.set(token, { caller: { role: 'member', member }, expires: this.now() + tokenSeconds });
    return { access_token: token, token_type: 'Bearer', expires_in: tokenSeconds };
  }

  /** Authorization server metadata (RFC 8414). */
  public metadata(): object {
    return {
      issuer: this.audience.slice(0, -'/v1/token'.length),
      token_endpoint: this.audience,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256'],
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
    };
  }

  /** The caller of an Authorization header; undefined without one. @throws TOKEN_INVALID */
  public caller(authorization: string | undefined): Caller | undefined {
    if (authorization === undefined) return undefined;
    const token = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(authorization)?.[1];
    if (token === undefined) throw new ProtocolError('TOKEN_INVALID');
    const known = this.tokens.get(token);
    if (known === undefined) return this.ownCaller(token);
    if (known.expires <= this.now()) throw new ProtocolError('TOKEN_INVALID');
    this.requireServed(known.caller.role === 'member' ? known.caller.member : '');
    return known.caller;
  }

  private ownCaller(token: string): Caller {
    const given = digest(token);
    const own = this.own.filter((one) => timingSafeEqual(given, one.digest))[0];
    if (own === undefined) throw new ProtocolError('TOKEN_INVALID');
    return own.caller;
  }

  private async verify(assertion: string): Promise<string> {
    const subject = this.subjectOf(assertion);
    const { signingKey } = this.requireServed(subject);
    const { exp, iat, jti } = await this.claims(assertion, subject, signingKey);
    const tooLong = exp === undefined || iat === undefined || exp - iat > assertionSeconds + skewSeconds || iat > this.now() + skewSeconds;
    if (tooLong || typeof jti !== 'string' || jti.length > 200) throw new ProtocolError('TOKEN_INVALID', { reason: 'claims' });
    await this.useOnce(`${usedPrefix}${sha256Hex(utf8(`${subject}/${jti}`))}`, exp);
    return subject;
  }

  private async claims(assertion: string, subject: string, key: object): Promise<{ exp?: number; iat?: number; jti?: string }> {
    try {
      const { payload, protectedHeader } = await jwtVerify(assertion, await importJWK({ ...key }, 'ES256'), {
        algorithms: ['ES256'],
        audience: this.audience,
        clockTolerance: 0,
        currentDate: new Date(this.clock.now()),
        issuer: subject,
        subject,
        requiredClaims: ['exp', 'iat', 'jti'],
      });
      const plain = ['jku', 'jwk', 'x5u', 'crit'].every((name) => !Object.hasOwn(protectedHeader, name));
      if (plain) return payload;
    } catch {
      // One answer for every fault: what exactly is wrong helps only who guesses.
    }
    throw new ProtocolError('TOKEN_INVALID');
  }

  private subjectOf(assertion: string): string {
    try {
      const { sub } = decodeJwt(assertion);
      if (typeof sub === 'string') return sub;
    } catch {
      // Falls through to the one refusal below.
    }
    throw new ProtocolError('TOKEN_INVALID');
  }

  /** The member, when this node serves it: itself or hosted here, and active. @throws TOKEN_INVALID */
  private requireServed(id: string): { readonly signingKey: object } {
    const member = /^[a-z][a-z0-9-]{1,31}$/.test(id) ? this.readModel.member(id) : undefined;
    const served = member?.status === 'active' && (id === this.memberId || member.document.host === this.memberId);
    if (member === undefined || !served) throw new ProtocolError('TOKEN_INVALID');
    return member.document;
  }

  /** Kept before the token is given: a process that ends in between has used it up. @throws REPLAYED */
  private async useOnce(place: string, expires: number): Promise<void> {
    if (this.storing.has(place) || this.store.get(place) !== undefined) throw new ProtocolError('REPLAYED');
    this.storing.add(place);
    try {
      await this.store.write([{ key: place, value: utf8(String(expires)) }]);
    } finally {
      this.storing.delete(place);
    }
  }

  private async forgetExpired(): Promise<void> {
    const now = this.now();
    for (const [token, { expires }] of this.tokens) if (expires <= now) this.tokens.delete(token);
    if (now < this.pruned + tokenSeconds) return;
    this.pruned = now;
    const removals: { key: string; remove: true }[] = [];
    for await (const [key, expires] of this.store.entries({ gte: usedPrefix, lt: `${usedPrefix}~` })) {
      if (Number(fromUtf8(expires)) + skewSeconds < now) removals.push({ key, remove: true });
    }
    if (removals.length > 0) await this.store.write(removals);
  }

  private now(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

/** Equal lengths, so that comparing them takes as long whatever was sent. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
