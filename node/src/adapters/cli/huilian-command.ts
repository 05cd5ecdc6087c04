import { CommandRunner, Option } from 'nest-commander';
import { errorBody, ProtocolError } from '@huilian/protocol';

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

  public async run(args: string[], options?: Options): Promise<void> {
    const chosen = (options ?? {}) as Options;
    try {
      const result = await this.act(args, chosen);
      process.stdout.write(chosen.json === true ? `${JSON.stringify(result.json)}\n` : withNewline(result.text));
      if (result.failed === true) process.exitCode = 1;
    } catch (error) {
      reportError(error, chosen.json === true);
      process.exitCode = 1;
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
