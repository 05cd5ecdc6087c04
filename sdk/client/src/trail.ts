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
  /** Why a ticket was refused. */
  readonly code?: string;
}

/** A refusal as the refusing centre's own chained log holds it. */
export interface TrailRefusal {
  readonly at: number;
  readonly code: string;
  readonly owner: string;
  readonly reader: string;
  readonly recordIds: readonly string[];
  readonly request: string;
}

/** The ledger's part and every centre's refusals. */
export interface Trail {
  readonly entries: readonly TrailEntry[];
  readonly refusals: readonly { readonly centre: string; readonly head: { readonly seq: number; readonly digest: string }; readonly refusals: readonly TrailRefusal[] }[];
  /** Centres that did not answer: their refusals may be missing here. */
  readonly missing: readonly string[];
}
