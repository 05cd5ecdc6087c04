import { fromUtf8, isJsonObject, jweDigest, limits, payloadDigest, ProtocolError, readDisclosure, ticketApv, verifyRelease, type Header, type JsonValue, type LedgerState, type Release, type ReleaseEnvelope } from '@huilian/protocol';
import { sentDigest, signedRelease } from '../exchange/sent-releases.js';
import { RefusalLog } from '../exchange/refusal-log.js';
import type { IndexedTicket, ReadModel } from '../indexing/read-model.js';
import { DeadLetters } from '../outbox/dead-letters.js';
import type { OutboxChain } from '../outbox/outbox-chain.js';
import type { Clock, Store } from '../ports.js';
import { OwnRecords } from '../vault/own-records.js';
import type { SealedRecord, Vault } from '../vault/vault.js';
import type { Findings } from './findings.js';
import type { PersonalMarks } from './personal-marks.js';

export interface NodeParts {
  readonly clock: Clock;
  readonly memberId: string;
  readonly outbox: OutboxChain;
  readonly readModel: ReadModel;
  readonly store: Store;
  readonly vault: Vault;
  /** The node's log, a line at a time. */
  readonly log: AsyncIterable<string>;
  /** Ids of records that clients hold a receipt for. */
  readonly acknowledged: Iterable<string>;
}

const releasePrefix = 'exchange/release/';

/** What a stopped node holds against its read model, which is itself held against a replay of the blocks (I9). */
export class NodeChecker {
  private readonly records: OwnRecords;
  private readonly tally = { ownVersions: 0, releases: 0 };

  public constructor(
    private readonly parts: NodeParts,
    private readonly findings: Findings,
    private readonly marks: PersonalMarks,
  ) {
    this.records = new OwnRecords(parts.store);
  }

  public get counts(): { readonly ownVersions: number; readonly releases: number } {
    return { ...this.tally };
  }

  /** The personal values of the own records, for every search that follows. */
  public async collectPersonalValues(): Promise<void> {
    const fields = new Map<string, ReadonlyMap<string, readonly string[]>>();
    for (const { document, kind, version } of await this.parts.readModel.schemas()) fields.set(`${kind}/${String(version)}`, personalFields(document));
    const broken = (): void => undefined; // found by checkOwnRecords
    for await (const [recordId, { versions }] of this.records.all(broken)) {
      for (const [version] of versions) {
        const opened = this.open(recordId, version);
        const personal = opened === undefined ? undefined : fields.get(`${opened.header.kind}/${String(opened.header.schema)}`);
        if (opened !== undefined && personal !== undefined) this.collect(opened, personal);
      }
    }
  }

  private open(recordId: string, version: number): SealedRecord | undefined {
    if (!this.parts.vault.has(recordId, version)) return undefined;
    try {
      return this.parts.vault.open(recordId, version);
    } catch {
      // Said once, as I15, where the payload is held against its header.
      return undefined;
    }
  }

  private collect({ disclosures }: SealedRecord, personal: ReadonlyMap<string, readonly string[]>): void {
    for (const [claim, disclosure] of Object.entries(disclosures)) {
      const names = personal.get(claim);
      if (names === undefined || names.length === 0) continue;
      const [, value] = readDisclosure(disclosure);
      for (const item of Array.isArray(value) ? (value as readonly JsonValue[]) : [value]) {
        for (const name of names) if (isJsonObject(item) && typeof item[name] === 'string') this.marks.add(item[name]);
      }
    }
  }

  public async check(): Promise<void> {
    await this.checkOwnRecords();
    await this.checkIvs();
    await this.checkReleases();
    await this.checkLogs();
  }

  // --- I1, I15: own records ----------------------------------------------------------------------------------------------

  private async checkOwnRecords(): Promise<void> {
    const { acknowledged, outbox, readModel, vault } = this.parts;
    for (const { from, to } of outbox.holes) this.findings.add('I1', `outbox rows ${String(from)} to ${String(to)}`, 'acknowledged rows', 'missing');
    const known = new Set<number>();
    const ids = new Set<string>();
    const broken = (recordId: string): void => {
      ids.add(recordId);
      this.findings.add('I1', `record ${recordId}`, 'a row as it was written', 'another');
    };
    for await (const [recordId, { versions }] of this.records.all(broken)) {
      ids.add(recordId);
      for (const [version, row] of versions) {
        known.add(row);
        this.checkVersion(recordId, version, row);
      }
    }
    for (const row of outbox.pendingRows()) if (!known.has(row)) this.findings.add('I1', `outbox row ${String(row)}`, 'a record row of its own', 'none');
    for (const recordId of acknowledged) {
      const withdrawn = vault.erasedVersion(recordId) !== undefined;
      if (!ids.has(recordId) && !withdrawn && readModel.record(recordId) === undefined) this.findings.add('I1', `record ${recordId}`, 'in outbox or ledger', 'in neither');
    }
  }

  private checkVersion(recordId: string, version: number, row: number): void {
    this.tally.ownVersions += 1;
    const place = `record ${recordId} version ${String(version)}`;
    const { outbox, readModel } = this.parts;
    const header = (outbox.isPending(row) ? outbox.header(row) : undefined) ?? readModel.recordVersion(recordId, version)?.header;
    if (header === undefined) this.findings.add('I1', place, 'in outbox or ledger', 'in neither');
    else this.checkPayload(place, recordId, header);
  }

