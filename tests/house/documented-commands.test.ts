// Every `huilian …` and `npm run …` that a page shows is one that the programs know, with the options it names.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFiles } from '../../scripts/list-files.mjs';
import { root } from '../e2e/main-job.js';
import { documentedCommands, judgeCommand, npmScripts, readHelp, type CommandHelp } from './documented-commands.js';

const known = new Map<string, CommandHelp>();

/** What the built program itself says. */
function helpOf(command: readonly string[]): CommandHelp {
  const name = command.join(' ');
  const before = known.get(name);
  if (before !== undefined) return before;
  const run = spawnSync(process.execPath, [path.join(root, 'node', 'dist', 'main.js'), ...command, '--help'], { encoding: 'utf8' });
  expect(run.status, run.stderr).toBe(0);
  const help = readHelp(run.stdout);
  known.set(name, help);
  return help;
}

const judge = (text: string): string[] => documentedCommands('page.md', text).flatMap((command) => judgeCommand(command, helpOf, ['test']));

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
