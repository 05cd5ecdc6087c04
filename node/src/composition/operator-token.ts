import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The operator's token of this node, in a file that only its user reads; made at first start. */
export function operatorToken(stateDir: string): string {
  const file = path.join(stateDir, 'operator-token');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
