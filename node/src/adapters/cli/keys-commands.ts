import { Command, Option, SubCommand } from './declared-commands.js';
import { ProtocolError } from '@huilian/protocol';
import { readText } from './command-files.js';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { ProcessActions, type KeyReport } from './process-actions.js';
import { typedPassphrase } from './terminal.js';

interface PassphraseOptions extends StateOptions {
  readonly passphraseFile?: string;
}

abstract class PassphraseCommand extends StateCommand<PassphraseOptions> {
  @Option({ flags: '--passphrase-file <file>', description: 'file with the passphrase (default: $HUILIAN_PASSPHRASE, else asked for) / 口令文件' })
  public parsePassphraseFile(value: string): string {
    return value;
  }
}

/** From the file named, else HUILIAN_PASSPHRASE, else typed unseen; never an argument, which every process of the machine can read. */
async function passphraseOf({ passphraseFile }: PassphraseOptions, isNew: boolean): Promise<string> {
  return passphraseFile === undefined ? await typedPassphrase('HUILIAN_PASSPHRASE', 'passphrase of the key file / 密钥文件口令', isNew) : readText(passphraseFile).replace(/\r?\n$/, '');
}

@SubCommand({ name: 'list', description: 'the node\'s keys by file and fingerprint, and when they were exported / 列出密钥。Example: huilian keys list --state ./state' })
export class ListKeysCommand extends StateCommand<StateOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const report = await this.actions.listKeys(stateFolder(options));
    return { json: report, text: describe(report) };
  }
}

@SubCommand({
  name: 'export',
  arguments: '<file>',
  description: 'identity keys and the localId key into one file under a passphrase; the vault keys are not in it / 导出密钥。Example: huilian keys export ./guangzhou-keys.json --state ./state --passphrase-file ./passphrase',
})
export class ExportKeysCommand extends PassphraseCommand {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act([file]: readonly string[], options: PassphraseOptions): Promise<CommandResult> {
    const report = await this.actions.exportKeys(stateFolder(options), given(file, '<file>'), await passphraseOf(options, true));
    return { json: report, text: `${describe(report)}\nkeep the file apart from the passphrase and from all data / 请将文件与口令、数据分开保管` };
  }
}

@SubCommand({
  name: 'import',
  arguments: '<file>',
  description: 'exported keys into a state folder that has none / 导入密钥。Example: huilian keys import ./guangzhou-keys.json --state ./restored --passphrase-file ./passphrase',
})
export class ImportKeysCommand extends PassphraseCommand {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act([file]: readonly string[], options: PassphraseOptions): Promise<CommandResult> {
    const report = await this.actions.importKeys(stateFolder(options), given(file, '<file>'), await passphraseOf(options, false));
    return { json: report, text: describe(report) };
  }
}

@Command({ name: 'keys', description: 'the node\'s own keys: list, export, import / 节点密钥：列出、导出、导入。Example: huilian keys list --state ./state', subCommands: [ListKeysCommand, ExportKeysCommand, ImportKeysCommand] })
export class KeysCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: 'keys', reason: 'one of list, export, import' }));
  }
}

function describe({ exportedAt, keys, memberId }: KeyReport): string {
  const exported = exportedAt === undefined ? 'never exported as they are now: huilian keys export FILE / 当前密钥尚未导出' : `exported ${exportedAt} / 已导出`;
  return [`${memberId}: ${exported}`, ...keys.map(({ bytes, file, fingerprint }) => `  ${fingerprint}  ${file}  ${String(bytes)} B`)].join('\n');
}
