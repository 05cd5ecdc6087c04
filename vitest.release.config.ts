import { settingsOf } from './vitest.config.js';

/** The offline release, built and installed where there is no network: `npm run release:test`. */
export default settingsOf([{ name: 'release', root: 'tests', include: ['release/**/*.test.ts'], alone: true }]);
