import { concatBytes, fromBase64url, toBase64url } from './bytes.js';
import { utf8 } from './canonical.js';
import { ProtocolError } from './errors.js';
import { hmacSha256 } from './hash.js';

/**
 * Signature of a webhook's call, as the Standard Webhooks specification 1.0 writes it: HMAC-SHA-256 by the subscription's
 * secret over `<id>.<timestamp>.<body>`, in the headers below. Any library of that specification verifies it.
 */
export const webhookHeaders = { id: 'webhook-id', timestamp: 'webhook-timestamp', signature: 'webhook-signature' } as const;

const secretPrefix = 'whsec_';

/** `whsec_` and the secret's bytes in base64. */
export function webhookSecretText(secret: Uint8Array): string {
  return `${secretPrefix}${toBase64(secret)}`;
}

/** @throws BAD_FIELD {reason: 'webhook-secret'} */
export function readWebhookSecret(text: string): Uint8Array {
  try {
    const bytes = fromBase64url(text.slice(secretPrefix.length).replaceAll('+', '-').replaceAll('/', '_').replace(/(?<!=)=+$/, ''));
    if (text.startsWith(secretPrefix) && bytes.length >= 24) return bytes;
  } catch {
    // Falls through to the one refusal below, which does not repeat the secret.
  }
  throw new ProtocolError('BAD_FIELD', { reason: 'webhook-secret' });
}

/** One signature, `v1,<base64>`; `timestamp` in Unix seconds. */
export function signWebhook(secret: Uint8Array, id: string, timestamp: number, body: string | Uint8Array): string {
  const bytes = typeof body === 'string' ? utf8(body) : body;
  return `v1,${toBase64(hmacSha256(secret, concatBytes(utf8(`${id}.${String(timestamp)}.`), bytes)))}`;
}

/** Base64 with padding (RFC 4648 §4). */
function toBase64(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
