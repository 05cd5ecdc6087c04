// Both languages say the same things, and every text is used.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dictionary } from '../src/words/dictionary.js';
import type { Title } from '../src/words/texts.js';

const texts = Object.entries<Title>(dictionary);
const source = path.join(import.meta.dirname, '..', 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const textOf = (name: string): string => readFileSync(path.join(source, name), 'utf8');
const isWords = (name: string): boolean => /^words[/\\].*\.ts$/.test(name);
const code = files.filter((name) => !isWords(name)).map(textOf).join('\n');
/** Groups whose members are named by what the node says. */
const named = new Set([...code.matchAll(/name\('([a-zA-Z]+)'/g)].map(([, group]) => group));

test('no two pages have a text of the same name', () => {
  const keys = files.filter(isWords).flatMap((name) => [...textOf(name).matchAll(/^ {2}'([^']+)': \{/gm)].map(([, key = '']) => key));
  expect(keys.sort()).toEqual(Object.keys(dictionary).sort());
});

test('a text has the same values in both languages', () => {
  const valuesOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort();
  for (const [key, { en, zh }] of texts) expect([key, valuesOf(en)]).toEqual([key, valuesOf(zh)]);
});

test('each text is of its language', () => {
  for (const [key, { en, zh }] of texts) {
    // Chinese may have a command or an abbreviation alone; English has no Chinese.
    expect(zh, key).not.toBe('');
    expect(en, key).toMatch(/^[^\u3400-\u9fff]+$/);
  }
});

// The page offers each group of acts and says each act in words; the node's source is where they stand.
test('every administrative act and each check of the doctor has its words', () => {
  const node = (file: string): string => readFileSync(path.join(source, '..', '..', 'src', 'core', file), 'utf8');
  const acts = [...node('audit-log/acts.ts').matchAll(/^ {2}'([a-z.-]+)',$/gm)].map(([, act = '']) => act);
  const checks = [...node('diagnosis/examine-node.ts').matchAll(/\b(?:un)?well\('([a-z-]+)'/g)].map(([, check = '']) => check);
  expect([acts.length > 40, new Set(checks).size > 8]).toEqual([true, true]);
  const wanted = [...acts.flatMap((act) => [`act.${act}`, `actGroup.${act.split('.')[0] ?? ''}`]), ...checks.map((check) => `check.${check}`)];
  expect([...new Set(wanted)].filter((key) => !Object.hasOwn(dictionary, key))).toEqual([]);
});

test('every text is used', () => {
  const unused = Object.keys(dictionary).filter((key) => !code.includes(`'${key}'`) && !named.has(key.slice(0, key.indexOf('.'))) && !usedByTemplate(key));
  expect(unused).toEqual([]);
});

/** `t(`records.${status}`)`: one of a group of which code makes the name. */
function usedByTemplate(key: string): boolean {
  return code.includes(`\`${key.slice(0, key.indexOf('.'))}.\${`);
}
