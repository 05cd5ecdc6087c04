import { collectEarly } from './composition/heap-settings.js';

// Before anything is loaded: what the heap has grown to it keeps.
collectEarly();
const { runCommandLine } = await import('./composition/cli-application.js');
await runCommandLine();
