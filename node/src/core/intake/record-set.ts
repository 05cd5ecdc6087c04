const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const values = new Map([...alphabet].map((character, value) => [character, value]));
/** Ten base32 characters are 50 bits, which a number holds exactly. */
const half = 10;
const firstSlots = 1024;

/** Numbers of a slot: two of the local id, one of the place. */
const width = 3;

/**
 * Which records a stream has named and where first, by 100 of the 128 bits of their local ids: 24 bytes a slot instead of a
 * string each, since one stream may name millions. Local ids are hashes already, so they place themselves.
 */
export class RecordSet {
  private slots = new Float64Array(width * firstSlots);
  private count = 0;

  /** Adds a local id with its place, a whole number up to 2^53; answers the place of the one that was there. */
  public add(localId: string, place: number): number | undefined {
    if (2 * (this.count + 1) > this.slots.length / width) this.grow();
    // One more than the bits, so that an empty slot is told apart.
    const before = this.place(bits(localId, 0) + 1, bits(localId, half), place);
    if (before === undefined) this.count += 1;
    return before;
  }

  private place(left: number, right: number, place: number): number | undefined {
    const size = this.slots.length / width;
    for (let at = left % size; ; at = (at + 1) % size) {
      if (this.slots[width * at] === 0) {
        this.slots[width * at] = left;
        this.slots[width * at + 1] = right;
        this.slots[width * at + 2] = place;
        return undefined;
      }
      if (this.slots[width * at] === left && this.slots[width * at + 1] === right) return this.slots[width * at + 2];
    }
  }

  private grow(): void {
    const before = this.slots;
    this.slots = new Float64Array(before.length * 2);
    for (let at = 0; at < before.length; at += width) if (before[at] !== 0) this.place(before[at] ?? 0, before[at + 1] ?? 0, before[at + 2] ?? 0);
  }
}

function bits(localId: string, from: number): number {
  let value = 0;
  for (let at = from; at < from + half; at += 1) value = value * 32 + (values.get(localId[at] ?? '') ?? 0);
  return value;
}
