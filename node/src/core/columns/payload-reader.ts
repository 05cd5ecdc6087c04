import { ProtocolError, type Header } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock } from '../ports.js';
import { heldData } from '../vault/held-data.js';
import type { Vault } from '../vault/vault.js';
import { Wakeup } from '../wakeup.js';
import type { ColumnIndex } from './column-index.js';
import type { PayloadFields } from './kind-fields.js';
import type { PayloadValues } from './own-values.js';
import { rowFlags } from './record-columns.js';

export interface PayloadReaderParts {
  readonly clock: Clock;
  readonly fields: PayloadFields;
  readonly index: ColumnIndex;
  readonly memberId: string;
  readonly readModel: ReadModel;
  readonly vault: Vault;
}

/** Some milliseconds of work between two rests. */
const payloadsAtOnce = 50;
/** Milliseconds after the last block with records: until then the node is taken to be at work for others. */
const quietAfter = 1000;
/** How many times as long as it worked the reader rests, in quiet times and in others. */
const rests = { quiet: 1, busy: 19 } as const;

/**
 * Fills in what the columns keep of the node's own payloads. Each must be opened for it, which costs as much as taking a record
 * in: so it is done behind everything else, and an answer says while it is not complete.
 */
export class PayloadReader {
  /** First row that was not looked at. */
  private next = 0;
  private grewAt = 0;
  private readonly wakeup = new Wakeup();

  public constructor(private readonly parts: PayloadReaderParts) {}

  public get isComplete(): boolean {
    const { index } = this.parts;
    return index.state === 'complete' && this.next === index.columns.rows;
  }

  /** The columns may have rows that were not read. */
  public columnsGrew(): void {
    this.grewAt = this.parts.clock.now();
    this.wakeup.wake();
  }

  public async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.isComplete || this.parts.index.state !== 'complete') await this.wakeup.wait(signal);
      else await this.readSome(signal);
    }
  }

  /** Drops what is kept of payloads that were erased. */
  public forget(recordIds: readonly string[]): void {
    const { columns } = this.parts.index;
    for (const recordId of recordIds) {
      for (const place of this.parts.readModel.placesOf(recordId)) {
        const row = columns.rowAt(place);
        if (row !== undefined) columns.putPayload(row, undefined);
      }
    }
  }

  private async readSome(signal: AbortSignal): Promise<void> {
    const { clock, index, memberId } = this.parts;
    const { columns } = index;
    const started = clock.now();
    for (let read = 0; read < payloadsAtOnce && this.next < columns.rows; this.next += 1) {
      if ((columns.flagsOf(this.next) & rowFlags.current) === 0 || columns.publisherOf(this.next) !== memberId) continue;
      this.read(this.next);
      read += 1;
    }
    const worked = Math.max(1, clock.now() - started);
    await clock.sleep(worked * (clock.now() - this.grewAt < quietAfter ? rests.busy : rests.quiet), signal);
  }

  private read(row: number): void {
    const { index, readModel } = this.parts;
    const { header, recordId } = readModel.recordAt(index.columns.placeOf(row));
    index.columns.putPayload(row, this.valuesOf(recordId, header));
  }

  /** Undefined where there is no payload to read: revoked, erased, lost or damaged; other places say so. */
  private valuesOf(recordId: string, { kind, schema, version }: Header): PayloadValues | undefined {
    const { fields, vault } = this.parts;
    try {
      return fields.read(kind, schema, heldData(vault.open(recordId, version), fields.claims(kind, schema)));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return undefined;
    }
  }
}
