import { ProtocolError } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Store } from '../ports.js';
import type { Vault } from '../vault/vault.js';
import { aggregate, type Aggregate, type AggregateQuery } from './aggregate.js';
import { ColumnIndex } from './column-index.js';
import type { RowFile } from './header-rows.js';
import { PayloadFields } from './kind-fields.js';
import { PayloadReader } from './payload-reader.js';

export interface CountParts {
  readonly clock: Clock;
  readonly memberId: string;
  readonly readModel: ReadModel;
  readonly store: Store;
  readonly vault: Vault;
  /** Milliseconds after the start at which the columns are built: what a node starts for comes first. */
  readonly startAfter: number;
  /** Where headers lie that are read by place and by id; without it the store answers. */
  readonly file?: RowFile;
}

export interface CountedRecords extends Aggregate {
  /** Block that the headers are counted up to. */
  readonly height: number;
  /** Whether all headers, and all own payloads, are in the columns yet. While headers are not, there are no groups. */
  readonly complete: { readonly headers: boolean; readonly payloads: boolean };
}

/** Counts and sums out of columns in memory, which follow the read model and the vault. */
export class CountRecords {
  /** Hears of every block that is folded. */
  public readonly index: ColumnIndex;
  private readonly fields: PayloadFields;
  private readonly reader: PayloadReader;
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();
  private stopListening: () => void = () => undefined;

  public constructor(private readonly parts: CountParts) {
    this.index = new ColumnIndex(parts.store, parts.file);
    if (this.index.headers !== undefined) parts.readModel.remember(this.index.headers);
    this.fields = new PayloadFields(parts.readModel);
    this.reader = new PayloadReader({ ...parts, fields: this.fields, index: this.index });
  }

  /** @param onFault is told what ended the building or the reading; answers go on saying that they are not complete */
  public start(onFault: (error: unknown) => void): void {
    const { clock, readModel, startAfter } = this.parts;
    const { signal } = this.stopping;
    let rows = 0;
    this.stopListening = readModel.onBlock(() => {
      if (this.index.columns.rows === rows) return;
      rows = this.index.columns.rows;
      this.reader.columnsGrew();
    });
    const work = async (): Promise<void> => {
      await clock.sleep(startAfter, signal);
      await this.index.build(() => readModel.height(), signal);
      await this.reader.run(signal);
    };
    this.running = work().catch((error: unknown) => {
      if (!signal.aborted) onFault(error);
    });
  }

  public async stop(): Promise<void> {
    this.stopListening();
    this.stopping.abort();
    await this.running;
    this.index.headers?.close();
  }

  /** @throws BAD_FIELD for an amount that no adopted kind has, or too many combinations */
  public async count(query: AggregateQuery): Promise<CountedRecords> {
    const { sum } = query;
    if (sum !== undefined && !(await this.fields.hasAmount(sum))) throw new ProtocolError('BAD_FIELD', { path: '/sum', reason: 'no-such-amount' });
    const headers = this.index.state === 'complete';
    const found = headers ? aggregate(this.index.columns, query, (kind) => (sum === undefined ? undefined : this.fields.amountPosition(kind, sum))) : { groupCount: 0, groups: [] };
    return { ...found, height: this.parts.readModel.height(), complete: { headers, payloads: this.reader.isComplete } };
  }

  /** Drops what is kept of payloads that were erased. */
  public forget(recordIds: readonly string[]): void {
    this.reader.forget(recordIds);
  }
}
