import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from './package-folder.js';

/** Version of this software, of the node's package. */
export function softwareVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(packageFolder(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
