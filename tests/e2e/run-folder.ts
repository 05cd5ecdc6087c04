import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder that lives as long as a run of the tests. */
    readonly runFolder: string;
  }
}

/** Set-up of the project, before its first file; answers what ends it. */
export function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'huilian-e2e-run-'));
  provide('runFolder', folder);
  return () => { rmSync(folder, { recursive: true, force: true }); };
}
