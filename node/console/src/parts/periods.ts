import { useWords } from '../words/use-words.js';
import type { WordKey } from '../words/dictionary.js';

const daySeconds = 86_400;
const days = { week: 7, month: 30, all: undefined } as const;
export type Period = keyof typeof days;
const words: Readonly<Record<Period, WordKey>> = { week: 'accesses.lastWeek', month: 'accesses.lastMonth', all: 'accesses.allTime' };

/** Choices of a period; the one that holds where nothing is said has an empty value. */
export function usePeriods(first: Period): readonly { readonly value: string; readonly label: string }[] {
  const { t } = useWords();
  const others = (Object.keys(words) as Period[]).filter((period) => period !== first);
  return [first, ...others].map((period) => ({ value: period === first ? '' : period, label: t(words[period]) }));
}

/** Where a period begins, Unix seconds, to the minute: the question stays the same while its pages are turned. */
export function sinceOf(period: string): { readonly since?: number } {
  const length = Object.hasOwn(days, period) ? days[period as Period] : days.week;
  return length === undefined ? {} : { since: Math.floor(Date.now() / 60_000) * 60 - length * daySeconds };
}
