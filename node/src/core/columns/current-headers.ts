import { recordId as recordIdOf, type Header } from '@huilian/protocol';
import type { HeaderMemory, PartyFilter, RememberedHeader } from '../indexing/read-model.js';
import { decodeHeader, hashOfLocalId, headerRowBytes, type RowFile, type WaitingHeaders } from './header-rows.js';
import { PartyRows } from './party-rows.js';
import { rowFlags, type RecordColumns } from './record-columns.js';
import { RowTable } from './row-table.js';

/**
 * Headers of all rows of the columns, read by place or by record id without a search in the store. Where the file fails there are
 * none any more, and the store answers.
 */
export class CurrentHeaders implements HeaderMemory {
  private readonly table: RowTable;
  private readonly parties = new PartyRows();
  private readonly row = Buffer.alloc(headerRowBytes);
  private broken = false;
  private closed = false;
  private complete = false;

  public constructor(
    private readonly columns: RecordColumns,
    private readonly file: RowFile,
  ) {
    this.table = new RowTable((row) => hashOfLocalId(this.read(row)?.localId ?? ''));
  }

  /** All rows are here, with their marks. */
  public becomesComplete(): void {
    this.complete = true;
  }

  /** Headers become the rows from this one on. */
  public append(waiting: WaitingHeaders, from: number): void {
    this.orStore(() => {
      this.file.write(from, waiting.bytes);
      for (const [index, hash] of waiting.hashes.entries()) this.table.add(hash, from + index);
      for (const [index, party] of waiting.parties.entries()) this.parties.add(party, from + index);
    });
    waiting.clear();
  }

  public current(recordId: string): RememberedHeader | undefined {
    if (!this.complete) return undefined;
    const local = recordId.slice(recordId.lastIndexOf('/') + 1);
    return this.orStore(() => this.table.find(hashOfLocalId(local), (row) => {
      if ((this.columns.flagsOf(row) & rowFlags.current) === 0) return undefined;
      const header = this.read(row);
      if (header?.localId !== local || recordIdOf(this.columns.publisherOf(row), header.kind, local) !== recordId) return undefined;
      return { header, recordId, place: this.columns.placeOf(row), contested: this.isContested(row) };
    }));
  }

  public at(place: string): RememberedHeader | 'replaced' | undefined {
    const row = this.complete ? this.columns.rowAt(place) : undefined;
    if (row === undefined || row >= this.columns.rows) return undefined;
    if ((this.columns.flagsOf(row) & rowFlags.current) === 0) return 'replaced';
    const header = this.orStore(() => this.read(row));
    return header && { header, recordId: recordIdOf(this.columns.publisherOf(row), header.kind, header.localId), place, contested: this.isContested(row) };
  }

  public placesOf(filter: PartyFilter, cursor?: string): Iterable<string> | undefined {
    if (!this.complete || this.broken || !this.parties.has(filter)) return undefined;
    const party = filter.owner ?? filter.subject ?? '';
    if (cursor === undefined) return this.currentPlaces(this.parties.rowsOf(party));
    const behind = this.columns.rowAt(cursor);
    const header = behind === undefined || behind >= this.columns.rows ? undefined : this.orStore(() => this.read(behind));
    // A cursor of this list is a place of this organisation's.
    return header === undefined || (header.owner ?? header.subject) !== party ? undefined : this.currentPlaces(this.parties.rowsOf(party, behind));
  }

  private *currentPlaces(rows: Iterable<number>): Generator<string> {
    for (const row of rows) if ((this.columns.flagsOf(row) & rowFlags.current) !== 0) yield this.columns.placeOf(row);
  }

  public close(): void {
    this.broken = true;
    this.complete = false;
    // Twice would close what took the number of this file since.
    if (this.closed) return;
    this.closed = true;
    this.file.close();
  }

  private read(row: number): Header | undefined {
    this.file.read(row, this.row);
    return decodeHeader(this.row, this.columns.kinds);
  }

  private isContested(row: number): boolean {
    return (this.columns.flagsOf(row) & rowFlags.contested) !== 0;
  }

  /** A file of no lasting worth may fail: on a full disk, for example. */
  private orStore<T>(read: () => T): T | undefined {
    if (this.broken) return undefined;
    try {
      return read();
    } catch {
      this.broken = true;
      return undefined;
    }
  }
}
