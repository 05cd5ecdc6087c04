import type { Store, StoreRange, StoreSnapshot, StoreWrite } from '../../core/ports.js';

/** The store in memory, for tests and the simulator. Same order and atomicity as the store on disk. */
export class MemoryStore implements Store {
  private readonly values = new Map<string, Uint8Array>();
  /** Keys in order; undefined after a change until the next range read. */
  private order: readonly string[] | undefined = [];

  public get(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  public async *entries(range: StoreRange): AsyncGenerator<readonly [string, Uint8Array]> {
    const keys = this.keysIn(range);
    // A range read sees the store as it was when it began.
    const found = keys.map((key) => [key, this.values.get(key) as Uint8Array] as const);
    await Promise.resolve();
    yield* found;
  }

  public async first(range: StoreRange, count: number): Promise<readonly (readonly [string, Uint8Array])[]> {
    return await Promise.resolve(this.keysIn(range).slice(0, count).map((key) => [key, this.values.get(key) as Uint8Array] as const));
  }

  public snapshot(): StoreSnapshot {
    const copy = new MemoryStore();
    for (const [key, value] of this.values) copy.values.set(key, value);
    copy.order = undefined;
    return copy;
  }

  public async write(writes: readonly StoreWrite[]): Promise<void> {
    await Promise.resolve();
    for (const write of writes) {
      if ('remove' in write) {
        if (this.values.delete(write.key)) this.order = undefined;
      } else {
        if (!this.values.has(write.key)) this.order = undefined;
        this.values.set(write.key, Uint8Array.from(write.value));
      }
    }
  }

  public async close(): Promise<void> {
    await Promise.resolve();
  }

  private keysIn(range: StoreRange): string[] {
    this.order ??= [...this.values.keys()].sort(compareUtf8);
    const keys = this.order.slice(this.firstIn(range), this.endOf(range));
    if (range.reverse === true) keys.reverse();
    return range.limit === undefined || range.limit < 0 ? keys : keys.slice(0, range.limit);
  }

  private firstIn({ gt, gte }: StoreRange): number {
    const from = gte === undefined ? 0 : this.position(gte, false);
    return gt === undefined ? from : Math.max(from, this.position(gt, true));
  }

  private endOf({ lt, lte }: StoreRange): number {
    const end = lt === undefined ? this.values.size : this.position(lt, false);
    return lte === undefined ? end : Math.min(end, this.position(lte, true));
  }

  /** Index of the first key that is not below the bound, or, `past` it, above the bound. */
  private position(bound: string, past: boolean): number {
    const keys = this.order ?? [];
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = compareUtf8(keys[middle] ?? '', bound);
      if (order < 0 || (past && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Order of the UTF-8 bytes; differs from JavaScript's only where a surrogate meets U+E000 and above. */
function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return surrogatesLast(a) - surrogatesLast(b);
  }
  return left.length - right.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
