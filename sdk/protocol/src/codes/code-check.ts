/** Outcome of checking a code: closed kebab-case words, never the code itself (an ID number is personal). */
export type CodeCheck = { readonly ok: true; readonly warnings: readonly string[] } | { readonly ok: false; readonly reason: string };

export function accepted(...warnings: readonly string[]): CodeCheck {
  return { ok: true, warnings };
}

export function rejected(reason: string): CodeCheck {
  return { ok: false, reason };
}

/** True for a day that exists in the Gregorian calendar. Up to the year 9999: 99991231 is how registers write "without end". */
export function isCalendarDay(year: number, month: number, day: number): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return year >= 1800 && year <= 9999 && day >= 1 && day <= (days[month - 1] ?? 0);
}

/** `yyyymmdd` as a calendar day. */
export function isCompactDate(text: string): boolean {
  return /^\d{8}$/.test(text) && isCalendarDay(Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6)));
}
