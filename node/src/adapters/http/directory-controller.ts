import { Controller, Get, Ip, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BoundedMap, object, optional, ProtocolError, text } from '@huilian/protocol';
import { accountOf, roleOf, type DirectoryFlow } from '../../core/accounts/staff-directory.js';
import { answers } from './answer-schemas.js';
import { Declare } from './declare-route.js';
import { NodeServices } from './node-services.js';
import { SessionCookie } from './session-cookie.js';

/** Ties a sign-in at the directory to the browser that began it: of its own, for it must come along when the directory sends the browser back. */
export class FlowCookie extends SessionCookie {
  public constructor(publicUrl: string) {
    super(publicUrl, 'huilian-directory', 'Lax');
  }
}

const flowSeconds = 600;
const mostFlows = 1000;
const word = optional(text(/[\x20-\x7e]*/, 2048));
/** What providers send back (RFC 6749, RFC 9207, OpenID Connect Session Management). */
const callbackQuery = object({ code: word, error: word, error_description: optional(text(/[^]*/, 2048)), error_uri: word, iss: word, session_state: word, state: word });

/** Signing in by the centre's staff directory. Its answers are redirects: a browser makes these calls by itself. */
@Controller('v1/session')
export class DirectoryController {
  private readonly flows = new BoundedMap<string, { readonly until: number; readonly secrets: DirectoryFlow['secrets'] }>(mostFlows);

  public constructor(
    private readonly services: NodeServices,
    private readonly session: SessionCookie,
    private readonly flow: FlowCookie,
  ) {}

  @Declare({ id: 'signInMethods', en: "how the centre's people sign in here", zh: '可用的登录方式', who: 'anyone', answer: answers.signInMethods, curl: 'curl -s $NODE/v1/session/methods' })
  @Get('methods')
  public methods(): object {
    return { directory: this.services.directory !== undefined, password: true };
  }

  @Declare({ id: 'signInByDirectory', en: 'the browser is led to the staff directory', zh: '转到统一身份目录登录', who: 'anyone', counted: true, status: 302, codes: ['DIRECTORY_UNAVAILABLE', 'NOT_FOUND', 'SIGN_IN_LOCKED'], curl: 'curl -s $NODE/v1/session/directory' })
  @Get('directory')
  public async begin(@Ip() ip: string, @Res() reply: FastifyReply): Promise<void> {
    if (this.services.directory === undefined) throw new ProtocolError('NOT_FOUND');
    this.services.staff.requireFree(ip);
    const { address, secrets } = await this.services.directory.provider.begin();
    const id = this.services.sessions.newId();
    this.flows.set(id, { secrets, until: this.services.clock.now() + flowSeconds * 1000 });
    this.flow.set(reply, id, flowSeconds);
    void reply.redirect(address, 302);
  }

  @Declare({ id: 'directoryCallback', en: 'the directory sends the browser back: a session begins, or the console is told why not', zh: '统一身份目录登录回调', who: 'anyone', counted: true, query: callbackQuery, status: 302, codes: ['NOT_FOUND'], curl: 'curl -s "$NODE/v1/session/directory/callback?error=access_denied"' })
  @Get('directory/callback')
  public async callback(@Query() _query: Record<string, string>, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (this.services.directory === undefined) throw new ProtocolError('NOT_FOUND');
    this.flow.clear(reply);
    try {
      const { id, session } = await this.finish(request);
      this.session.set(reply, id, session.ends - session.began);
      void reply.redirect('/console/', 302);
    } catch (error) {
      const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
      if (known !== error) this.services.reportFault(error);
      void reply.redirect(`/console/?refused=${known.code}`, 302);
    }
  }

  private async finish(request: FastifyRequest): ReturnType<NodeServices['staff']['byDirectory']> {
    const { directory, staff } = this.services;
    if (directory === undefined) throw new ProtocolError('NOT_FOUND');
    // Who comes back from nowhere is no sign-in: nothing to count or to write down.
    const secrets = this.takeFlow(request);
    try {
      const identity = await directory.provider.finish(request.url.split('?')[1] ?? '', secrets);
      return await staff.byDirectory(accountOf(identity), roleOf(identity, directory.roles));
    } catch (error) {
      if (error instanceof ProtocolError && error.code !== 'ACCOUNT_DISABLED') await staff.directoryRefused(error, request.ip);
      throw error;
    }
  }

  /** Each is used once. @throws DIRECTORY_SIGN_IN_FAILED */
  private takeFlow(request: FastifyRequest): DirectoryFlow['secrets'] {
    const id = this.flow.read(request) ?? '';
    const found = this.flows.get(id);
    this.flows.delete(id);
    if (found === undefined || found.until <= this.services.clock.now()) throw new ProtocolError('DIRECTORY_SIGN_IN_FAILED', { reason: 'not-begun-here' });
    return found.secrets;
  }
}
