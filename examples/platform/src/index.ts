export { runPlatform, type PlatformResult, type PlatformTerms } from './run-platform.js';
