import 'reflect-metadata';
// nest-commander's own files, pinned by the exact version: its index loads the whole framework, which no command here needs.
import { CommandRunner } from 'nest-commander/src/command-runner.interface.js';
import { CommandRunnerService } from 'nest-commander/src/command-runner.service.js';
import { Command, Option, SubCommand } from 'nest-commander/src/command.decorators.js';
import type { ProcessActions } from './process-actions.js';

export { Command, CommandRunner, CommandRunnerService, Option, SubCommand };

/** A command's class, declared by the decorators above. */
export type CommandType = new (actions: ProcessActions) => CommandRunner;

interface FoundCommand {
  readonly name: string;
  readonly instance: CommandRunner;
}

/** Commands and their options by what they declare, as nest-commander's runner asks for them: a Nest application would find the same. */
export class DeclaredCommands {
  private readonly found: readonly FoundCommand[];

  public constructor(types: readonly CommandType[], actions: ProcessActions) {
    this.found = types.map((type) => ({ name: type.name, instance: new type(actions) }));
  }

  public providersWithMetaAtKey(key: string): Promise<readonly { readonly meta: unknown; readonly discoveredClass: FoundCommand }[]> {
    const declared = this.found.map((command) => ({ meta: Reflect.getMetadata(key, command.instance.constructor) as unknown, discoveredClass: command }));
    return Promise.resolve(declared.filter(({ meta }) => meta !== undefined));
  }

  public providerMethodsWithMetaAtKey(key: string, isMeant: (command: FoundCommand) => boolean): Promise<readonly { readonly meta: unknown; readonly discoveredMethod: { readonly handler: unknown } }[]> {
    const methods = this.found.filter(isMeant).flatMap(({ instance }) => methodsOf(instance));
    const declared = methods.map((handler) => ({ meta: Reflect.getMetadata(key, handler) as unknown, discoveredMethod: { handler } }));
    return Promise.resolve(declared.filter(({ meta }) => meta !== undefined));
  }
}

/** A command's own methods first, then those of the classes it extends. */
function methodsOf(instance: object): readonly object[] {
  const methods = new Map<string, object>();
  for (let at: unknown = Object.getPrototypeOf(instance); at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at as object))) {
      if (typeof value === 'function' && name !== 'constructor' && !methods.has(name)) methods.set(name, value as object);
    }
  }
  return [...methods.values()];
}
