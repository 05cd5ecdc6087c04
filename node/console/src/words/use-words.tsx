import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { dictionary, type WordKey } from './dictionary.js';
import type { Texts, Title } from './texts.js';

type Language = 'en' | 'zh';
type Values = Readonly<Record<string, number | string>>;

export interface Words {
  readonly language: Language;
  setLanguage(language: Language): void;
  /** A text of the dictionary; `{name}` in it is what `values` says. */
  t(key: WordKey, values?: Values): string;
  /** Name of a value of a closed list, `group.value` of the dictionary; one that it does not know as it is. */
  name(group: string, value: string): string;
  /** A text that the node gives, in the language chosen. */
  pick(title: Title): string;
  /** Date and time of Beijing, to the second. */
  time(seconds: number): string;
  /** A number with its separators. */
  number(value: number): string;
}

const storedAt = 'huilian-language';
const WordsContext = createContext<Words | undefined>(undefined);

/** Gives the page its language: the one chosen last, else the browser's. */
export function WordsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, choose] = useState<Language>(firstLanguage);
  const setLanguage = useCallback((next: Language): void => {
    localStorage.setItem(storedAt, next);
    choose(next);
  }, []);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const words = useMemo(() => wordsOf(language, setLanguage), [language, setLanguage]);
  return <WordsContext value={words}>{children}</WordsContext>;
}

export function useWords(): Words {
  const words = use(WordsContext);
  if (words === undefined) throw new Error('no words around');
  return words;
}

function wordsOf(language: Language, setLanguage: (next: Language) => void): Words {
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB';
  const clock = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'Asia/Shanghai' });
  const numbers = new Intl.NumberFormat(locale);
  return {
    language,
    setLanguage,
    t: (key, values = {}) => dictionary[key][language].replace(/\{(\w+)\}/g, (_whole, name: string) => String(values[name] ?? '')),
    name: (group, value) => (dictionary as Partial<Texts>)[`${group}.${value}`]?.[language] ?? value,
    pick: (title) => title[language],
    time: (seconds) => clock.format(seconds * 1000),
    number: (value) => numbers.format(value),
  };
}

function firstLanguage(): Language {
  const stored = localStorage.getItem(storedAt);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
