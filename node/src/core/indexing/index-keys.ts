import { stateKey, type LedgerState } from '@huilian/protocol';

/**
 * Keys of one generation of the read model. A place is where something stands on the ledger, in digits that sort:
 * `<block>.<transaction>` or `<block>.<transaction>.<index in the batch>`. Big rows are keyed by place, so that they are
 * written in order.
 */
export interface IndexKeys {
  readonly prefix: string;
  /** {height, hash} of the last block folded in. */
  readonly checkpoint: string;
  /** Header hash of a block. */
  block(number: number): string;
  /** Canonical header. */
  header(place: string): string;
  /** BatchRow. */
  batchAt(place: string): string;
  /** Leaf hashes of the batch, 32 bytes each. */
  leaves(place: string): string;
  /** Place of a batch. */
  batch(publisher: string, seq: number): string;
  /** RecordRow. */
  record(recordId: string): string;
  /** Records with a contested version. */
  contested(recordId: string): string;
  /** Headers that name an organisation: 's' as subject, 'o' as owner, 'b' as both. */
  party(organisation: string, place: string): string;
  /** Positions in the batch at a place, as ranges. */
  posting(dimension: PostingDimension, value: string, place: string): string;
  /** A key of the world state, but for batches. */
  state<K extends keyof LedgerState>(type: K, ...parts: readonly (string | number)[]): string;
  mirrored(stateKey: string): string;
  transaction(id: string): string;
  ticket(id: string): string;
  /** Ticket ids by who or what they concern. */
  ticketOf(dimension: TicketDimension, value: string, place: string): string;
  trail(owner: string, place: string): string;
  /** EventsRow of a transaction. */
  eventsAt(place: string): string;
  /** {block} of a grant's revocation. */
  revokedAt(owner: string, grantDigest: string): string;
}

export type PostingDimension = 'kind' | 'publisher' | 'status';
export type TicketDimension = 'owner' | 'reader' | 'publisher' | 'grant';

/** Where the number of the current generation stands. */
export const generationKey = 'index/generation';

export function indexKeys(generation: number): IndexKeys {
  const prefix = `index/${String(generation).padStart(4, '0')}/`;
  return {
    prefix,
    checkpoint: `${prefix}a`,
    block: (number) => `${prefix}b/${blockDigits(number)}`,
    header: (place) => `${prefix}h/${place}`,
    batchAt: (place) => `${prefix}p/${place}`,
    leaves: (place) => `${prefix}l/${place}`,
    batch: (publisher, seq) => `${prefix}q/${publisher}/${String(seq).padStart(16, '0')}`,
    record: (recordId) => `${prefix}r/${recordId}`,
    contested: (recordId) => `${prefix}z/${recordId}`,
    party: (organisation, place) => `${prefix}o/${organisation}/${place}`,
    posting: (dimension, value, place) => `${prefix}x/${dimension}/${value}/${place}`,
    state: (type, ...parts) => `${prefix}s/${stateKey(type, ...parts)}`,
    mirrored: (key) => `${prefix}s/${key}`,
    transaction: (id) => `${prefix}t/${id}`,
    ticket: (id) => `${prefix}k/${id}`,
    ticketOf: (dimension, value, place) => `${prefix}y/${dimension}/${value}/${place}`,
    trail: (owner, place) => `${prefix}w/${owner}/${place}`,
    eventsAt: (place) => `${prefix}e/${place}`,
    revokedAt: (owner, grantDigest) => `${prefix}v/${owner}/${grantDigest}`,
  };
}

function blockDigits(number: number): string {
  return String(number).padStart(10, '0');
}

/** Place of a transaction. */
export function transactionPlace(block: number, transaction: number): string {
  return `${blockDigits(block)}.${String(transaction).padStart(5, '0')}`;
}

/** Place of a header, or of anything numbered within a transaction. */
export function placeWithin(place: string, index: number): string {
  return `${place}.${String(index).padStart(4, '0')}`;
}

/** Splits a header's place. */
export function splitPlace(place: string): { readonly transaction: string; readonly block: number; readonly index: number } {
  const [block = '', transaction = '', index = '0'] = place.split('.');
  return { transaction: `${block}.${transaction}`, block: Number(block), index: Number(index) };
}

/** The end of all keys that start with a prefix, for range reads. */
export function pastPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
