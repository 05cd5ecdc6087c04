import type { Header } from '@huilian/protocol';
import { rowsPerSegment } from './record-columns.js';

/** Organisations with a chain of their own; rows of further ones are found in the store. */
const mostOrganisations = 250_000;

/** Rows of each organisation, whose owner it is, or whose subject where there is no owner: each row names the one before. */
export class PartyRows {
  /** Newest row of each organisation plus one. */
  private readonly newest = new Map<string, number>();
  private readonly before: Uint32Array[] = [];
  /** Subjects of records that another organisation owns: their chains lack these. */
  private readonly elsewhere = new Set<string>();
  private isFull = false;

  public add({ owner, subject }: Pick<Header, 'owner' | 'subject'>, row: number): void {
    if (row % rowsPerSegment === 0) this.before.push(new Uint32Array(rowsPerSegment));
    if (owner !== undefined && subject !== '' && owner !== subject) this.elsewhere.add(subject);
    const party = owner ?? subject;
    if (party === '') return;
    const newest = this.newest.get(party);
    if (newest === undefined && this.newest.size >= mostOrganisations) {
      this.isFull = true;
      return;
    }
    const segment = this.before.at(-1);
    if (segment !== undefined) segment[row % rowsPerSegment] = newest ?? 0;
    this.newest.set(party, row + 1);
  }

  /** Whether the chain of an organisation has every record that a filter may mean. */
  public has({ owner, subject }: { readonly owner?: string; readonly subject?: string }): boolean {
    const party = owner ?? subject ?? '';
    return party !== '' && (owner !== undefined || !this.elsewhere.has(party)) && (this.newest.has(party) || !this.isFull);
  }

  /** Newest first; behind a row where one is named. */
  public *rowsOf(party: string, behind?: number): Generator<number> {
    let next = behind === undefined ? (this.newest.get(party) ?? 0) : this.beforeOf(behind);
    for (; next !== 0; next = this.beforeOf(next - 1)) yield next - 1;
  }

  private beforeOf(row: number): number {
    return this.before[Math.floor(row / rowsPerSegment)]?.[row % rowsPerSegment] ?? 0;
  }
}
