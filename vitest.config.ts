import { defineConfig } from 'vitest/config';

// Tests run from the sources (condition @huilian/source); oxc emits the decorator metadata that
// fabric-contract-api and Nest read at run time.
const conditions = ['@huilian/source', 'module', 'node', 'development|production'];
const common = {
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node'] } },
};
const rooms: readonly [name: string, root: string][] = [
  ['protocol', 'sdk/protocol'], ['sdk', 'sdk/client'], ['chaincode', 'chaincode'],
  ['embedded-ledger', 'node/embedded-ledger'], ['node', 'node'], ['e2e', 'tests'],
];

export default defineConfig({
  test: {
    projects: rooms.map(([name, root]) => ({
      ...common,
      test: {
        name,
        root,
        include: name === 'e2e' ? ['**/*.test.ts'] : ['test/**/*.test.ts'],
        env: { CORE_CHAINCODE_LOGGING_LEVEL: 'CRITICAL' },
        testTimeout: 30_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
