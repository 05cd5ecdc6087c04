// Runs the code blocks of a guide as they stand: node scripts/run-guide.mjs docs/operations/join.md
// All ```bash blocks of the page, in order, in one shell that ends at the first failure; the exit code is the shell's.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [guide] = process.argv.slice(2);
if (guide === undefined) {
  console.error('usage: node scripts/run-guide.mjs <page.md> / 用法：node scripts/run-guide.mjs <页面.md>');
  process.exit(2);
}
const blocks = [...readFileSync(guide, 'utf8').matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
if (blocks.length === 0) {
  console.error(`${guide} has no bash blocks / 该页面没有 bash 代码块`);
  process.exit(2);
}
const script = ['set -euo pipefail', ...blocks].join('\n');
// In a group of its own: whatever a block left running, in a shell function too, ends with the shell.
const shell = spawn('bash', ['-c', script], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endGroup);
shell.once('exit', (code, signal) => {
  endGroup();
  process.exitCode = code ?? (signal === null ? 1 : 128);
});

function endGroup() {
  try {
    process.kill(-Number(shell.pid), 'SIGTERM');
  } catch {
    // Nothing of it runs any more.
  }
}
