import { startHttp } from '../adapters/http/start-http.js';
import { areKeysUnexported } from '../adapters/keys/key-export.js';
import { loadConfig } from '../config/config.js';
import { createLogger, errorFields } from '../observability/logger.js';
import { announceReady } from './local/managed-process.js';
import { openDrillDoor } from './drill-door.js';
import { operatorToken } from './operator-token.js';
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
  const door = await startHttp(node.services, { ...config.http, operatorToken: operatorToken(stateDir) });
  if (await areKeysUnexported(stateDir)) logger.warn('the keys of this node were never exported as they are now: huilian keys export FILE / 当前密钥尚未导出');
  logger.info('the node serves', { url: config.http.publicUrl, height: node.services.readModel.height() });
  announceReady({ url: config.http.publicUrl });
  await runUntilStopped(async () => {
    logger.info('the node stops');
    await door.close();
    await node.close();
  });
}
