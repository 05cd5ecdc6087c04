import { settingsOf } from './vitest.config.js';

/** The tests that need Hyperledger Fabric: `npm run fabric:test`. They bring networks up, so they run one file at a time. */
export default settingsOf([{ name: 'fabric', root: 'tests', include: ['fabric/**/*.test.ts'], alone: true }]);
