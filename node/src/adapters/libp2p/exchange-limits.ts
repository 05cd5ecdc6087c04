/** Every bound of the exchange between nodes, in one place. Bytes and milliseconds. */
export const exchangeLimits = {
  protocol: '/huilian/exchange/1',
  /** One frame on the stream, and a whole message assembled from frames. */
  frameBytes: 1024 * 1024,
  messageBytes: 32 * 1024 * 1024,
  /** All that is being received or answered on one stream, together: a peer may begin many messages and end none. */
  heldBytes: 64 * 1024 * 1024,
  /** Connections of one peer: both sides may dial at the same moment, and again before the old one is known to be gone. */
  connectionsOfPeer: 4,
  /** Requests of one peer that are worked on at the same time; more is refused. */
  inboundRequests: 256,
  outboundRequests: 1024,
  dialMilliseconds: 10_000,
  requestMilliseconds: 30_000,
} as const;
