import { jwkThumbprint, ProtocolError, readRequest, toBase64url, type JsonObject, type PlacedHeader, type Ticket } from '@huilian/protocol';
import type { RelayRequest } from '../access/relay-request.js';
import { sentDigest } from '../exchange/sent-releases.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { BlockTransaction, Ledger } from '../ports.js';

/** One committed transaction, with what its endorsers signed. Bytes as base64url. */
export interface EndorsedTransaction {
  readonly transactionId: string;
  readonly proposalResponse: string;
  readonly endorsements: readonly { readonly identity: string; readonly signature: string }[];
}

/** `evidence/0`, provisional: everything a verifier needs to follow one access from the charter's fingerprint, offline. */
export interface Evidence {
  readonly format: 'evidence/0';
  readonly charter: JsonObject;
  readonly domain: JsonObject;
  /** Id of the transaction that completed the founding; the domain's salt follows from it. */
  readonly founding: string;
  readonly ticketId: string;
  readonly ticket: EndorsedTransaction;
  readonly batches: readonly (EndorsedTransaction & { readonly seq: number })[];
  readonly registration?: EndorsedTransaction;
  readonly records: readonly PlacedHeader[];
  readonly request: string;
  readonly grant?: JsonObject;
  readonly readerKey: JsonObject;
  readonly release: string;
  readonly jweDigest: string;
  readonly receipt: string;
}

/** Builds the evidence of an access that this node relayed; no plaintext is in it. */
export class BuildEvidence {
  public constructor(
    private readonly readModel: ReadModel,
    private readonly ledger: Ledger,
    private readonly relay: RelayRequest,
  ) {}

  /** @throws TICKET_UNKNOWN, NOT_FOUND {reason} where release or receipt is not here yet, LEDGER_UNAVAILABLE */
  public async build(ticketId: string): Promise<Evidence> {
    const indexed = this.readModel.ticket(ticketId);
    const charter = this.readModel.charter();
    if (indexed === undefined || charter === undefined) throw new ProtocolError('TICKET_UNKNOWN', { ticket: ticketId });
    const file = this.relay.accessFile(ticketId);
    if (file?.release === undefined || file.receipt === undefined) throw new ProtocolError('NOT_FOUND', { ticket: ticketId, reason: 'no-release-or-receipt-here' });
    const { headers } = readRequest(file.request).request;
    const registration = await this.registration(indexed.ticket);
    return {
      format: 'evidence/0',
      charter: charter.document,
      domain: charter.domain as unknown as JsonObject,
      founding: charter.founding,
      ticketId,
      ticket: await this.endorsed(ticketId.split('/')[0] ?? ''),
      batches: await this.batches(indexed.ticket.publisher, headers),
      ...(registration === undefined ? {} : { registration }),
      records: headers,
      request: file.request,
      ...(file.grant === undefined ? {} : { grant: file.grant as unknown as JsonObject }),
      readerKey: this.readerKey(indexed.ticket),
      release: file.release.release,
      jweDigest: sentDigest(file.release),
      receipt: file.receipt,
    };
  }

  private async batches(publisher: string, headers: readonly PlacedHeader[]): Promise<(EndorsedTransaction & { seq: number })[]> {
    const found: (EndorsedTransaction & { seq: number })[] = [];
    for (const seq of new Set(headers.map((placed) => placed.seq))) {
      const batch = this.readModel.batch(publisher, seq);
      if (batch === undefined) throw new ProtocolError('RECORD_UNKNOWN', { seq });
      found.push({ ...(await this.endorsed(batch.transactionId)), seq });
    }
    return found;
  }

  /** The transaction that wrote the owner's key: its registration, or the last change before the ticket. */
  private async registration({ openedAt, owner }: Ticket): Promise<EndorsedTransaction | undefined> {
    if (owner === '') return undefined;
    const changes = (await this.readModel.trail(owner)).filter(({ at, what }) => (what === 'registered' || what === 'key-rotated') && at <= openedAt);
    const last = changes.at(-1);
    return last && (await this.endorsed(last.transactionId));
  }

  private readerKey(ticket: Ticket): JsonObject {
    const key = this.readModel.member(ticket.reader)?.document.signingKey;
    if (key === undefined || jwkThumbprint(key) !== ticket.readerKey) throw new ProtocolError('NOT_FOUND', { reason: 'reader-key-changed' });
    return { ...key };
  }

  private async endorsed(transactionId: string): Promise<EndorsedTransaction> {
    const transaction = await this.find(transactionId);
    return {
      transactionId,
      proposalResponse: toBase64url(transaction.proposalResponse),
      endorsements: transaction.endorsements.map(({ identity, signature }) => ({ identity: toBase64url(identity), signature: toBase64url(signature) })),
    };
  }

  private async find(transactionId: string): Promise<BlockTransaction> {
    const place = this.readModel.transaction(transactionId);
    if (place === undefined) throw new ProtocolError('NOT_FOUND', { transaction: transactionId });
    const stop = new AbortController();
    try {
      for await (const block of this.ledger.blocks(place.block, stop.signal)) {
        const found = block.transactions.find(({ id }) => id === transactionId);
        if (found !== undefined) return found;
        break;
      }
    } finally {
      stop.abort();
    }
    throw new ProtocolError('LEDGER_UNAVAILABLE', { transaction: transactionId });
  }
}
