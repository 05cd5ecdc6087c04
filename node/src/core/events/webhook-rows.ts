import { canonicalBytes, fromUtf8, type ErrorCode, type EventFilter } from '@huilian/protocol';

/** Who subscribed: a member that this node serves, or the node's operator. */
export type Subscriber = { readonly role: 'member'; readonly member: string } | { readonly role: 'operator' };

/** A subscription as it is stored. Its secret is not: it is derived (webhook-secrets.ts). */
export interface SubscriptionRow {
  readonly id: string;
  readonly subscriber: Subscriber;
  readonly url: string;
  readonly filter: EventFilter;
  readonly batch: boolean;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Of the secret: 1, +1 with each new one. */
  readonly generation: number;
  /** When the secret last changed; the one before signs too for a while. */
  readonly rotatedAt?: number;
  readonly paused?: { readonly at: number; readonly code: ErrorCode; readonly reason: string };
}

/** How far a subscription's target is, in a row of its own, since it changes with every delivery. */
export interface ProgressRow {
  /** Everything up to here was answered with 2xx, or left out by the filter. */
  readonly position: string;
  readonly deliveredAt?: number;
  /** Since the last 2xx. */
  readonly failing?: { readonly since: number; readonly attempts: number; readonly at: number; readonly code: ErrorCode; readonly reason: string; readonly status?: number };
}

export const subscriptionPrefix = 'webhook/subscription/';
export const subscriptionKey = (id: string): string => `${subscriptionPrefix}${id}`;
export const progressKey = (id: string): string => `webhook/progress/${id}`;

export function encodeWebhookRow(row: ProgressRow | SubscriptionRow): Uint8Array {
  return canonicalBytes(row);
}

export function decodeWebhookRow<T extends ProgressRow | SubscriptionRow>(bytes: Uint8Array): T {
  return JSON.parse(fromUtf8(bytes)) as T;
}
