import { isErrorCode, ProtocolError, type ErrorDetails } from '@huilian/protocol';

/** One node's HTTP door: JSON in, JSON out, every refusal a ProtocolError with the node's own code. */
export class HttpDoor {
  public constructor(
    public readonly url: string,
    private readonly authorise: () => Promise<string | undefined> = () => Promise.resolve(undefined),
  ) {}

  public async get<T>(route: string): Promise<T> {
    return (await (await this.send(route, { method: 'GET' })).json()) as T;
  }

  public async post<T>(route: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await this.send(route, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
    return (await response.json()) as T;
  }

  /** @throws ProtocolError of the node, or EXCHANGE_FAILED where it does not answer */
  public async send(route: string, init: RequestInit): Promise<Response> {
    const token = await this.authorise();
    const headers = { ...(init.headers as Record<string, string> | undefined), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const response = await fetch(new URL(route, this.url), { ...init, headers }).catch(() => {
      throw new ProtocolError('EXCHANGE_FAILED', { node: this.url });
    });
    if (response.ok) return response;
    throw await refusalOf(response);
  }
}

async function refusalOf(response: Response): Promise<ProtocolError> {
  const body = (await response.json().catch(() => ({}))) as { code?: unknown; details?: ErrorDetails };
  if (typeof body.code === 'string' && isErrorCode(body.code)) return new ProtocolError(body.code, body.details);
  return new ProtocolError('EXCHANGE_FAILED', { status: response.status });
}
