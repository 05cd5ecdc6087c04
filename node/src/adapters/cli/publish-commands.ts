import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Command, Option } from './declared-commands.js';
import { ProtocolError, type ErrorCode, type ErrorDetails } from '@huilian/protocol';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { progressBar } from './sync-command.js';

interface PublishOptions extends StateOptions {
  readonly supersede?: boolean;
  readonly revoke?: boolean;
  readonly record?: readonly string[];
  readonly kind?: string;
  readonly naturalKey?: readonly string[];
}

@Command({
  name: 'publish',
  arguments: '[file]',
  description:
    'publish records from an NDJSON file or standard input; put new versions in place of old ones, or revoke / 发布、更新、撤销记录。Example: huilian publish records.ndjson; huilian publish --supersede corrections.ndjson; huilian publish --revoke --record guangzhou/credit/ID; huilian publish --revoke --kind entity --natural-key 91440105MA6NNHC07C',
})
export class PublishCommand extends StateCommand<PublishOptions> {
  protected async act([file]: readonly string[], options: PublishOptions): Promise<CommandResult> {
    const lines = linesOf(file, options);
    const answers: Record<string, unknown>[] = [];
    const bar = progressBar(options.json !== true);
    const counts = { accepted: 0, refused: 0 };
    try {
      for await (const answer of NodeApi.open(stateFolder(options)).stream('/v1/records', lines)) {
        answers.push(answer);
        if ('refused' in answer) counts.refused += 1;
        else if (typeof answer['recordId'] === 'string') counts.accepted += 1;
        bar?.update(0, counts);
      }
    } finally {
      bar?.stop();
    }
    return describePublished(answers);
  }

  @Option({ flags: '--supersede', description: 'each record must exist: a new version of it / 更新已有记录' })
  public parseSupersede(): boolean {
    return true;
  }

  @Option({ flags: '--revoke', description: 'revoke the records of --record, of --kind and --natural-key, or of the file / 撤销记录' })
  public parseRevoke(): boolean {
    return true;
  }

  @Option({ flags: '--record <id>', description: 'with --revoke: record id, repeat for each / 记录标识' })
  public parseRecord(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--kind <kind>', description: 'with --natural-key: kind of the record / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--natural-key <value>', description: "with --kind: a value of the record's natural key, repeat for each in the kind's order / 自然键" })
  public parseNaturalKey(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }
}

/** What goes up: lines of a file or of standard input, or one line for each record that is named. @throws BAD_FIELD */
function linesOf(file: string | undefined, options: PublishOptions): AsyncIterable<string> {
  const { record, revoke, supersede } = options;
  if (revoke === true && supersede === true) throw new ProtocolError('BAD_FIELD', { path: '--revoke', reason: 'not together with --supersede' });
  const named = record === undefined ? namedByKey(options) : record.map((id) => ({ kind: id.split('/')[1] ?? '', recordId: id, revoke: true }));
  if (named !== undefined) {
    if (revoke !== true) throw new ProtocolError('BAD_FIELD', { path: '--revoke', reason: 'is needed with --record or --natural-key; a new version comes from a file' });
    if (file !== undefined) throw new ProtocolError('BAD_FIELD', { path: '--record', reason: 'records are named here or in a file, not both' });
    return Readable.from(named.map((line) => JSON.stringify(line)));
  }
  const input = file === undefined || file === '-' ? process.stdin : createReadStream(file);
  const lines = inputLines(input, file);
  const flag = supersede === true ? 'supersede' : revoke === true ? 'revoke' : undefined;
  return flag === undefined ? lines : flagged(lines, flag);
}

/** @throws BAD_FIELD where one of the two is missing */
function namedByKey({ kind, naturalKey }: PublishOptions): readonly object[] | undefined {
  if (kind === undefined && naturalKey === undefined) return undefined;
  return [{ kind: given(kind, '--kind'), naturalKey: given(naturalKey, '--natural-key'), revoke: true }];
}

async function* inputLines(input: NodeJS.ReadableStream, file: string | undefined): AsyncGenerator<string> {
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (error) {
    throw new ProtocolError('BAD_FIELD', { path: file ?? '-', reason: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}

/** Adds the flag to the text of each line: a field that is there twice is then refused by the node, and not decided here. */
async function* flagged(lines: AsyncIterable<string>, flag: 'revoke' | 'supersede'): AsyncGenerator<string> {
  for await (const line of lines) yield line.replace(/^\s*\{/, `{"${flag}":true,`);
}

function describePublished(answers: readonly Record<string, unknown>[]): CommandResult {
  const refused = answers.filter((answer) => 'refused' in answer);
  const recordIds = answers.flatMap((answer) => (typeof answer['recordId'] === 'string' ? [answer['recordId']] : []));
  // The node ends a stream that broke in the middle with its error as the last line.
  const broken = answers.find((answer) => 'error' in answer)?.['error'] as { code: ErrorCode; details?: ErrorDetails } | undefined;
  if (answers.length === 0) throw new ProtocolError('BAD_FIELD', { reason: 'the input holds no line' });
  if (broken !== undefined) throw new ProtocolError(broken.code, { ...broken.details, accepted: recordIds.length });
  const text = [...recordIds, `${String(recordIds.length)} accepted 已收, ${String(refused.length)} refused 拒绝`, ...refused.map((answer) => JSON.stringify(answer))];
  return { json: { recordIds, refused }, text: text.join('\n'), failed: refused.length > 0 };
}
