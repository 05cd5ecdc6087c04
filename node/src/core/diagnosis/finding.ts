/** One thing that was looked at: how it is, in both languages, and what to do where it is not well. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly en: string;
  readonly zh: string;
  readonly next?: { readonly en: string; readonly zh: string };
}

export function well(check: string, en: string, zh: string): Finding {
  return { check, level: 'ok', en, zh };
}

export function unwell(check: string, level: 'warn' | 'fail', [en, zh]: readonly [en: string, zh: string], [nextEn, nextZh]: readonly [en: string, zh: string]): Finding {
  return { check, level, en, zh, next: { en: nextEn, zh: nextZh } };
}
