/** The most ways a pattern may have of sharing a text between its repetitions. */
const mostWays = 100_000;
/** Characters of a pattern. */
const longest = 500;

function compiles(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== '';
  } catch {
    return false;
  }
}

/** Escapes and classes as one plain letter each, so that what is left of the pattern is its structure. */
function skeletonOf(source: string): string {
  return source.replace(/\\u[0-9a-fA-F]{4}|\\u\{[^}]*\}|\\[pP]\{[^}]*\}|\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
}

/** No group that repeats holds a choice or a repetition; no choice stands outside a group. */
function isFlat(skeleton: string): boolean {
  let rest = skeleton;
  for (;;) {
    const group = /\((?:\?:)?([^()]*)\)(\{[^}]*\})?/.exec(rest);
    if (group === null) return !rest.includes('|');
    const [whole, inside = '', repeated] = group;
    if (repeated !== undefined && /[{?|]/.test(inside)) return false;
    rest = rest.replace(whole, /[{?]/.test(inside) ? 'x?' : 'x');
  }
}

/**
 * Whether a pattern of a schema can be matched in bounded time by a backtracking engine: anchored at both ends, every
 * repetition with an upper bound, none inside another, no look-around, no back-reference, no property of Unicode, and not
 * too many ways of sharing a text between its repetitions.
 */
export function isBoundedPattern(source: string): boolean {
  // A property of Unicode is what an endorser's own tables say it is.
  if (source.length > longest || !compiles(source) || /\\[1-9kbBpP]/.test(source)) return false;
  const skeleton = skeletonOf(source);
  if (!/^\^[^^$]*\$$/.test(skeleton) || /[*+]|\{\d+,\}|\(\?[^:]/.test(skeleton) || !isFlat(skeleton)) return false;
  const ways = [...skeleton.matchAll(/\{(\d+),(\d+)\}|\?(?!:)/g)].reduce((product, [, least = '0', most = '1']) => product * (Number(most) - Number(least) + 1), 1);
  return ways <= mostWays;
}
