import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { CommandFactory, InjectCommander, type CommandRunner } from 'nest-commander';
import { cliProviders } from '../adapters/cli/cli-module.js';
import { endByCommander, exitCodeOf, reportError } from '../adapters/cli/huilian-command.js';
import { ProcessActions } from '../adapters/cli/process-actions.js';
import { reportUsageError } from '../adapters/cli/usage-errors.js';
import { HuilianProcesses } from './huilian-processes.js';

@Module({})
class CliModule {
  public constructor(@InjectCommander() program: Parameters<CommandRunner['setCommand']>[0]) {
    // Without positional options a command would take those of its subcommand for its own.
    program.name('huilian').enablePositionalOptions();
  }
}

/** Runs the command line. Errors that reach here were not a command's own; they end the process all the same. */
export async function runCommandLine(): Promise<void> {
  const fail = (error: Error): void => {
    const { exitCode } = error as { exitCode?: number };
    if (exitCode !== undefined) endByCommander({ exitCode });
    reportError(error, process.argv.includes('--json'));
    process.exitCode = exitCodeOf(error);
  };
  const providers = await cliProviders(process.argv[2]);
  await CommandFactory.run({ module: CliModule, providers: [...providers, { provide: ProcessActions, useClass: HuilianProcesses }] }, {
    logger: false,
    cliName: 'huilian',
    errorHandler: fail,
    serviceErrorHandler: fail,
    enablePositionalOptions: true,
    outputConfiguration: { outputError: reportUsageError },
  });
}
