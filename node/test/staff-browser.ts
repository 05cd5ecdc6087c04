import { operatorToken } from './event-node.js';

export interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** A browser of one person: keeps cookies as one would, and sends what a page of the node sends. */
export class StaffBrowser {
  private readonly cookies = new Map<string, string>();

  public constructor(private readonly url: string) {}

  /** What it holds of a cookie. */
  public cookie(name = 'huilian-session'): string | undefined {
    return this.cookies.get(name);
  }

  public plant(name: string, value: string): void {
    this.cookies.set(name, value);
  }

  public async signIn(name: string, password: string): Promise<Answered> {
    return await this.call('POST', '/v1/session', { name, password });
  }

  public async call(method: string, route: string, body?: unknown, headers: Record<string, string> = { 'x-huilian-request': 'console' }): Promise<Answered> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = { ...headers, ...(cookie === '' ? {} : { cookie }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const response = await fetch(new URL(route, this.url), { method, redirect: 'manual', headers: sent, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    for (const line of response.headers.getSetCookie()) this.take(line);
    return await answered(response);
  }

  private take(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '' || /Max-Age=0/.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** A call by the operator's token, as the command line makes it. */
export async function byMachine(url: string, method: string, route: string, body?: unknown): Promise<Answered> {
  const headers = { authorization: `Bearer ${operatorToken}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  return await answered(await fetch(new URL(route, url), { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }));
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('application/json') === true && text !== '';
  return { status: response.status, headers: response.headers, body: json ? (JSON.parse(text) as Record<string, unknown>) : {} };
}
