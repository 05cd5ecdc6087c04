const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const values = new Map([...alphabet].map((character, value) => [character, value]));
/** Ten base32 characters are 50 bits, which a number holds exactly. */
const half = 10;
const firstSlots = 1024;

/**
 * Which records a stream has named, by 100 of the 128 bits of their local ids: 16 bytes a slot instead of a string each,
 * since one stream may name millions. Local ids are hashes already, so they place themselves.
 */
export class RecordSet {
  private slots = new Float64Array(2 * firstSlots);
  private count = 0;

  /** Adds a local id; answers false where it was there. */
  public add(localId: string): boolean {
    if (2 * (this.count + 1) > this.slots.length / 2) this.grow();
    // One more than the bits, so that an empty slot is told apart.
    const added = this.place(bits(localId, 0) + 1, bits(localId, half));
    if (added) this.count += 1;
    return added;
  }

  private place(left: number, right: number): boolean {
    const size = this.slots.length / 2;
    for (let at = left % size; ; at = (at + 1) % size) {
      if (this.slots[2 * at] === 0) {
        this.slots[2 * at] = left;
        this.slots[2 * at + 1] = right;
        return true;
      }
      if (this.slots[2 * at] === left && this.slots[2 * at + 1] === right) return false;
    }
  }

  private grow(): void {
    const before = this.slots;
    this.slots = new Float64Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) if (before[at] !== 0) this.place(before[at] ?? 0, before[at + 1] ?? 0);
  }
}

function bits(localId: string, from: number): number {
  let value = 0;
  for (let at = from; at < from + half; at += 1) value = value * 32 + (values.get(localId[at] ?? '') ?? 0);
  return value;
}
