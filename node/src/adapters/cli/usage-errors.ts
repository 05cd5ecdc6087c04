import { ProtocolError } from '@huilian/protocol';
import { reportError } from './huilian-command.js';

/** What commander says of a mistyped command line, said again in Chinese; its wording is fixed by the pinned version. */
const sayings: readonly (readonly [pattern: RegExp, chinese: (name: string) => string])[] = [
  [/^unknown command '(.+)'$/, (name) => `没有命令 '${name}'`],
  [/^unknown option '(.+)'$/, (flag) => `没有选项 '${flag}'`],
  [/^missing required argument '(.+)'$/, (name) => `缺少参数 '${name}'`],
  [/^option '(.+)' argument missing$/, (flag) => `选项 '${flag}' 缺少取值`],
  [/^too many arguments(?: for '(.+)')?\..*$/, () => '参数过多'],
];

/** Writes what is wrong with the command line: in both languages with the way to help, or as JSON where `--json` was given. */
export function reportUsageError(message: string, write: (text: string) => void): void {
  const json = process.argv.includes('--json');
  if (json) reportError(new ProtocolError('BAD_FIELD', { path: 'command line', reason: message.replace(/^error: /, '').trim() }), json);
  else write(describeUsageError(message));
}

function describeUsageError(message: string): string {
  const [line = '', ...suggestions] = message.replace(/^error: /, '').trim().split('\n');
  const suggestion = suggestions.map((text) => text.trim()).filter((text) => text !== '').join(' ');
  const english = suggestion === '' ? line : `${line} ${suggestion}`;
  return `${english} / ${chineseOf(line)}\n  → huilian --help, huilian <command> --help / 查看帮助\n`;
}

function chineseOf(line: string): string {
  for (const [pattern, chinese] of sayings) {
    const found = pattern.exec(line);
    if (found !== null) return chinese(found[1] ?? '');
  }
  return '命令行有误';
}
