import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A command line that a page shows, in a code block or as inline code. */
export interface DocumentedCommand {
  /** `<page>:<line>` */
  readonly place: string;
  readonly program: 'huilian' | 'npm';
  readonly words: readonly string[];
}

/** What a command's own help says. */
export interface CommandHelp {
  readonly subcommands: readonly string[];
  readonly options: readonly string[];
}

const spoken = /^(?:\$ |sudo )?(?:[A-Z_]+=\S* )*(?:npx )?(huilian|npm)( .*)?$/;

/** All lines with `huilian` or `npm` of a page: blocks (but `json`, `ts`, `mermaid`), with their continuation lines, and inline code. */
export function documentedCommands(page: string, text: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  let language: string | undefined;
  let held = '';
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${page}:${String(index + 1)}`;
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence !== null) {
      language = language === undefined ? (fence[1] ?? '') : undefined;
    } else if (language === undefined) {
      for (const [, code = ''] of line.matchAll(/`([^`]+)`/g)) found.push(...commandsOf(code, place));
    } else if (['', 'sh', 'bash', 'text'].includes(language)) {
      held += line.replace(/\\$/, ' ');
      if (line.endsWith('\\')) continue;
      found.push(...commandsOf(withoutComment(held), place));
      held = '';
    }
  }
  return found;
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s)#\s.*$/, '$1');
}

/** A line may hold several commands: pipes, lists, substitutions. What stands in quotes is a value. */
function commandsOf(line: string, place: string): DocumentedCommand[] {
  const plain = line.replace(/'[^']*'/g, "''").replace(/"\$\(/g, '$(');
  return plain.split(/\$\(|[|;&()]+/).flatMap((part) => {
    const known = spoken.exec(part.trim().replace(/^[A-Z_]+="?$/, ''));
    if (known === null) return [];
    const [, program = '', rest = ''] = known;
    return [{ place, program: program as 'huilian' | 'npm', words: rest.trim().split(/\s+/).filter((word) => word !== '') }];
  });
}

/** Reads commander's help: the names under `Commands:` and the long flags under `Options:`. */
export function readHelp(text: string): CommandHelp {
  const section = (title: string): string[] => (text.split(`${title}:\n`)[1] ?? '').split(/\n\n/)[0]?.split('\n') ?? [];
  return {
    subcommands: section('Commands').flatMap((line) => /^ {2}([a-z][a-z-]*)/.exec(line)?.[1] ?? []),
    options: section('Options').flatMap((line) => /^ {2}(?:-\w, )?(--[a-z-]+)/.exec(line)?.[1] ?? []),
  };
}

/** What is wrong with a documented line; empty where the program knows it. `helpOf` answers for a path of commands, `[]` for the program. */
export function judgeCommand({ place, program, words }: DocumentedCommand, helpOf: (command: readonly string[]) => CommandHelp, scripts: readonly string[]): string[] {
  if (program === 'npm') {
    const [verb = '', script = ''] = words;
    return verb === 'run' && /^[a-z]/.test(script) && !scripts.includes(script) ? [`${place}: npm has no script ${script}`] : [];
  }
  const command: string[] = [];
  for (const word of words) {
    if (!helpOf(command).subcommands.includes(word)) break;
    command.push(word);
  }
  const help = helpOf(command);
  const next = words[command.length];
  const missing = help.subcommands.length > 0 && next !== undefined && /^[a-z][a-z-]+$/.test(next) ? [`${place}: huilian ${command.join(' ')} has no command ${next}`] : [];
  const flags = words.flatMap((word) => /^\[?(--[a-z][a-z-]*)/.exec(word)?.[1] ?? []);
  return [...missing, ...flags.filter((flag) => !help.options.includes(flag)).map((flag) => `${place}: huilian ${command.join(' ')} has no option ${flag}`)];
}

/** The scripts of the root package. */
export function npmScripts(root: string): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  return Object.keys(scripts);
}
