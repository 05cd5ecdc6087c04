import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The cookie of a session: only this host's, not read by scripts, sent by this site's own pages alone, and over TLS only
 * where the node's address has it (RFC 6265bis, 4.1.3.2 for the prefix).
 */
export class SessionCookie {
  private readonly name: string;
  private readonly attributes: string;

  public constructor(publicUrl: string, name: string, sameSite: 'Lax' | 'Strict' = 'Strict') {
    const secure = publicUrl.startsWith('https:');
    this.name = cookieName(publicUrl, name);
    this.attributes = `; Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`;
  }

  /** Undefined where it is absent, comes twice or is no id of ours. */
  public read({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
    const found = (headers.cookie ?? '').split(';').map((one) => one.trim()).filter((one) => one.startsWith(`${this.name}=`));
    const [only = ''] = found;
    const id = only.slice(this.name.length + 1);
    return found.length === 1 && /^[A-Za-z0-9_-]{43}$/.test(id) ? id : undefined;
  }

  public set(reply: FastifyReply, id: string, seconds: number): void {
    void reply.header('set-cookie', `${this.name}=${id}${this.attributes}; Max-Age=${String(seconds)}`);
  }

  public clear(reply: FastifyReply): void {
    void reply.header('set-cookie', `${this.name}=${this.attributes}; Max-Age=0`);
  }
}

/** With the prefix where the node's address has TLS. */
export function cookieName(publicUrl: string, name: string): string {
  return publicUrl.startsWith('https:') ? `__Host-${name}` : name;
}

/** Name of the cookie of a session, but for the prefix. */
export const sessionCookieName = 'huilian-session';
