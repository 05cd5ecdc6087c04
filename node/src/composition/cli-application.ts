import { Command } from 'commander';
import { chosenCommands } from '../adapters/cli/cli-commands.js';
import { CommandRunnerService, DeclaredCommands } from '../adapters/cli/declared-commands.js';
import { endByCommander, exitCodeOf, reportError } from '../adapters/cli/huilian-command.js';
import { reportUsageError } from '../adapters/cli/usage-errors.js';
import { HuilianProcesses } from './huilian-processes.js';

/** Runs the command line. Errors that reach here were not a command's own; they end the process all the same. */
export async function runCommandLine(): Promise<void> {
  const fail = (error: Error): void => {
    const { exitCode } = error as { exitCode?: number };
    if (exitCode !== undefined) endByCommander({ exitCode });
    reportError(error, process.argv.includes('--json'));
    process.exitCode = exitCodeOf(error);
  };
  const commands = new DeclaredCommands(await chosenCommands(process.argv[2]), new HuilianProcesses());
  // Without positional options a command would take those of its subcommand for its own.
  const program = new Command('huilian').enablePositionalOptions();
  const options = { cliName: 'huilian', errorHandler: fail, serviceErrorHandler: fail, enablePositionalOptions: true, outputConfiguration: { outputError: reportUsageError } };
  type Runner = ConstructorParameters<typeof CommandRunnerService>;
  // Of both it uses what is given here; a command tells its errors itself.
  const runner = new CommandRunnerService(commands as unknown as Runner[0], program, options, { error: () => undefined } as unknown as Runner[3]);
  await runner.onModuleInit();
  await runner.run();
}