  private checkPayload(place: string, recordId: string, header: Header): void {
    const { vault } = this.parts;
    if (!vault.has(recordId, header.version)) return;
    try {
      const { segment } = vault.open(recordId, header.version);
      const digest = payloadDigest(segment);
      if (digest !== header.digest) this.findings.add('I15', place, `payload of digest ${header.digest}`, digest);
    } catch (error) {
      this.findings.add('I15', place, 'a payload that opens', error instanceof ProtocolError ? error.code : 'unreadable');
    }
  }

  // --- I16 ---------------------------------------------------------------------------------------------------------------

  private async checkIvs(): Promise<void> {
    const seen = new Set<string>();
    for await (const { holder, iv } of this.parts.vault.wrappings()) {
      const pair = `${holder} ${iv}`;
      if (seen.has(pair)) this.findings.add('I16', `vault key ${holder}`, 'an IV once', 'an IV twice');
      seen.add(pair);
    }
  }

  // --- I3, I4, I15: releases ---------------------------------------------------------------------------------------------

  private async checkReleases(): Promise<void> {
    for await (const [key, bytes] of this.parts.store.entries({ gte: releasePrefix, lt: `${releasePrefix}~` })) {
      this.tally.releases += 1;
      const id = key.slice(releasePrefix.length);
      try {
        this.checkRelease(id, JSON.parse(fromUtf8(bytes)) as ReleaseEnvelope);
      } catch {
        this.findings.add('I15', `release of ticket ${id}`, 'a signed release of these bytes', 'unreadable');
      }
    }
  }

  private checkRelease(id: string, envelope: ReleaseEnvelope): void {
    const place = `release of ticket ${id}`;
    const { memberId, readModel } = this.parts;
    const indexed = readModel.ticket(id);
    const member = readModel.member(memberId);
    if (indexed?.ticket.publisher !== memberId || member === undefined) {
      this.findings.add('I4', place, 'a valid ticket of this publisher read before', 'none');
      return;
    }
    if (envelope.jwe === '') {
      this.checkErasedRelease(place, indexed, envelope);
      return;
    }
    try {
      const release = verifyRelease(envelope, { key: member.document.signingKey, publisher: memberId, ticket: id });
      this.checkTimes(place, indexed, release);
    } catch (error) {
      // A release signed before a rotation of keys verifies under the old key alone; its digest still must fit.
      const stands = member.sequence > 1 && jweDigest(envelope.jwe) === signedRelease(envelope).jwe;
      if (!stands) this.findings.add('I15', place, 'a signed release of these bytes', error instanceof ProtocolError ? error.code : 'unreadable');
    }
    const apv = protectedHeader(envelope.jwe)['apv'];
    if (apv !== Buffer.from(ticketApv(id)).toString('base64url')) this.findings.add('I15', place, 'ciphertext bound to its ticket', 'another or none');
    if (indexed.confirmed !== undefined && indexed.confirmed.jwe !== jweDigest(envelope.jwe)) this.findings.add('I3', place, `the bytes of the receipt ${indexed.confirmed.jwe}`, jweDigest(envelope.jwe));
  }

  /** Its ciphertext went with the records; the signed word must still be of what the reader has receipted. */
  private checkErasedRelease(place: string, indexed: IndexedTicket, envelope: ReleaseEnvelope): void {
    const erased = indexed.ticket.records.some(({ recordId, version }) => this.parts.vault.isErased(recordId, version));
    if (!erased) this.findings.add('I15', place, 'a signed release of these bytes', 'no bytes');
    this.checkTimes(place, indexed, signedRelease(envelope));
    const digest = sentDigest(envelope);
    if (indexed.confirmed !== undefined && indexed.confirmed.jwe !== digest) this.findings.add('I3', place, `the bytes of the receipt ${indexed.confirmed.jwe}`, digest);
  }

  /** Sent after the ticket's transaction, and not later than a block may take (clocks may be apart by what endorsers allow). */
  private checkTimes(place: string, { ticket }: IndexedTicket, { releasedAt }: Release): void {
    const age = releasedAt - ticket.openedAt;
    const fits = age >= -limits.proposalWindowSeconds && age <= limits.blockDelaySeconds;
    if (!fits) this.findings.add('I4', place, `within ${String(limits.blockDelaySeconds)} s of its ticket`, `${String(age)} s`);
  }

  // --- I17 and the refusal log -------------------------------------------------------------------------------------------

  private async checkLogs(): Promise<void> {
    const { clock, log, store } = this.parts;
    const refusals = await RefusalLog.open(store, clock);
    const broken = await refusals.firstBreak();
    if (broken !== undefined) this.findings.add('chain', `refusal ${String(broken)}`, 'an entry that follows', 'another or none');
    for (const entry of await refusals.entries()) this.search(`refusal ${String(entry.seq)}`, JSON.stringify(entry));
    for await (const letter of new DeadLetters(store).all()) this.search(`dead letter ${letter.id}`, JSON.stringify(letter));
    let line = 0;
    for await (const text of log) this.search(`log line ${String((line += 1))}`, text);
  }

  private search(place: string, text: string): void {
    const mark = this.marks.find(text);
    if (mark !== undefined) this.findings.add('I17', place, 'no personal data', mark);
  }
}

function protectedHeader(jwe: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Names of the personal fields by claim. */
function personalFields(document: LedgerState['schema']['document']): ReadonlyMap<string, readonly string[]> {
  const rules = document['x-huilian'] as unknown as { readonly claims: Readonly<Record<string, { readonly personal: readonly string[] }>> };
  return new Map(Object.entries(rules.claims).map(([claim, { personal }]) => [claim, personal]));
}
