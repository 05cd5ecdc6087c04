import { fromBase64url, fromUtf8, jweDigest, parseCanonicalObject, utf8, type Release, type ReleaseEnvelope } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';

const releaseKey = (ticketId: string): string => `exchange/release/${ticketId}`;

/** The release that this node sent for a ticket, as it was sent (without its ciphertext once that was erased); undefined where it sent none. */
export function sentRelease(store: Store, ticketId: string): ReleaseEnvelope | undefined {
  const sent = store.get(releaseKey(ticketId));
  return sent && (JSON.parse(fromUtf8(sent)) as ReleaseEnvelope);
}

export function releaseWrite(ticketId: string, envelope: ReleaseEnvelope): StoreWrite {
  return { key: releaseKey(ticketId), value: utf8(JSON.stringify(envelope)) };
}

/** Tickets that this node sent a release for. */
export async function* releasedTickets(store: Store): AsyncGenerator<string> {
  for await (const [key] of store.entries({ gte: releaseKey(''), lt: releaseKey('~') })) yield key.slice(releaseKey('').length);
}

/** Of a release whose records were erased the signed word stays, with the digest of what was sent; the ciphertext goes. */
export function withoutCiphertext({ release }: ReleaseEnvelope): ReleaseEnvelope {
  return { jwe: '', release };
}

export function dropSentRelease(store: Store, ticketId: string): StoreWrite[] {
  const sent = sentRelease(store, ticketId);
  return sent === undefined || sent.jwe === '' ? [] : [releaseWrite(ticketId, withoutCiphertext(sent))];
}

/** Digest of the ciphertext, also where it was erased and only the signed word is left. */
export function sentDigest(envelope: ReleaseEnvelope): string {
  return envelope.jwe === '' ? signedRelease(envelope).jwe : jweDigest(envelope.jwe);
}

/** What the publisher signed, its signature not checked. */
export function signedRelease({ release }: ReleaseEnvelope): Release {
  return parseCanonicalObject(fromBase64url(release.split('.')[1] ?? '')) as unknown as Release;
}
