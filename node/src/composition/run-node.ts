import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startHttp, type TlsFiles } from '../adapters/http/start-http.js';
import { areKeysUnexported } from '../adapters/keys/key-export.js';
import { ProtocolError } from '@huilian/protocol';
import { loadConfig, type NodeConfig } from '../config/config.js';
import { createLogger, errorFields } from '../observability/logger.js';
import { announceReady } from './local/managed-process.js';
import { openDrillDoor } from './drill-door.js';
import { packageFolder } from './package-folder.js';
import { metricsToken, operatorToken } from './operator-token.js';
import type { RunningServices } from './running-services.js';
import { runUntilStopped } from './run-until-stopped.js';
import { startNode } from './start-node.js';

/** Runs the node of a state folder with its HTTP door until it is told to stop. `prepare` is what the sandbox does to its nodes. */
export async function runNode(stateDir: string, prepare: (services: RunningServices) => void = () => undefined): Promise<void> {
  const config = loadConfig(stateDir);
  const logger = createLogger(config.log.level, config.memberId);
  openDrillDoor(logger);
  const node = await startNode(stateDir, config, logger, (error) => {
    // Better gone than wrong: what was acknowledged is on disk, and a supervisor or a person starts the node again.
    logger.error('the node ends', errorFields(error));
    process.exit(1);
  });
  prepare(node.services);
  const { tls, ...http } = config.http;
  const door = await startHttp(node.services, { ...http, ...(tls === undefined ? {} : { tls: readTls(stateDir, tls) }), consoleFolder: path.join(packageFolder(), 'console', 'dist'), metricsToken: metricsToken(stateDir), operatorToken: operatorToken(stateDir) });
  const renew = (): void => {
    if (tls === undefined) return;
    try {
      door.renewTls(readTls(stateDir, tls));
      logger.info('the certificate of the HTTP door is renewed');
    } catch (error) {
      logger.error('the certificate of the HTTP door stays as it was', errorFields(error));
    }
  };
  // Without TLS of its own the signal says nothing here, and must not end the node either.
  process.on('SIGHUP', renew);
  if (await areKeysUnexported(stateDir)) logger.warn('the keys of this node were never exported as they are now: huilian keys export FILE / 当前密钥尚未导出');
  logger.info('the node serves', { url: config.http.publicUrl, height: node.services.readModel.height() });
  announceReady({ url: config.http.publicUrl });
  await runUntilStopped(async () => {
    logger.info('the node stops');
    process.off('SIGHUP', renew);
    await door.close();
    await node.close();
  });
}

/** @throws CONFIG_INVALID */
function readTls(stateDir: string, { certificate, key }: NonNullable<NodeConfig['http']['tls']>): TlsFiles {
  const read = (file: string, name: string): string => {
    try {
      return readFileSync(path.resolve(stateDir, file), 'utf8');
    } catch {
      throw new ProtocolError('CONFIG_INVALID', { path: `/http/tls/${name}`, reason: 'not-readable' });
    }
  };
  return { cert: read(certificate, 'certificate'), key: read(key, 'key') };
}
