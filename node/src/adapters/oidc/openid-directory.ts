import * as oidc from 'openid-client';
import { Agent, fetch as fetchBy, type RequestInit as FetchInit } from 'undici';
import { isJsonObject, ProtocolError, type JsonValue } from '@huilian/protocol';
import type { DirectoryFlow, DirectoryIdentity, StaffDirectory } from '../../core/accounts/staff-directory.js';

export interface OpenIdSettings {
  /** As the provider states it in its metadata. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client; PKCE is used either way. */
  readonly clientSecret?: string;
  /** The node's own callback, as it is registered at the provider. */
  readonly redirectUri: string;
  readonly scope: string;
  readonly nameClaim: string;
  /** Of a nested claim the names on the way, separated by dots: `realm_access.roles`. */
  readonly roleClaim: string;
  /** PEM of authorities beside the public ones. */
  readonly ca?: string;
  /** Whether a provider without TLS is spoken with. */
  readonly allowHttp: boolean;
}

const timeoutSeconds = 10;
const knownMilliseconds = 3_600_000;

/** OpenID Connect: authorization code flow with PKCE, state and nonce; the ID token's signature is checked by the provider's published keys. */
export class OpenIdDirectory implements StaffDirectory {
  private known: { readonly at: number; readonly provider: oidc.Configuration } | undefined;
  private readonly agent: Agent;

  public constructor(private readonly settings: OpenIdSettings) {
    this.agent = new Agent({ connect: { timeout: timeoutSeconds * 1000, ...(settings.ca === undefined ? {} : { ca: settings.ca }) } });
  }

  public async begin(): Promise<DirectoryFlow> {
    const provider = await this.provider();
    const secrets = { nonce: oidc.randomNonce(), state: oidc.randomState(), verifier: oidc.randomPKCECodeVerifier() };
    const address = oidc.buildAuthorizationUrl(provider, {
      code_challenge: await oidc.calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: 'S256',
      nonce: secrets.nonce,
      redirect_uri: this.settings.redirectUri,
      scope: this.settings.scope,
      state: secrets.state,
    });
    return { address: address.href, secrets };
  }

  public async finish(query: string, { nonce, state, verifier }: DirectoryFlow['secrets']): Promise<DirectoryIdentity> {
    const provider = await this.provider();
    try {
      const tokens = await oidc.authorizationCodeGrant(provider, new URL(`${this.settings.redirectUri}?${query}`), { expectedNonce: nonce, expectedState: state, idTokenExpected: true, pkceCodeVerifier: verifier });
      return await this.identityOf(provider, tokens);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  public async close(): Promise<void> {
    await this.agent.close();
  }

  private async identityOf(provider: oidc.Configuration, tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>): Promise<DirectoryIdentity> {
    const claims = tokens.claims();
    if (claims === undefined) throw new ProtocolError('DIRECTORY_SIGN_IN_FAILED', { reason: 'no-id-token' });
    const { nameClaim, roleClaim } = this.settings;
    const asked = claimOf(claims, roleClaim) === undefined && provider.serverMetadata().userinfo_endpoint !== undefined;
    const more = asked ? await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub) : {};
    const all = { ...more, ...claims };
    const name = claimOf(all, nameClaim);
    return { groups: textsOf(claimOf(all, roleClaim)), issuer: claims.iss, name: typeof name === 'string' ? name : '', subject: claims.sub };
  }

  /** Found out anew after an hour, and after it was away. */
  private async provider(): Promise<oidc.Configuration> {
    if (this.known !== undefined && this.known.at + knownMilliseconds > Date.now()) return this.known.provider;
    const { allowHttp, clientId, clientSecret, issuer } = this.settings;
    const authentication = clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(clientSecret);
    try {
      const provider = await oidc.discovery(new URL(issuer), clientId, {}, authentication, {
        [oidc.customFetch]: async (url, init) => (await fetchBy(url, { ...(init as FetchInit), dispatcher: this.agent })) as unknown as Response,
        execute: [oidc.enableNonRepudiationChecks, ...(allowHttp ? [oidc.allowInsecureRequests] : [])],
        timeout: timeoutSeconds,
      });
      this.known = { at: Date.now(), provider };
      return provider;
    } catch {
      throw new ProtocolError('DIRECTORY_UNAVAILABLE', { issuer });
    }
  }
}

/** What the provider or the library refused, in closed words: what came may hold anything. */
function refusalOf(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof oidc.AuthorizationResponseError) return new ProtocolError('DIRECTORY_SIGN_IN_FAILED', { reason: error.error === 'access_denied' ? 'denied' : 'refused-by-directory' });
  const code = (error as { code?: unknown } | undefined)?.code;
  if (error instanceof TypeError && code === undefined) return new ProtocolError('DIRECTORY_UNAVAILABLE');
  return new ProtocolError('DIRECTORY_SIGN_IN_FAILED', { reason: 'answer-not-accepted', ...(typeof code === 'string' && /^OAUTH_[A-Z_]{1,60}$/.test(code) ? { check: code } : {}) });
}

function claimOf(claims: object, path: string): JsonValue | undefined {
  let found: JsonValue | undefined = claims as JsonValue;
  for (const name of Object.hasOwn(claims, path) ? [path] : path.split('.')) found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
