import { accepted, rejected, type CodeCheck } from './code-check.js';
import { regionTable } from './region-table.js';

let known: ReadonlySet<string> | undefined;

function knownRegions(): ReadonlySet<string> {
  known ??= new Set(
    Object.entries(regionTable).flatMap(([province, prefectures]) =>
      prefectures.split(' ').flatMap((entry) => (entry.slice(2).match(/../g) ?? []).map((county) => province + entry.slice(0, 2) + county)),
    ),
  );
  return known;
}

export function isKnownRegion(code: string): boolean {
  return knownRegions().has(code);
}

/** Administrative division code, GB/T 2260: six digits on the list. */
export function checkRegion(code: string): CodeCheck {
  if (!/^\d{6}$/.test(code)) return rejected('characters');
  return isKnownRegion(code) ? accepted() : rejected('unknown-region');
}
