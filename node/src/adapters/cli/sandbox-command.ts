import { Command, Option } from './declared-commands.js';
import { HuilianCommand, type CommandResult, type OutputOptions } from './huilian-command.js';
import { ProcessActions } from './process-actions.js';

interface SandboxCommandOptions extends OutputOptions {
  readonly state?: string;
}

@Command({
  name: 'sandbox',
  description: 'a local consortium for integrators: fixed invented owners, a bank, records and grants in every case / 集成沙箱。Example: huilian sandbox --state ./sandbox',
})
export class SandboxCommand extends HuilianCommand<SandboxCommandOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: SandboxCommandOptions): Promise<CommandResult> {
    await this.actions.runSandbox({ state: options.state ?? 'sandbox' });
    return { json: { stopped: true }, text: 'sandbox stopped / 沙箱已停止' };
  }

  @Option({ flags: '--state <folder>', description: 'state folder; a second start resumes it (default ./sandbox) / 状态目录' })
  public parseState(value: string): string {
    return value;
  }
}
