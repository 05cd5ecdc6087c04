import { canonicalBytes, fromUtf8, sha256Hex, utf8, type RecordProblem } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';

/** A row that was not published and why. Never its content. */
export interface DeadLetter {
  /** Unix seconds. */
  readonly at: number;
  /** A row of an import that was refused … */
  readonly file?: string;
  readonly line?: number;
  readonly kind?: string;
  readonly problems?: readonly RecordProblem[];
  /** … or an accepted one that the ledger refused, or that was erased before it was published. */
  readonly recordId?: string;
  readonly version?: number;
  readonly code: string;
}

const prefix = 'dead/';

/** The list an operator works off. */
export class DeadLetters {
  public constructor(private readonly store: Store) {}

  /** A refused row of an import file; the same row of a later import takes its place. */
  public refusedRow(file: string, line: number, letter: DeadLetter): StoreWrite {
    return { key: `${filePrefix(file)}${String(line).padStart(10, '0')}`, value: canonicalBytes(letter) };
  }

  /** An accepted row that was refused by the ledger. */
  public refusedByLedger(row: number, letter: DeadLetter): StoreWrite {
    return this.acceptedRow(row, letter);
  }

  /** An accepted row that was taken back before it was published. */
  public withdrawn(row: number, letter: DeadLetter): StoreWrite {
    return this.acceptedRow(row, letter);
  }

  private acceptedRow(row: number, letter: DeadLetter): StoreWrite {
    return { key: `${prefix}row/${String(row).padStart(14, '0')}`, value: canonicalBytes(letter) };
  }

  /** A file is imported again: what its last import left here is out of date. */
  public async clearFile(file: string): Promise<void> {
    const from = filePrefix(file);
    const removals: StoreWrite[] = [];
    for await (const [key] of this.store.entries({ gte: from, lt: `${from}~` })) removals.push({ key, remove: true });
    await this.store.write(removals);
  }

  public async list(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for await (const [, bytes] of this.store.entries({ gte: prefix, lt: `${prefix}~` })) letters.push(JSON.parse(fromUtf8(bytes)) as DeadLetter);
    return letters;
  }

  public async count(): Promise<number> {
    let count = 0;
    for await (const _ of this.store.entries({ gte: prefix, lt: `${prefix}~` })) count += 1;
    return count;
  }
}

function filePrefix(file: string): string {
  return `${prefix}file/${sha256Hex(utf8(file)).slice(0, 32)}/`;
}
