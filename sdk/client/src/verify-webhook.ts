import { fromUtf8, ProtocolError, readWebhookSecret, signWebhook, utf8, webhookHeaders, type ConsortiumEvent } from '@huilian/protocol';

/** How a webhook's call is held against the clock. */
export interface WebhookCheckOptions {
  /** How far the call's timestamp may be from this machine's clock; 300 where absent. */
  readonly toleranceSeconds?: number;
  /** Unix seconds; this machine's clock where absent. */
  readonly now?: number;
}

type HeaderValues = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

const defaultTolerance = 300;

/**
 * The events of a webhook's call, once its signature holds: HMAC-SHA-256 by the subscription's secret over the exact bytes
 * of the body (Standard Webhooks 1.0), compared in constant time. Answer 2xx when the events are safe with you. A call may
 * come again: events that have an id you know were delivered before.
 * @throws WEBHOOK_BAD_SIGNATURE {reason: headers | timestamp | signature | body}, BAD_FIELD for a secret that is none
 */
export function verifyWebhook(secret: string, headers: HeaderValues, body: string | Uint8Array, options: WebhookCheckOptions = {}): readonly ConsortiumEvent[] {
  const { now = Math.floor(Date.now() / 1000), toleranceSeconds = defaultTolerance } = options;
  const key = readWebhookSecret(secret);
  const [id, timestamp, signatures] = [webhookHeaders.id, webhookHeaders.timestamp, webhookHeaders.signature].map((name) => headerOf(headers, name));
  if (id === undefined || signatures === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) throw refused('headers');
  if (Math.abs(now - Number(timestamp)) > toleranceSeconds) throw refused('timestamp');
  const expected = signWebhook(key, id, Number(timestamp), body);
  // All are compared, so that the time says nothing either.
  const matching = signatures.split(' ').filter((signature) => sameText(signature, expected));
  if (matching.length === 0) throw refused('signature');
  return eventsOf(body);
}

function headerOf(headers: HeaderValues, name: string): string | undefined {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Constant time for texts of one length; the length of a signature is no secret. */
function sameText(left: string, right: string): boolean {
  const [a, b] = [utf8(left), utf8(right)];
  let difference = a.length ^ b.length;
  for (const [at, byte] of b.entries()) difference |= byte ^ (a[at] ?? 0);
  return difference === 0;
}

function eventsOf(body: string | Uint8Array): readonly ConsortiumEvent[] {
  try {
    const content: unknown = JSON.parse(typeof body === 'string' ? body : fromUtf8(body));
    return (Array.isArray(content) ? content : [content]) as ConsortiumEvent[];
  } catch {
    throw refused('body');
  }
}

function refused(reason: string): ProtocolError {
  return new ProtocolError('WEBHOOK_BAD_SIGNATURE', { reason });
}
