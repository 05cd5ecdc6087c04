/** Parts, each of which grows by itself, so that growing never takes long. */
const parts = 256;
const partBits = 8;
const fullest = 0.7;
/** Slots of a part at the beginning: enough for some hundred thousand rows in all. */
const usualSlots = 1024;

/** Rows by a hash of 30 bits: some bytes a row. Rows with one hash are told apart by whoever asks. */
export class RowTable {
  /** Row numbers plus one, 0 for free. */
  private readonly slots: Uint32Array[];
  private readonly counts = new Uint32Array(parts);

  /** @param hashOf the hash of a row that was added, for when a part grows */
  public constructor(
    private readonly hashOf: (row: number) => number,
    firstSlots = usualSlots,
  ) {
    this.slots = Array.from({ length: parts }, () => new Uint32Array(firstSlots));
  }

  public add(hash: number, row: number): void {
    const part = hash & (parts - 1);
    const count = (this.counts[part] ?? 0) + 1;
    if (count > (this.slots[part]?.length ?? 0) * fullest) this.grow(part);
    place(this.slots[part] as Uint32Array, hash, row);
    this.counts[part] = count;
  }

  /** Puts a row in place of the one that is the same; answers that one. */
  public put(hash: number, row: number, isSame: (other: number) => boolean): number | undefined {
    const slots = this.slots[hash & (parts - 1)] as Uint32Array;
    for (let slot = slotOf(slots, hash); slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const other = (slots[slot] as number) - 1;
      if (!isSame(other)) continue;
      slots[slot] = row + 1;
      return other;
    }
    this.add(hash, row);
    return undefined;
  }

  /** The first row with this hash that fits. */
  public find<T>(hash: number, fits: (row: number) => T | undefined): T | undefined {
    const slots = this.slots[hash & (parts - 1)] as Uint32Array;
    for (let slot = slotOf(slots, hash); slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const found = fits((slots[slot] as number) - 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private grow(part: number): void {
    const before = this.slots[part] as Uint32Array;
    const after = new Uint32Array(before.length * 2);
    for (const entry of before) if (entry !== 0) place(after, this.hashOf(entry - 1), entry - 1);
    this.slots[part] = after;
  }
}

function slotOf(slots: Uint32Array, hash: number): number {
  return (hash >>> partBits) & (slots.length - 1);
}

function place(slots: Uint32Array, hash: number, row: number): void {
  let slot = slotOf(slots, hash);
  while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
  slots[slot] = row + 1;
}
