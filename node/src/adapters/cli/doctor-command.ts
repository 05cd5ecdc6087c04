import { Command, Option } from './declared-commands.js';
import { loadConfig } from '../../config/config.js';
import { errorBody, ProtocolError } from '@huilian/protocol';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface DoctorOptions extends StateOptions {
  readonly acceptLoss?: boolean;
  readonly kind?: string;
  readonly naturalKey?: readonly string[];
}

interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly en: string;
  readonly zh: string;
  readonly next?: { readonly en: string; readonly zh: string };
}

interface RecordCourse {
  readonly recordId: string;
  readonly version: number;
  readonly steps: readonly Finding[];
  readonly stoppedAt?: string;
}

@Command({
  name: 'doctor',
  arguments: '[recordId]',
  description:
    'look at everything and say what to do, or follow one record and say where it stands; ends with 1 where something is wrong / 诊断节点或追踪一条记录。Example: huilian doctor --state ./state; huilian doctor guangzhou/credit/ID; huilian doctor --kind entity --natural-key 91440105MA6NNHC07C; huilian doctor --accept-loss',
})
export class DoctorCommand extends StateCommand<DoctorOptions> {
  protected async act([recordId]: readonly string[], options: DoctorOptions): Promise<CommandResult> {
    if (options.acceptLoss === true) return await acceptLoss(options);
    const { kind, naturalKey } = options;
    if (recordId === undefined && kind === undefined && naturalKey === undefined) return await examine(options);
    const named = recordId === undefined ? { kind: given(kind, '--kind'), naturalKey: given(naturalKey, '--natural-key') } : { recordId };
    const course = (await NodeApi.open(stateFolder(options)).post('/v1/doctor/records', named)) as RecordCourse;
    const head = `${course.recordId}  v${String(course.version)}`;
    const end = course.stoppedAt === undefined ? 'published and indexed / 已发布并索引' : `stands at 停在 ${course.stoppedAt}`;
    return { json: course, text: [head, ...course.steps.map(describe), end].join('\n'), failed: course.stoppedAt !== undefined };
  }

  @Option({ flags: '--accept-loss', description: 'after OUTBOX_TAIL_LOST, when nothing can be restored: take records again / 确认丢失并恢复接收' })
  public parseAcceptLoss(): boolean {
    return true;
  }

  @Option({ flags: '--kind <kind>', description: 'with --natural-key: kind of an own record / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--natural-key <value>', description: "with --kind: a value of the record's natural key, repeat for each in the kind's order / 自然键" })
  public parseNaturalKey(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }
}

async function acceptLoss(options: DoctorOptions): Promise<CommandResult> {
  const answer = (await NodeApi.open(stateFolder(options)).post('/v1/outbox/accept-loss', {})) as { lost: readonly { from: number; to: number }[] };
  const rows = answer.lost.map(({ from, to }) => `  ${String(from)}-${String(to)}`);
  return { json: answer, text: ['the node takes records again; sync the source again / 已恢复接收，请重新同步数据源', ...(rows.length === 0 ? [] : ['rows that are lost 丢失的行', ...rows])].join('\n') };
}

/** What can be seen without the node comes first: it may be the reason why the node does not answer. */
async function examine(options: DoctorOptions): Promise<CommandResult> {
  const state = stateFolder(options);
  const { memberId } = loadConfig(state);
  const config: Finding = { check: 'config', level: 'ok', en: `valid, member ${memberId}`, zh: `有效，成员 ${memberId}` };
  const findings = [config, ...(await ofNode(state))];
  const failed = findings.some(({ level }) => level === 'fail');
  return { json: { findings }, text: findings.map(describe).join('\n'), failed };
}

async function ofNode(state: string): Promise<readonly Finding[]> {
  try {
    return ((await NodeApi.open(state).get('/v1/doctor')) as { findings: readonly Finding[] }).findings;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message, next } = errorBody(error);
    return [{ check: 'node', level: 'fail', en: `${code}: ${message.en}`, zh: message.zh, next }];
  }
}

const marks = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

function describe({ check, en, level, next, zh }: Finding): string {
  return `${marks[level]} ${check.padEnd(12)} ${en} / ${zh}${next === undefined ? '' : `\n       → ${next.en} / ${next.zh}`}`;
}
