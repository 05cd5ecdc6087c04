import { Body, Controller, Delete, Get, HttpCode, Ip, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { object, ProtocolError, text, type ErrorCode } from '@huilian/protocol';
import { anyAccountNameShape } from '../../core/accounts/account.js';
import { mostPasswordLength } from '../../core/accounts/password-rules.js';
import type { BegunSession } from '../../core/accounts/sign-in-staff.js';
import type { Session } from '../../core/accounts/sessions.js';
import { parameter } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { Declare, everyRole, jsonHeader, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import { SessionCookie } from './session-cookie.js';
import type { OperatorCaller } from './sign-in.js';

/** In UTF-16 units, of which a character has one or two. */
export const typedPasswordShape = text(/[^]*/, 2 * mostPasswordLength);
const signInShape = object({ name: anyAccountNameShape, password: typedPasswordShape });
const passwordShape = object({ old: typedPasswordShape, password: typedPasswordShape });
const signInCodes: readonly ErrorCode[] = ['SIGN_IN_FAILED', 'SIGN_IN_LOCKED', 'ACCOUNT_DISABLED', 'RATE_LIMITED'];

/** Sessions of the centre's own people, who sign in at its console. */
@Controller('v1')
export class SessionsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cookie: SessionCookie,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'signInStaff', en: "a person of the centre signs in: the session's id comes as a cookie", zh: '本中心人员登录，会话以 Cookie 返回', who: 'anyone', body: signInShape, secret: true, bodyBytes: 4096, counted: true, answer: answers.session, codes: signInCodes, curl: `curl -s ${jsonHeader} -d "{\\"name\\":\\"$ACCOUNT\\",\\"password\\":\\"$PASSWORD\\"}" -c $COOKIES $NODE/v1/session` })
  @Post('session')
  @HttpCode(200)
  public async signIn(@Body() body: unknown, @Ip() address: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const { name, password } = signInShape.read(body);
    const begun = await this.services.staff.byPassword(name, password, address);
    this.endBefore(request);
    return this.answer(begun, reply);
  }

  @Declare({ id: 'session', en: 'who is signed in, and until when', zh: '当前登录者与到期时间', who: 'operator', roles: everyRole, answer: answers.session, curl: `curl -s ${tokenHeader} $NODE/v1/session` })
  @Get('session')
  public session(@Operator() { session }: OperatorCaller): object {
    return session === undefined ? { account: 'machine', role: 'administrator', source: 'machine' } : this.view(session);
  }

  @Declare({ id: 'signOut', en: 'an end to the session', zh: '退出登录', who: 'operator', roles: everyRole, act: 'session.sign-out', status: 204, curl: `curl -s -X DELETE ${tokenHeader} $NODE/v1/session` })
  @Delete('session')
  @HttpCode(204)
  public signOut(@Operator() { session }: OperatorCaller, @Res({ passthrough: true }) reply: FastifyReply): void {
    if (session !== undefined) this.services.sessions.end(session.handle);
    this.cookie.clear(reply);
  }

  /** Of one's own: every session of the account ends, this one too. */
  @Declare({ id: 'changePassword', en: "another password of one's own, by the old one; all its sessions end", zh: '修改本人密码，其全部会话随即结束', who: 'operator', roles: everyRole, act: 'account.password', body: passwordShape, secret: true, bodyBytes: 4096, status: 204, codes: [...signInCodes, 'PASSWORD_WEAK', 'ACCOUNT_OF_DIRECTORY'], curl: `curl -s -b $COOKIES -H 'x-huilian-request: curl' ${jsonHeader} -d "{\\"old\\":\\"$PASSWORD\\",\\"password\\":\\"$NEW_PASSWORD\\"}" $NODE/v1/session/password` })
  @Post('session/password')
  @HttpCode(204)
  public async changePassword(@Operator() { session }: OperatorCaller, @Body() body: unknown, @Ip() address: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    if (session === undefined) throw new ProtocolError('FORBIDDEN', { needs: 'session' });
    if (session.source === 'directory') throw new ProtocolError('ACCOUNT_OF_DIRECTORY');
    const { old, password } = passwordShape.read(body);
    await this.services.staff.changePassword(session.account, old, password, address);
    this.cookie.clear(reply);
  }

  @Declare({ id: 'sessions', en: "one's own sessions; everybody's for an administrator", zh: '会话列表，管理员可见全部', who: 'operator', roles: everyRole, query: listQuery, answer: answers.sessions, curl: `curl -s ${tokenHeader} $NODE/v1/sessions` })
  @Get('sessions')
  public sessions(@Operator() caller: OperatorCaller, @Query() query: Record<string, string>): object {
    const items = this.visible(caller).map((session) => ({ ...this.view(session), handle: session.handle, current: session.handle === caller.session?.handle }));
    return this.cursors.page('sessions', items, readPage(query));
  }

  @Declare({ id: 'endSession', en: "an end to one of one's own sessions, or for an administrator to anybody's", zh: '结束一个会话', who: 'operator', roles: everyRole, act: 'session.end', object: parameter('session'), status: 204, codes: ['NOT_FOUND'], curl: `curl -s -X DELETE ${tokenHeader} $NODE/v1/sessions/$SESSION` })
  @Delete('sessions/:session')
  @HttpCode(204)
  public endSession(@Operator() caller: OperatorCaller, @Param('session') handle: string): void {
    if (!this.visible(caller).some((session) => session.handle === handle)) throw new ProtocolError('NOT_FOUND');
    this.services.sessions.end(handle);
  }

  private visible({ session }: OperatorCaller): readonly Session[] {
    const all = session === undefined || session.role === 'administrator';
    return this.services.sessions.list(all ? undefined : session.account);
  }

  /** A browser has one session at a time. */
  private endBefore(request: FastifyRequest): void {
    const before = this.services.sessions.find(this.cookie.read(request) ?? '');
    if (before !== undefined) this.services.sessions.end(before.handle);
  }

  private answer({ id, session }: BegunSession, reply: FastifyReply): object {
    this.cookie.set(reply, id, session.ends - session.began);
    return this.view(session);
  }

  private view(session: Session): object {
    const { account, began, ends, role, source, used } = session;
    return { account, role, source, began, used, ends, idleEnds: this.services.sessions.idleEnd(session) };
  }
}
