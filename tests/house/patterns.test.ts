// Attack J8: texts that make a regular expression go back and forth. Every pattern in the code that meets input is taken from
// the sources and given long texts made of its own letters; none may take longer than a reader notices.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const rooms = ['sdk/protocol/src', 'sdk/client/src', 'chaincode/src', 'node/src', 'node/embedded-ledger/src'];
/** A pattern that doubles its work with each letter shows it in a short text, one that squares it in a long one. */
const lengths = [24, 10_000];
const mostMilliseconds = 50;
const common = ['a', 'A', '0', '-', '_', '.', '/', ' ', ',', ':', '=', '"', '\\', '\n', '\r', '\u0000', '汇', '\ud800'];

interface Pattern {
  readonly place: string;
  readonly expression: RegExp;
}

/** The regular expressions written in a file, also those that a shape is built from. */
function patternsOf(file: string): readonly Pattern[] {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Pattern[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, body = '', flags = ''] = /^\/(.*)\/([a-z]*)$/su.exec(node.text) ?? [];
      const place = `${file}:${String(source.getLineAndCharacterOfPosition(node.getStart()).line + 1)} ${node.text}`;
      // A shape's `text()` holds the whole value against it.
      const whole = ts.isCallExpression(node.parent) && node.parent.expression.getText(source) === 'text';
      found.push({ place, expression: new RegExp(whole ? `^(?:${body})$` : body, flags) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** One letter again and again, and pairs of the pattern's own, each with an end that does not fit. */
function* textsFor({ source }: RegExp, letters: number): Generator<string> {
  const own = [...new Set(source.replace(/\\[a-z]/gi, ''))].filter((letter) => !'^$()[]{}?*+|\\'.includes(letter)).slice(0, 8);
  for (const letter of new Set([...own, ...common])) for (const end of ['', '\u0001']) yield letter.repeat(letters) + end;
  for (const first of own) for (const second of own) if (first !== second) yield (first + second).repeat(letters / 2) + '\u0001';
}

/** Processor time, the least of some tries: other work on the machine is nobody's fault. */
function millisecondsOf(expression: RegExp, text: string): number {
  let least = Infinity;
  for (let tried = 0; tried < 3 && least > mostMilliseconds; tried += 1) {
    const before = process.cpuUsage();
    text.replace(expression, '');
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function slowest({ expression, place }: Pattern): string[] {
  for (const letters of lengths) for (const text of textsFor(expression, letters)) {
    const milliseconds = millisecondsOf(expression, text);
    if (milliseconds > mostMilliseconds) return [`${place}: ${String(Math.round(milliseconds))} ms for ${JSON.stringify(text.slice(0, 4))}…${JSON.stringify(text.slice(-2))}`];
  }
  return [];
}

describe('regular expressions', () => {
  const patterns = globSync(rooms.map((room) => `${room}/**/*.ts`), { cwd: root }).flatMap(patternsOf);

  it('are found', () => {
    expect(patterns.length).toBeGreaterThan(100);
  });

  it.each([[/^(?:[ab]+)+$/], [/\s+$/]])('a slow one is found out: %s', (expression) => {
    expect(slowest({ place: 'planted', expression })).toHaveLength(1);
  });

  it(`take less than ${String(mostMilliseconds)} ms for a text that does not fit`, () => {
    expect(patterns.flatMap(slowest)).toEqual([]);
  }, 120_000);
});
