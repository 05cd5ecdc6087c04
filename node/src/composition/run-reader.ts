import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { MemberClient } from '@huilian/sdk';
import { readMemberKeys } from '../adapters/cli/command-files.js';
import type { ReaderRunOptions } from '../adapters/cli/process-actions.js';
import { ReaderDesk } from '../adapters/reader/reader-desk.js';
import { startReader } from '../adapters/reader/start-reader.js';
import { createLogger } from '../observability/logger.js';
import { announceReady } from './local/managed-process.js';
import { runUntilStopped } from './run-until-stopped.js';

/** Runs the sidecar of an institution until it is told to stop. @throws BAD_FIELD, CONFIG_INVALID {reason: file-mode}, CHARTER_MISMATCH */
export async function runReader({ charter, host, memberKeys, node, patienceSeconds, port, tokenFile }: ReaderRunOptions): Promise<void> {
  const keys = readMemberKeys(memberKeys);
  requirePrivate(memberKeys);
  const file = tokenFile ?? path.join(path.dirname(memberKeys), 'reader-token');
  const token = readToken(file);
  const logger = createLogger('info', keys.memberId);
  const client = await MemberClient.connect(node, keys, { charterFingerprint: charter, patienceSeconds });
  const desk = new ReaderDesk(client, node, charter);
  // Another consortium is a mistake to be told now; a node that is away may come back.
  await desk.consortium().catch((error: unknown) => {
    if (!(error instanceof ProtocolError) || error.code === 'CHARTER_MISMATCH') throw error;
    logger.warn('the node does not answer yet', { code: error.code });
  });
  const door = await startReader(desk, { host, port, token, onServed: ({ code, ...call }) => { logger.info('served', { ...call, ...(code === undefined ? {} : { code }) }); } });
  process.stdout.write(`reader 读取服务 ${door.url}\ntoken 令牌 ${file}\nAPI ${door.url}/openapi.json\nCtrl-C 停止 / Ctrl-C stops\n`);
  announceReady({ url: door.url, token: file });
  await runUntilStopped(async () => {
    await door.close();
  });
}

/** Made at first start, readable by its user alone. */
function readToken(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  requirePrivate(file);
  const token = readFileSync(file, 'utf8').trim();
  if (!/^[A-Za-z0-9_-]{20,200}$/.test(token)) throw new ProtocolError('CONFIG_INVALID', { file, reason: 'not-a-token' });
  return token;
}

/** A secret that others on the machine can read is none. Windows has no such modes. @throws CONFIG_INVALID */
function requirePrivate(file: string): void {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) throw new ProtocolError('CONFIG_INVALID', { file, reason: 'file-mode: only its user may read it (chmod 600)' });
}
