import { CommandRunner, Option } from './declared-commands.js';
import { errorBody, ProtocolError } from '@huilian/protocol';

/** The command of nest-commander's own commander, which this project does not depend on itself. */
type CommanderCommand = Parameters<CommandRunner['setCommand']>[0];

/** What a command answers: data for `--json` and programs, lines for a person. `failed` makes the exit code 1. */
export interface CommandResult {
  readonly json: unknown;
  readonly text: string;
  readonly failed?: boolean;
}

export interface OutputOptions {
  readonly json?: boolean;
}

/** Options of every command that works on a state folder or talks to the node that runs on it. */
export interface StateOptions extends OutputOptions {
  readonly state?: string;
}

/** Prints results and errors the same way for every command; errors never end in a stack trace. */
export abstract class HuilianCommand<Options extends OutputOptions> extends CommandRunner {
  protected abstract act(args: readonly string[], options: Options): Promise<CommandResult>;

  /** A word too many is a mistake to be told, not to be ignored; what commander ends, ends with the codes of this program. */
  public override setCommand(command: CommanderCommand): this {
    return super.setCommand(command.allowExcessArguments(false).exitOverride(endByCommander));
  }

  public async run(args: string[], options?: Options): Promise<void> {
    const chosen = (options ?? {}) as Options;
    try {
      const result = await this.act(args, chosen);
      process.stdout.write(chosen.json === true ? `${JSON.stringify(result.json)}\n` : withNewline(result.text));
      if (result.failed === true) process.exitCode = 1;
    } catch (error) {
      reportError(error, chosen.json === true);
      process.exitCode = exitCodeOf(error);
    }
  }

  @Option({ flags: '--json', description: 'print one JSON object / 以 JSON 输出' })
  public parseJson(): boolean {
    return true;
  }
}

/** Adds `--state`. */
export abstract class StateCommand<Options extends StateOptions> extends HuilianCommand<Options> {
  @Option({ flags: '--state <folder>', description: 'state folder (default: $HUILIAN_STATE or ./state) / 状态目录' })
  public parseState(value: string): string {
    return value;
  }
}

/** Options of a command that calls a node by its address, as a member or an owner does. */
export interface NodeOptions extends OutputOptions {
  readonly node?: string;
}

/** Adds `--node`. */
export abstract class NodeCommand<Options extends NodeOptions> extends HuilianCommand<Options> {
  @Option({ flags: '--node <url>', description: 'address of a node (default: $HUILIAN_NODE) / 节点地址' })
  public parseNode(value: string): string {
    return value;
  }
}

/** @throws BAD_FIELD where neither the option nor HUILIAN_NODE gives an http(s) address */
export function nodeUrl(options: NodeOptions): string {
  const url = options.node ?? process.env['HUILIAN_NODE'];
  if (url === undefined) throw new ProtocolError('BAD_FIELD', { path: '--node', reason: 'give the address of a node, for example --node https://node.example.org' });
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new ProtocolError('BAD_FIELD', { path: '--node', reason: 'an http or https address' });
  return url;
}

/** The option's value. @throws BAD_FIELD where it was not given */
export function given<T>(value: T | undefined, flag: string): T {
  if (value === undefined) throw new ProtocolError('BAD_FIELD', { path: flag, reason: 'is needed' });
  return value;
}

/** A whole number from 1 up. @throws BAD_FIELD */
export function parsePositive(value: string, flag: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(value)) throw new ProtocolError('BAD_FIELD', { path: flag, reason: 'a whole number from 1 up' });
  return Number(value);
}

/** 1 to 100. @throws BAD_FIELD */
export function parsePercent(value: string, flag: string): number {
  const percent = /^[1-9][0-9]{0,2}$/.test(value) ? Number(value) : 0;
  if (percent < 1 || percent > 100) throw new ProtocolError('BAD_FIELD', { path: flag, reason: 'a whole number from 1 to 100' });
  return percent;
}

/** `a,b, c` → [a, b, c]. @throws BAD_FIELD where nothing is left */
export function parseList(value: string, flag: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim()).filter((item) => item !== '');
  if (items.length === 0) throw new ProtocolError('BAD_FIELD', { path: flag, reason: 'is empty' });
  return items;
}

/** 2 for a command line that is not meant so, 1 for everything that was refused or failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  const path = error instanceof ProtocolError && error.code === 'BAD_FIELD' ? error.details['path'] : undefined;
  return typeof path === 'string' && /^(--|<)/.test(path) ? 2 : 1;
}

/** Ends the process where commander would: 0 after a help text, 2 (not its own 1) after a mistyped command line. What it says is printed before. */
export function endByCommander({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : 2);
}

export function stateFolder(options: StateOptions): string {
  return options.state ?? process.env['HUILIAN_STATE'] ?? 'state';
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Writes an error for a person (code, words, cause, next step, both languages) or as JSON, on standard error. */
export function reportError(error: unknown, json: boolean): void {
  const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { error: error instanceof Error ? error.message : String(error) });
  const body = errorBody(known);
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: body })}\n`);
    return;
  }
  const details = Object.entries(body.details).map(([name, value]) => `${name}=${String(value)}`);
  process.stderr.write(
    `${body.code}: ${body.message.en} / ${body.message.zh}\n` +
      (details.length > 0 ? `  ${details.join(' ')}\n` : '') +
      `  → ${body.next.en} / ${body.next.zh}\n`,
  );
}
