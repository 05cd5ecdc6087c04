import { spawn } from 'node:child_process';

/** A failure that a person can act on. */
export class ReleaseError extends Error {
  /** @param {string} code @param {string} message @param {{ en: string, zh: string }} next */
  constructor(code, message, next) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

/** Runs a program to its end; its output is shown only when it fails. @param {string} command @param {readonly string[]} args @param {string} cwd */
export async function run(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  throw new ReleaseError('COMMAND_FAILED', `${command} ${args.slice(0, 2).join(' ')} ended with ${String(code)}: ${output.trim().split('\n').slice(-5).join(' | ')}`, {
    en: 'mend the cause (the registry must answer while a release is made) and run the same command again',
    zh: '请排除原因（制作安装包时需能访问软件源）后重新运行同一命令',
  });
}

/** @param {readonly string[]} args @param {string} cwd */
export async function npm(args, cwd) {
  await run('npm', args, cwd);
}
