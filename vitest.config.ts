import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

if (!existsSync(new URL('sdk/protocol/src/generated/validators.js', import.meta.url))) {
  throw new Error('the validators of the kinds are not generated yet: npm run generate / 尚未生成校验代码，请先运行 npm run generate');
}

// Tests run from the sources (condition @huilian/source); oxc emits the decorator metadata that
// fabric-contract-api and Nest read at run time.
const conditions = ['@huilian/source', 'module', 'node', 'development|production'];
const common = {
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node'] } },
};
interface Room {
  name: string;
  root: string;
  include: string[];
  /** Rooms whose tests start consortia come after the others, in this order. */
  after?: number;
  /** One file at a time. */
  alone?: true;
  /** Module that is run before the first test and tells how to end. */
  globalSetup?: string;
}
const rooms: readonly Room[] = [
  { name: 'protocol', root: 'sdk/protocol', include: ['test/**/*.test.ts'] },
  { name: 'sdk', root: 'sdk/client', include: ['test/**/*.test.ts'] },
  { name: 'chaincode', root: 'chaincode', include: ['test/**/*.test.ts'] },
  { name: 'embedded-ledger', root: 'node/embedded-ledger', include: ['test/**/*.test.ts'] },
  { name: 'console', root: 'node/console', include: ['test/**/*.test.ts'] },
  { name: 'node', root: 'node', include: ['test/**/*.test.ts'] },
  { name: 'sim', root: 'tests', include: ['sim/**/*.test.ts'] },
  { name: 'house', root: 'tests', include: ['house/**/*.test.ts'] },
  { name: 'e2e', root: 'tests', include: ['e2e/**/*.test.ts'], after: 1, globalSetup: fileURLToPath(new URL('tests/e2e/run-folder.ts', import.meta.url)) },
  // All of tests/fabric is run by `npm run fabric:test` (vitest.fabric.config.ts).
  { name: 'fabric', root: 'tests', include: ['fabric/smoke.test.ts'], after: 2 },
];

/** Settings of a run of some rooms. */
export function settingsOf(chosen: readonly Room[]): ViteUserConfig {
  const projects = chosen.map(({ name, root, include, after, alone, globalSetup }) => ({
    ...common,
    test: {
      name,
      root,
      include,
      env: { CORE_CHAINCODE_LOGGING_LEVEL: 'CRITICAL' },
      testTimeout: 30_000,
      hookTimeout: 60_000,
      ...(globalSetup === undefined ? {} : { globalSetup }),
      ...(after === undefined ? {} : { sequence: { groupOrder: after } }),
      ...(alone === undefined ? {} : { fileParallelism: false }),
    },
  }));
  return defineConfig({ test: { reporters: ['default', './scripts/closing-line-reporter.mjs'], maxWorkers: 2, projects } });
}

export default settingsOf(rooms);
