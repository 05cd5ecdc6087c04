/** The owner's trail: what every node folds out of the ledger, and what each centre's chained log adds to it. */

/** One thing that happened to an owner's data, as the ledger holds it. */
export interface TrailEntry {
  /** Unix seconds of the transaction. */
  readonly at: number;
  readonly block: number;
  readonly transactionId: string;
  readonly what:
    | 'registered'
    | 'key-rotated'
    | 'recovery-approved'
    | 'recovery-objected'
    | 'published'
    | 'superseded'
    | 'revoked'
    | 'contested'
    | 'attested'
    | 'stated'
    | 'opened'
    | 'confirmed'
    | 'refused'
    | 'disputed'
    | 'grant-revoked';
  readonly recordIds?: readonly string[];
  readonly version?: number;
  readonly publisher?: string;
  readonly reader?: string;
  readonly purpose?: string;
  /** Claim names without the kind. */
  readonly claims?: readonly string[];
  readonly ticket?: string;
  /** EIP-712 digest of the grant. */
  readonly grant?: string;
  /** Why a ticket was refused; what an attestation came to; the verdict of the owner's statement. */
  readonly code?: string;
  /** The centre that attested. */
  readonly attester?: string;
}

/** A refusal, as the refusing node remembers it. No claim values, no personal data. */
export interface Refusal {
  /** Unix seconds by the refusing node's clock. */
  readonly at: number;
  readonly code: string;
  readonly owner: string;
  readonly reader: string;
  readonly recordIds: readonly string[];
  /** Digest of the refused request, hex; empty where it could not be read. */
  readonly request: string;
}

/** What one centre's chained log says about an owner. */
export interface CentreRefusals {
  readonly centre: string;
  /** Newest entry of the log at the time of the answer. */
  readonly head: { readonly seq: number; readonly digest: string };
  readonly refusals: readonly Refusal[];
}

/** The ledger's part and every centre's refusals. */
export interface Trail {
  /** Oldest first. */
  readonly entries: readonly TrailEntry[];
  readonly refusals: readonly CentreRefusals[];
  /** Centres that did not answer: their refusals may be missing here. */
  readonly missing: readonly string[];
}
