import { readFileSync } from 'node:fs';

/** Version of this software, of the node's package. */
export function softwareVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
}
