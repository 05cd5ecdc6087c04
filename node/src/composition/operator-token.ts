import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The operator's token of this node, in a file that only its user reads; made at first start. */
export function operatorToken(stateDir: string): string {
  return tokenFile(path.join(stateDir, 'operator-token'));
}

/** The token that opens /metrics and nothing else, for the monitoring server. */
export function metricsToken(stateDir: string): string {
  return tokenFile(path.join(stateDir, 'metrics-token'));
}

function tokenFile(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
