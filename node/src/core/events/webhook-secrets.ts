import { hkdfSync } from 'node:crypto';
import { signWebhook, webhookHeaders, webhookSecretText } from '@huilian/protocol';
import type { Keys } from '../ports.js';
import type { SubscriptionRow } from './webhook-rows.js';

const secretBytes = 32;
/** As long as a receiver may take to put its new secret in place. */
const overlapSeconds = 86_400;

/**
 * Secrets of subscriptions. None is stored: each is derived from the node's own secret key by HKDF-SHA-256 (RFC 5869), so
 * there is nothing in the data or its backups to find, and a restored node signs as before.
 */
export class WebhookSecrets {
  public constructor(private readonly keys: Pick<Keys, 'localIdKey'>) {}

  /** To be shown once, when the subscription or this generation of its secret is made. */
  public show({ generation, id }: SubscriptionRow): string {
    return webhookSecretText(this.secret(id, generation));
  }

  /** Headers of one call: signed by the secret in force, and for a day after a change by the one before too. */
  public headers({ generation, id, rotatedAt }: SubscriptionRow, messageId: string, body: string, now: number): Readonly<Record<string, string>> {
    const before = rotatedAt !== undefined && now < rotatedAt + overlapSeconds ? [generation - 1] : [];
    const signatures = [generation, ...before].map((one) => signWebhook(this.secret(id, one), messageId, now, body));
    return { [webhookHeaders.id]: messageId, [webhookHeaders.timestamp]: String(now), [webhookHeaders.signature]: signatures.join(' ') };
  }

  private secret(id: string, generation: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.keys.localIdKey, '', `huilian webhook secret ${id} ${String(generation)}`, secretBytes));
  }
}
