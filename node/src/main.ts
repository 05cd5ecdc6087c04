import { keepCompiled } from './composition/compiled-code.js';
import { collectEarly } from './composition/heap-settings.js';

// Before anything is loaded: what the heap has grown to it keeps, and compiled code is of use to what comes after.
collectEarly();
keepCompiled();
const { runCommandLine } = await import('./composition/cli-application.js');
await runCommandLine();
