/** Every bound of the protocol, in one place. Sizes in bytes, times in seconds. */
export const limits = {
  /** records.publish: compressed argument, inflated bytes, headers, headers with version > 1. */
  batchCompressedBytes: 1024 * 1024,
  batchInflatedBytes: 8 * 1024 * 1024,
  batchHeaders: 5000,
  batchSuperseding: 500,
  /** access.open: requests in one pack, bytes of the argument. */
  openRequests: 256,
  openBytes: 1024 * 1024,
  /** governance.propose; every other function takes argumentBytes. */
  proposeBytes: 512 * 1024,
  argumentBytes: 64 * 1024,
  schemaDocumentBytes: 64 * 1024,
  /** One record's data as canonical JSON, and one line of an NDJSON stream. */
  recordBytes: 256 * 1024,
  jsonDepth: 32,
  /** Commas between the items of one JSON document: bounds what reading it costs. A full batch has about 66,000. */
  jsonSeparators: 100_000,
  /** An access request names at most this many records and claims. */
  requestRecords: 64,
  requestClaims: 64,
  grantClaims: 64,
  grantTermSeconds: 366 * 86_400,
  grantMaxUses: 100_000,
  requestAgeSeconds: 300,
  offerSeconds: 60,
  /** A release is refused when the block came later than this after the transaction time. */
  blockDelaySeconds: 600,
  proposalWindowSeconds: 180,
  recoveryDelaySeconds: 72 * 3600,
  statementTermSeconds: 86_400,
  confirmReceipts: 256,
} as const;
