import type { FastifyRequest } from 'fastify';
import { ProtocolError } from '@huilian/protocol';
import type { Sessions } from '../../core/accounts/sessions.js';
import type { SignInStaff } from '../../core/accounts/sign-in-staff.js';
import type { SessionCookie } from './session-cookie.js';
import type { Caller, SignIn } from './sign-in.js';

/** Header that only pages of this node send: another site's page would have to be let by a preflight, and none is. */
export const ownPageHeader = 'x-huilian-request';
/** Its value for a call that no person made: a page that refreshes itself keeps no session alive. */
const unattended = 'background';

/** Finds out who calls, by the Authorization header, else by the cookie of a session. */
export class Callers {
  public constructor(
    private readonly signIn: SignIn,
    private readonly staff: SignInStaff,
    private readonly sessions: Sessions,
    private readonly cookie: SessionCookie,
  ) {}

  /** Undefined for a stranger. @throws TOKEN_INVALID */
  public of(request: Pick<FastifyRequest, 'headers'>): Caller | undefined {
    if (request.headers.authorization !== undefined) return this.signIn.caller(request.headers.authorization);
    const id = this.cookie.read(request);
    const session = id === undefined ? undefined : this.staff.find(id);
    return session === undefined ? undefined : { role: 'operator', session };
  }

  /** As `of`, for a call that is about to be made: it keeps the session alive. @throws TOKEN_INVALID, CROSS_SITE_REFUSED */
  public calling(request: FastifyRequest): Caller | undefined {
    const caller = this.of(request);
    if (caller?.role !== 'operator' || caller.session === undefined) return caller;
    if (!['GET', 'HEAD'].includes(request.method)) requireOwnPage(request);
    if (request.headers[ownPageHeader] !== unattended) this.sessions.use(this.cookie.read(request) ?? '');
    return caller;
  }

  /** For a call that lasts. @throws TOKEN_INVALID, SESSION_ENDED once its caller is none any more */
  public require(request: Pick<FastifyRequest, 'headers'>): void {
    if (this.of(request) === undefined) throw new ProtocolError('SESSION_ENDED');
  }

  /** Whether a cookie was sent that opens nothing more. */
  public hasEnded(request: Pick<FastifyRequest, 'headers'>): boolean {
    return this.cookie.read(request) !== undefined;
  }
}

/** What changes something comes from a page of this node (OWASP CSRF Prevention: custom header, and Fetch metadata where a browser sends them). */
function requireOwnPage({ headers }: Pick<FastifyRequest, 'headers'>): void {
  const site = headers['sec-fetch-site'];
  if (headers[ownPageHeader] === undefined) throw new ProtocolError('CROSS_SITE_REFUSED', { needs: ownPageHeader });
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new ProtocolError('CROSS_SITE_REFUSED', { reason: 'other-site' });
}
