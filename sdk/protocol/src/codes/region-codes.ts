import { accepted, rejected, type CodeCheck } from './code-check.js';
import { regionNameTable } from './region-name-table.js';
import { regionTable } from './region-table.js';
import { retiredRegionTable } from './retired-region-table.js';

type RegionTable = Readonly<Record<string, string>>;

/** A table spelt out: per prefecture, every code under it. */
function codesOf(table: RegionTable): ReadonlySet<string> {
  return new Set(
    Object.entries(table).flatMap(([province, prefectures]) =>
      prefectures.split(' ').flatMap((entry) => (entry.slice(2).match(/../g) ?? []).map((county) => province + entry.slice(0, 2) + county)),
    ),
  );
}

let current: ReadonlySet<string> | undefined;
let retired: ReadonlySet<string> | undefined;

/**
 * What the bundled lists know of six digits: listed today, listed once, a code nobody listed under a province that
 * exists (a county newer than the list, perhaps), or none.
 */
function regionStanding(code: string): 'current' | 'retired' | 'unlisted' | 'unknown' {
  current ??= codesOf(regionTable);
  if (current.has(code)) return 'current';
  retired ??= codesOf(retiredRegionTable);
  if (retired.has(code)) return 'retired';
  return isProvince(code.slice(0, 2)) ? 'unlisted' : 'unknown';
}

/** Two digits of a province of GB/T 2260, Taiwan, Hong Kong and Macao among them. */
export function isProvince(digits: string): boolean {
  return Object.hasOwn(regionTable, digits);
}

/** Administrative division code, GB/T 2260: six digits on the list. A code that was on it once is a warning. */
export function checkRegion(code: string): CodeCheck {
  if (!/^\d{6}$/.test(code)) return rejected('characters');
  const standing = regionStanding(code);
  if (standing === 'current') return accepted();
  return standing === 'retired' ? accepted('region-retired') : rejected('unknown-region');
}

/**
 * The region inside a code that another body gave out. Such a code is never changed when counties are: only a province
 * that does not exist is wrong, a retired or unlisted county is a warning.
 */
export function checkEmbeddedRegion(code: string): CodeCheck {
  const standing = regionStanding(code);
  if (standing === 'unknown') return rejected('region');
  return standing === 'current' ? accepted() : accepted(`region-${standing}`);
}

/** Chinese name of a region down to the prefecture (`广东省广州市`; counties are not named); undefined for none. */
export function regionName(code: string): string | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const [province, ...prefectures] = (Object.hasOwn(regionNameTable, code.slice(0, 2)) ? (regionNameTable[code.slice(0, 2)] ?? '') : '').split(' ');
  const prefecture = prefectures.find((entry) => entry.startsWith(code.slice(2, 4)));
  return province === '' ? undefined : `${province ?? ''}${prefecture?.slice(2) ?? ''}`;
}
