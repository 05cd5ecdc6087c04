import { sha256Hex, toBase64url, utf8 } from '@huilian/protocol';
import type { Clock, Random } from '../ports.js';
import type { AccountRow, StaffRole } from './account.js';

/** A person that is signed in. */
export interface Session {
  /** Names the session to those who may end it; opens nothing. */
  readonly handle: string;
  readonly account: string;
  readonly role: StaffRole;
  readonly source: AccountRow['source'];
  /** Of the password it was begun with; none for those of the directory. */
  readonly salt?: string;
  /** Unix seconds: when it began, was used last, and ends whatever happens. */
  readonly began: number;
  readonly used: number;
  readonly ends: number;
}

export interface SessionTimes {
  /** Without a call for so long a session ends. */
  readonly idleSeconds: number;
  /** It ends after so long in any case. */
  readonly mostSeconds: number;
}

const mostPerAccount = 10;

/**
 * Sessions of the centre's own people: 256 random bits that only the browser has; here only their digest is kept, in memory.
 * A restart ends them all, and no copy of the data brings one back.
 */
export class Sessions {
  private readonly sessions = new Map<string, Session>();

  public constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly times: SessionTimes,
  ) {}

  /** Always a new id: one that somebody brought along is never taken over. */
  public begin({ name, password, role, source }: AccountRow): { readonly id: string; readonly session: Session } {
    this.forgetEnded();
    const own = this.list(name);
    if (own.length >= mostPerAccount) this.end(own.at(-1)?.handle ?? '');
    const id = this.newId();
    const now = this.now();
    const session: Session = { account: name, began: now, ends: now + this.times.mostSeconds, handle: toBase64url(this.random.bytes(12)), role, ...(password === undefined ? {} : { salt: password.salt }), source, used: now };
    this.sessions.set(digestOf(id), session);
    return { id, session };
  }

  /** 256 random bits, as they go into a cookie. */
  public newId(): string {
    return toBase64url(this.random.bytes(32));
  }

  /** The session of an id, where it goes on. */
  public find(id: string): Session | undefined {
    const session = this.sessions.get(digestOf(id));
    if (session === undefined || this.isLive(session)) return session;
    this.sessions.delete(digestOf(id));
    return undefined;
  }

  /** It was used just now. */
  public use(id: string): void {
    const session = this.find(id);
    if (session !== undefined) this.sessions.set(digestOf(id), { ...session, used: this.now() });
  }

  /** When it ends if nothing more is called. */
  public idleEnd({ ends, used }: Session): number {
    return Math.min(ends, used + this.times.idleSeconds);
  }

  public end(handle: string): void {
    for (const [key, session] of this.sessions) if (session.handle === handle) this.sessions.delete(key);
  }

  public endAll(account: string): void {
    for (const [key, session] of this.sessions) if (session.account === account) this.sessions.delete(key);
  }

  /** Live ones, newest first; of one account, or of all. */
  public list(account?: string): readonly Session[] {
    return [...this.sessions.values()].filter((session) => this.isLive(session) && (account === undefined || session.account === account)).reverse();
  }

  private isLive(session: Session): boolean {
    return this.now() < this.idleEnd(session);
  }

  private forgetEnded(): void {
    for (const [key, session] of this.sessions) if (!this.isLive(session)) this.sessions.delete(key);
  }

  private now(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

function digestOf(id: string): string {
  return sha256Hex(utf8(id));
}
