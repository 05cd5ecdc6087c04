/**
 * @typedef {object} Draw
 * @property {() => number} random in [0, 1)
 * @property {(limit: number) => number} below an integer in [0, limit)
 * @property {<T>(list: readonly T[]) => T} pick
 * @property {(count: number) => string} digits
 * @property {(from: number, to: number) => string} date YYYYMMDD, years inclusive, days up to the 28th
 */

/**
 * mulberry32: small, seeded, good enough for samples; integers only, so the same draws on every machine.
 * @param {number} seed 32 bits
 * @returns {Draw}
 */
export function seededDraw(seed) {
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit) => Math.floor(random() * limit);
  return {
    random,
    below,
    pick: (list) => list[below(list.length)],
    digits: (count) => Array.from({ length: count }, () => below(10)).join(''),
    date: (from, to) => `${from + below(to - from + 1)}${String(1 + below(12)).padStart(2, '0')}${String(1 + below(28)).padStart(2, '0')}`,
  };
}
