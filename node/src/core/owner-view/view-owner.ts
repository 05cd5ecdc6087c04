import { beijingDay, bundledKinds, checkLinks, flagCodes, kindsOfFieldMap, mergeRecords, parseRecordId, prefill, readFieldMap, sortFlags, type FindKind, type Flag, type KindDefinition, type MergedRecords, type PrefilledForm, type UnreadableReason, type ViewRecord } from '@huilian/protocol';
import type { IndexedRecord, ReadModel } from '../indexing/read-model.js';
import type { CheckLinks } from '../links/check-links.js';
import type { Clock } from '../ports.js';
import { openData } from '../vault/open-data.js';
import type { Vault } from '../vault/vault.js';

/** All that this node can say of an owner. */
export interface OwnerView extends MergedRecords {
  readonly owner: string;
  /** Block up to which the ledger was read. */
  readonly height: number;
  /** Not all records are in it: there are more than a view holds. */
  readonly partial: boolean;
  /** Records to look at, found by the link checks of this centre; certificates as of `asOf`. */
  readonly flags: readonly Flag[];
  readonly asOf: string;
}

export interface FoundRecords {
  readonly found: readonly IndexedRecord[];
  readonly height: number;
  readonly partial: boolean;
}

const recordsAtOnce = 500;
/** Newest first; a company with more asks for one kind at a time. */
const mostRecords = 2000;

/**
 * One view of an owner at a centre's node: what lies in its own vault, merged claim by claim, and the headers of what other
 * centres published. What they hold is not here: it is the owner's to show.
 */
export class ViewOwner {
  public constructor(
    private readonly readModel: ReadModel,
    private readonly vault: Vault,
    private readonly memberId: string,
    private readonly findKind: FindKind,
    private readonly links: Pick<CheckLinks, 'ofRecords'>,
    private readonly clock: Clock,
  ) {}

  /** @param asOf day by which certificates have run out or not, today where absent. @throws VAULT_CORRUPT */
  public async view(owner: string, kind?: string, asOf = beijingDay(this.clock.now() / 1000)): Promise<OwnerView> {
    const { found, height, partial } = await this.find(owner, kind);
    const records = await Promise.all(found.map(async (record) => await this.shown(record)));
    return { owner, height, partial, ...mergeRecords(records, this.findKind), flags: this.flags(records, asOf), asOf };
  }

  /**
   * A form filled from what lies here, by a declared field map, with a report of the reuse. The map may name any kind that this
   * software knows or a vote adopted. @throws BAD_FIELD, UNKNOWN_FIELD for what is no field map, VAULT_CORRUPT
   */
  public async prefill(owner: string, fieldMap: unknown, kind?: string): Promise<PrefilledForm> {
    const kinds = [...bundledKinds(), ...kindsOfFieldMap(fieldMap).flatMap((name) => this.versionsOf(name))];
    readFieldMap(fieldMap, kinds);
    return prefill(await this.view(owner, kind), fieldMap, kinds);
  }

  /** All versions of a kind that votes adopted: they are counted up. */
  private versionsOf(kind: string): readonly KindDefinition[] {
    const versions: KindDefinition[] = [];
    for (let next = this.findKind(kind, 1); next !== undefined; next = this.findKind(kind, versions.length + 1)) versions.push(next);
    return versions;
  }

  /** What the checks keep of these records, also against those of others, and what the records themselves say as of that day. */
  private flags(records: readonly ViewRecord[], asOf: string): readonly Flag[] {
    const kept = this.links.ofRecords(records.filter(({ claims }) => claims !== undefined).map(({ recordId }) => recordId));
    const standing = kept.filter(({ code }) => flagCodes[code].check !== 'expiry').map(({ code, recordIds }): Flag => ({ code, recordIds }));
    return sortFlags([...standing, ...checkLinks(records, asOf, this.findKind)]);
  }

  /** Current versions of all records that are an owner's or about it, from all centres. */
  public async find(owner: string, kind?: string): Promise<FoundRecords> {
    const height = this.readModel.height();
    const found = new Map<string, IndexedRecord>();
    for (const role of ['owner', 'subject'] as const) await this.collect(found, { [role]: owner, ...(kind === undefined ? {} : { kind }) });
    return { found: [...found.values()].slice(0, mostRecords), height, partial: found.size > mostRecords };
  }

  /** A public or a publisher's record has this organisation as its subject alone. */
  private async collect(found: Map<string, IndexedRecord>, filter: { readonly owner?: string; readonly subject?: string; readonly kind?: string }): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await this.readModel.records({ ...filter, limit: recordsAtOnce, ...(cursor === undefined ? {} : { cursor }) });
      for (const record of page.items) found.set(record.recordId, record);
      ({ cursor } = page);
    } while (cursor !== undefined && found.size <= mostRecords);
  }

  private async shown(record: IndexedRecord): Promise<ViewRecord> {
    const note = await noteOfRecord(this.readModel, record);
    const reason = this.unreadable(record);
    if (reason !== undefined) return { ...note, unreadable: reason };
    return { ...note, claims: openData(this.vault, record.recordId, record.header.version), whole: true };
  }

  private unreadable({ header, recordId }: IndexedRecord): UnreadableReason | undefined {
    const { rights, version } = header;
    if (parseRecordId(recordId).publisher !== this.memberId) return rights === 'owner' ? 'ask-owner' : rights === 'public' ? 'public' : 'ask-publisher';
    if (this.vault.has(recordId, version)) return undefined;
    return this.vault.isKnown(recordId, version) ? 'erased' : 'missing';
  }
}

/** What the ledger says of a record, and what others say of it. */
export async function noteOfRecord(readModel: ReadModel, { contested, header, publishedAt, recordId }: IndexedRecord): Promise<ViewRecord> {
  const { digest, owner, rights, schema, status, subject } = header;
  const { version } = header;
  // Of this version alone: a word on another one is about another content.
  const attestations = (await readModel.attestations(recordId)).filter((word) => word.version === version);
  const statements = (await readModel.statements(recordId)).filter(({ statement }) => statement.version === version);
  return { attestations, contested, digest, ...(owner === undefined ? {} : { owner }), publishedAt, recordId, rights, schema, statements, status, subject, version };
}
