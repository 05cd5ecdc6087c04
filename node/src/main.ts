import { runCommandLine } from './composition/cli-application.js';

await runCommandLine();
