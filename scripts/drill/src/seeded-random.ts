/** A stream of draws that a seed and a name repeat (mulberry32). */
export class SeededRandom {
  private state: number;

  public constructor(seed: number, name: string) {
    this.state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619), seed ^ 0x811c9dc5) >>> 0;
  }

  /** A whole number from least to most. */
  public between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  public pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)] as T;
  }

  public chance(share: number): boolean {
    return this.next() < share;
  }

  /** The items in another order. */
  public shuffled<T>(items: readonly T[]): T[] {
    return items.map((item) => ({ item, at: this.next() })).sort((left, right) => left.at - right.at).map(({ item }) => item);
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
