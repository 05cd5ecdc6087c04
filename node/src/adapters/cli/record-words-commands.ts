import { Command, Option } from './declared-commands.js';
import { ownerIdShape, parseRecordId, ProtocolError, type Header, type StatementReason } from '@huilian/protocol';
import { given, NodeCommand, nodeUrl, parseList, parsePositive, StateCommand, stateFolder, type CommandResult, type NodeOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { confirm } from './terminal.js';
import { openWalletFile } from './wallet-file.js';

interface AttestOptions extends StateOptions {
  readonly compared?: readonly string[];
  readonly outcome?: string;
  readonly recordVersion?: number;
}

@Command({
  name: 'attest',
  arguments: '<record>',
  description:
    "say on the ledger what this centre found when it held another centre's record against contract, award notice or site / 佐证其他中心的记录。Example: huilian attest guangzhou/performance/… --compared contract,site --outcome agrees; huilian attest guangzhou/performance/… --outcome withdrawn",
})
export class AttestCommand extends StateCommand<AttestOptions> {
  protected async act([record = '']: readonly string[], { compared = [], outcome, recordVersion, ...options }: AttestOptions): Promise<CommandResult> {
    parseRecordId(record);
    const body = { compared: [...new Set(compared)].sort(), outcome: given(outcome, '--outcome'), ...(recordVersion === undefined ? {} : { version: recordVersion }) };
    const answer = (await NodeApi.open(stateFolder(options)).post(`/v1/records/${record}/attestations`, body)) as object;
    return { json: { ...answer, record, ...body }, text: `${record}: ${body.outcome} ${body.compared.join(',')}, on the ledger / 佐证已上链` };
  }

  @Option({ flags: '--compared <list>', description: 'award-notice, completion-report, contract, original, register, site, separated by commas / 核对依据' })
  public parseCompared(value: string): readonly string[] {
    return parseList(value, '--compared');
  }

  @Option({ flags: '--outcome <outcome>', description: 'agrees, differs, or withdrawn to take the word back / 核对结果' })
  public parseOutcome(value: string): string {
    return value;
  }

  @Option({ flags: '--record-version <n>', description: 'version meant (default: the current one) / 记录版本' })
  public parseRecordVersion(value: string): number {
    return parsePositive(value, '--record-version');
  }
}

interface StatementOptions extends NodeOptions {
  readonly wallet?: string;
  readonly owner?: string;
  readonly record?: string;
  readonly digest?: string;
  readonly recordVersion?: number;
  readonly verdict?: string;
  readonly reason?: string;
  readonly claims?: readonly string[];
  readonly yes?: boolean;
}

@Command({
  name: 'statement',
  description:
    "confirm or dispute a record that is about you, as its owner, by a signature that goes on the ledger; version and digest as `huilian view` shows them / 权属人确认或质疑记录。Example: huilian statement --wallet wallet.json --owner org:91440105MA6NNHC07C --record guangzhou/performance/… --record-version 1 --digest … --verdict dispute --reason wrong-value --claims contract --node https://node.example.org",
})
export class StatementCommand extends NodeCommand<StatementOptions> {
  protected async act(_args: readonly string[], options: StatementOptions): Promise<CommandResult> {
    const owner = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const word = wordOf(options);
    const { adoptedKinds, HttpDoor, OwnerClient, renderStatement } = await import('@huilian/sdk');
    const statement = { owner, record: word.record, version: word.version, digest: `0x${word.digest}`, claims: [...word.claims].sort(), verdict: word.verdict, reason: word.reason, issuedAt: Math.floor(Date.now() / 1000) };
    const kinds = await adoptedKinds(new HttpDoor(nodeUrl(options)), word.claims.map((claim) => `${parseRecordId(word.record).kind}/${claim}`));
    const words = renderStatement('RecordStatement', statement, kinds);
    process.stderr.write(`${[...words.zh, '', ...words.en].join('\n')}\n`);
    if (!(await confirm('sign this? 签署以上声明？', options.yes === true))) return { json: { signed: false }, text: 'not signed / 未签署', failed: true };
    const { wallet } = await openWalletFile(given(options.wallet, '--wallet'));
    const answer = await OwnerClient.connect(nodeUrl(options), owner, wallet).state(word);
    return { json: { ...answer, ...word }, text: `${word.record}: ${word.verdict}, on the ledger / 声明已上链` };
  }

  @Option({ flags: '--wallet <file>', description: "the owner's wallet / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--record <id>', description: 'the record that is meant / 记录标识' })
  public parseRecord(value: string): string {
    return value;
  }

  @Option({ flags: '--record-version <n>', description: 'its version / 记录版本' })
  public parseRecordVersion(value: string): number {
    return parsePositive(value, '--record-version');
  }

  @Option({ flags: '--digest <hex>', description: 'digest of that version / 该版本摘要' })
  public parseDigest(value: string): string {
    return value;
  }

  @Option({ flags: '--verdict <verdict>', description: 'confirm, dispute, or withdraw to take the word back / 结论' })
  public parseVerdict(value: string): string {
    return value;
  }

  @Option({ flags: '--reason <reason>', description: 'checked; duplicate, not-ours, outdated, wrong-value; corrected, mistaken / 理由' })
  public parseReason(value: string): string {
    return value;
  }

  @Option({ flags: '--claims <list>', description: 'claims that are meant (default: the whole record) / 数据项' })
  public parseClaims(value: string): readonly string[] {
    return parseList(value, '--claims');
  }

  @Option({ flags: '--yes', description: 'sign without asking / 不再询问' })
  public parseYes(): boolean {
    return true;
  }
}

interface Word {
  readonly record: string;
  readonly version: number;
  readonly digest: Header['digest'];
  readonly claims: readonly string[];
  readonly verdict: 'confirm' | 'dispute' | 'withdraw';
  readonly reason: StatementReason;
}

/** What the wallet cannot say in words it refuses. @throws BAD_FIELD for an option that is missing */
function wordOf({ claims = [], digest, reason, record, recordVersion, verdict }: StatementOptions): Word {
  const id = given(record, '--record');
  parseRecordId(id);
  const hex = given(digest, '--digest').replace(/^0x/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new ProtocolError('BAD_FIELD', { path: '--digest', reason: '64 hex digits' });
  return { record: id, version: given(recordVersion, '--record-version'), digest: hex, claims, verdict: given(verdict, '--verdict') as Word['verdict'], reason: given(reason, '--reason') as StatementReason };
}
