// Every `huilian …` and `npm run …` that a page shows is one that the programs know, with the options it names.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFiles } from '../../scripts/list-files.mjs';
import { root } from '../e2e/main-job.js';
import { documentedCommands, judgeCommand, npmScripts, readHelp, type CommandHelp } from './documented-commands.js';

const known = new Map<string, string>();

/** What the built program itself says. */
function helpText(command: readonly string[]): string {
  const name = command.join(' ');
  const before = known.get(name);
  if (before !== undefined) return before;
  const run = spawnSync(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), ...command, '--help'], { encoding: 'utf8' });
  expect(run.status, run.stderr).toBe(0);
  known.set(name, run.stdout);
  return run.stdout;
}

const helpOf = (command: readonly string[]): CommandHelp => readHelp(helpText(command));

/** The command and all below it. */
function walk(command: readonly string[]): (readonly string[])[] {
  const below = helpOf(command).subcommands.filter((name) => name !== 'help');
  return [command, ...below.flatMap((name) => walk([...command, name]))];
}

/** Paragraphs and entries of a help text, each in one line. */
const entries = (text: string): string[] => text.split(/\n\n|\n(?= {2}-)/).map((entry) => entry.replace(/\s+/g, ' ').trim());

const judge = (text: string): string[] => documentedCommands('page.md', text).flatMap((command) => judgeCommand(command, helpOf, ['test']));

describe('every command', () => {
  it('tells in both languages what it does, with an example of itself, and each of its options; all print JSON', () => {
    const commands = walk([]).filter((command) => command.length > 0);
    expect(commands.length).toBeGreaterThan(30);
    for (const command of commands) {
      const name = `huilian ${command.join(' ')}`;
      const [usage, told = '', ...more] = entries(helpText(command));
      expect(usage).toContain(`Usage: ${name} `);
      expect(told, name).toMatch(/^[A-Za-z"'].* \/ .*\p{Script=Han}/u);
      expect(told.slice(told.indexOf('Example: ')), name).toContain(`Example: ${name}`);
      expect(helpOf(command).options, name).toContain('--json');
      for (const option of more.filter((entry) => entry.includes(' --') || entry.startsWith('--'))) {
        if (!option.includes('-h, --help')) expect(option, name).toMatch(/ \/ .*\p{Script=Han}/u);
      }
      for (const example of told.slice(told.indexOf('Example: ') + 9).split('; ')) {
        expect(documentedCommands(name, `\`${example}\``).flatMap((line) => judgeCommand(line, helpOf, [])), example).toEqual([]);
      }
    }
  }, 180_000);
});

describe('commands in the docs', () => {
  it('are known to the programs, with their options', () => {
    const pages = listFiles(root).filter((file) => file.endsWith('.md') && file !== 'CHANGELOG.md');
    const commands = pages.flatMap((page) => documentedCommands(page, readFileSync(path.join(root, page), 'utf8')));
    expect(commands.length).toBeGreaterThan(100);
    expect(commands.flatMap((command) => judgeCommand(command, helpOf, npmScripts(root)))).toEqual([]);
  }, 120_000);

  it.each([
    ['inline code', 'say `huilian governance elect X`', 'page.md:1: huilian governance has no command elect'],
    ['a block', '```sh\nhuilian status --colour\n```', 'page.md:2: huilian status has no option --colour'],
    ['a line that goes on', '```bash\nnpx huilian query \\\n  --sort owner\n```', 'page.md:3: huilian query has no option --sort'],
    ['a substitution', '```bash\nX="$(npx huilian governance list --yaml --state s)"\n```', 'page.md:2: huilian governance list has no option --yaml'],
    ['a pipe', '```text\ncat x | huilian publish --quickly\n```', 'page.md:2: huilian publish has no option --quickly'],
    ['a script', '```sh\nnpm run fly -- --high\n```', 'page.md:2: npm has no script fly'],
  ])('an unknown one is found in %s', (_where, text, finding) => { expect(judge(text)).toEqual([finding]); });

  it.each(['`huilian governance list --json`', '```sh\nhuilian verify evidence.json --charter X # --not an option\n```', '`npm test`', '```json\n"huilian fly"\n```', 'huilian flies'])('a good one passes: %s', (text) => { expect(judge(text)).toEqual([]); });
});
