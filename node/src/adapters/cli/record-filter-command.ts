import { Option } from './declared-commands.js';
import { StateCommand, type StateOptions } from './huilian-command.js';

/** Which records of the ledger a command is about. */
export interface RecordFilterOptions extends StateOptions {
  readonly subject?: string;
  readonly owner?: string;
  readonly kind?: string;
  readonly publisher?: string;
}

/** Adds `--subject`, `--owner`, `--kind` and `--publisher`. */
export abstract class RecordFilterCommand<Options extends RecordFilterOptions> extends StateCommand<Options> {
  @Option({ flags: '--subject <id>', description: 'whom the record is about, org: and the USCC / 主体' })
  public parseSubject(value: string): string {
    return value;
  }

  @Option({ flags: '--owner <id>', description: 'who must authorise, org: and the USCC / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'kind of record / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--publisher <member>', description: 'centre that published / 发布方' })
  public parsePublisher(value: string): string {
    return value;
  }
}
