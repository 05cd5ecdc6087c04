import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Lets V8 keep the code that it compiled, so that the next start need not compile it again. What is kept is run as it is
 * found, so it is kept only where nobody but this user can write. Whoever set Node's own variables has decided already.
 */
export function keepCompiled(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment['NODE_COMPILE_CACHE'] !== undefined || environment['NODE_DISABLE_COMPILE_CACHE'] !== undefined) return;
  const folder = ownFolder(environment);
  if (folder !== undefined) enableCompileCache(folder);
}

/** A service's CACHE_DIRECTORY (systemd), XDG_CACHE_HOME, or .cache in the user's home; undefined where none of them is safe. */
function ownFolder({ CACHE_DIRECTORY: service, XDG_CACHE_HOME: desktop }: NodeJS.ProcessEnv): string | undefined {
  try {
    const folder = path.join(service ?? path.join(desktop ?? path.join(homedir(), '.cache'), 'huilian'), 'compiled');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { mode, uid } = statSync(folder);
    const othersMayWrite = (mode & 0o022) !== 0;
    return uid === process.getuid?.() && !othersMayWrite ? folder : undefined;
  } catch {
    // A home that cannot be written: nothing is kept.
    return undefined;
  }
}
