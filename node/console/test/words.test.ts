// The two dictionaries say the same things, and every text of them is used.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { en } from '../src/words/en.js';
import { zh } from '../src/words/zh.js';

const dictionaries = { en, zh };
const source = path.join(import.meta.dirname, '..', 'src');
const code = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name) && !/words[/\\](en|zh)\.ts$/.test(name)).map((name) => readFileSync(path.join(source, name), 'utf8')).join('\n');
/** Groups whose members are named by what the node says. */
const named = new Set([...code.matchAll(/name\('([a-zA-Z]+)'/g)].map(([, group]) => group));

test('both languages have the same keys, in the same order', () => {
  expect(Object.keys(en)).toEqual(Object.keys(zh));
});

test('a text has the same values in both languages', () => {
  const valuesOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort();
  for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect([key, valuesOf(en[key])]).toEqual([key, valuesOf(zh[key])]);
});

test.each(Object.entries(dictionaries))('texts of %s are of that language', (language, words) => {
  for (const [key, text] of Object.entries(words)) {
    expect(text, key).not.toBe('');
    // Chinese may have a command or an abbreviation alone; English has no Chinese.
    if (language === 'en') expect(text, key).not.toMatch(/[\u3400-\u9fff]/);
  }
});

test('every text is used', () => {
  const unused = Object.keys(zh).filter((key) => !code.includes(`'${key}'`) && !named.has(key.slice(0, key.indexOf('.'))) && !usedByTemplate(key));
  expect(unused).toEqual([]);
});

/** `t(`records.${status}`)`: one of a group of which code makes the name. */
function usedByTemplate(key: string): boolean {
  return code.includes(`\`${key.slice(0, key.indexOf('.'))}.\${`);
}
