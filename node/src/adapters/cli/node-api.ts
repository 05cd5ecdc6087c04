import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isErrorCode, ProtocolError, type ErrorDetails } from '@huilian/protocol';
import { loadConfig } from '../../config/config.js';

/** The operator's door to the node that runs on a state folder: its HTTP address and the token file beside its data. */
export class NodeApi {
  public constructor(
    public readonly url: string,
    private readonly token: string,
  ) {}

  /** @throws CONFIG_INVALID, EXCHANGE_FAILED where the node was never started */
  public static open(stateDir: string): NodeApi {
    const { publicUrl } = loadConfig(stateDir).http;
    return new NodeApi(publicUrl, readToken(publicUrl, path.join(stateDir, 'operator-token')));
  }

  public async get(route: string): Promise<unknown> {
    return await (await this.send(route, { method: 'GET' })).json();
  }

  /** Every item of a list, page by page. */
  public async all(route: string): Promise<readonly unknown[]> {
    const items: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = (await this.get(`${route}${cursor === undefined ? '' : `${route.includes('?') ? '&' : '?'}cursor=${cursor}`}`)) as { items: unknown[]; cursor?: string };
      items.push(...page.items);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return items;
  }

  public async post(route: string, body: unknown): Promise<unknown> {
    const response = await this.send(route, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return await response.json();
  }

  public async put(route: string, body: unknown): Promise<unknown> {
    const response = await this.send(route, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return await response.json();
  }

  /** The answer, or undefined where there is none. */
  public async delete(route: string): Promise<unknown> {
    const response = await this.send(route, { method: 'DELETE' });
    return response.status === 204 ? undefined : await response.json();
  }

  /** An answer as the bytes that come. @throws the answer's error; what breaks off while it comes ends the iteration with EXCHANGE_FAILED */
  public async bytes(route: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.send(route, { method: 'GET' });
    return this.received(response);
  }

  private async *received({ body }: Response): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body ?? []) yield chunk as Uint8Array;
    } catch {
      throw new ProtocolError('EXCHANGE_FAILED', { node: this.url, reason: 'the answer broke off' });
    }
  }

  /** Streams NDJSON up, as lines or as bytes of whole lines, and answers the lines that come back, while both go on. */
  public async *stream(route: string, lines: AsyncIterable<string | Uint8Array>): AsyncGenerator<Record<string, unknown>> {
    const response = await this.send(route, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: ReadableStream.from(encode(lines)),
      duplex: 'half',
    });
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (line !== '') yield JSON.parse(line) as Record<string, unknown>;
    }
  }

  private async send(route: string, init: RequestInit & { duplex?: 'half' }): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${this.token}` };
    const response = await this.fetch(route, { ...init, headers });
    if (response.ok) return response;
    throw await errorOf(response);
  }

  private async fetch(route: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(new URL(route, this.url), init);
    } catch {
      throw new ProtocolError('EXCHANGE_FAILED', { node: this.url, reason: 'the node does not answer; is it started?' });
    }
  }
}

function readToken(node: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new ProtocolError('EXCHANGE_FAILED', { node, file, reason: 'the node was not started yet: it writes this file at its first start' });
  }
}

async function* encode(lines: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const line of lines) yield typeof line === 'string' ? encoder.encode(`${line}\n`) : line;
}

async function errorOf(response: Response): Promise<ProtocolError> {
  const body = (await response.json().catch(() => ({}))) as { code?: string; details?: ErrorDetails };
  const known = body.code !== undefined && isErrorCode(body.code);
  return known ? new ProtocolError(body.code as never, body.details) : new ProtocolError('EXCHANGE_FAILED', { status: response.status });
}
