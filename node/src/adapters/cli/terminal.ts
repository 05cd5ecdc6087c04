import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { ProtocolError } from '@huilian/protocol';

/** Questions to the person at the terminal. They go to standard error, so that standard output stays the result. */

/** True where a person can be asked. */
function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Yes or no, no unless said. @throws BAD_FIELD where nobody can be asked and `--yes` was not given */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  mustAsk();
  const answer = await ask(`${question} [y/N] `, process.stderr);
  return /^(y|yes|是)$/i.test(answer.trim());
}

/** For what cannot be undone: a word that is typed, no unless it fits. @throws BAD_FIELD where nobody can be asked and `--yes` was not given */
export async function confirmByWord(question: string, word: RegExp, yes: boolean): Promise<boolean> {
  if (yes) return true;
  mustAsk();
  return word.test((await ask(question, process.stderr)).trim());
}

function mustAsk(): void {
  if (!canAsk()) throw new ProtocolError('BAD_FIELD', { path: '--yes', reason: 'nobody can be asked here; give --yes when the words above are what is meant' });
}

/** The wallet's password: HUILIAN_WALLET_PASSWORD, else typed unseen, twice for a new one. @throws BAD_FIELD */
export async function walletPassword(isNew: boolean): Promise<string> {
  return await typedPassphrase('HUILIAN_WALLET_PASSWORD', 'password of the wallet / 钱包口令', isNew);
}

/** From an environment variable, else typed unseen, twice for a new one. @throws BAD_FIELD */
export async function typedPassphrase(variable: string, what: string, isNew: boolean): Promise<string> {
  const fromEnvironment = process.env[variable];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  if (!canAsk()) throw new ProtocolError('BAD_FIELD', { path: variable, reason: 'set it, or run at a terminal' });
  const password = await askUnseen(`${what}: `);
  if (password === '') throw new ProtocolError('BAD_FIELD', { path: 'password', reason: 'is empty' });
  if (isNew && (await askUnseen('again / 再次输入: ')) !== password) throw new ProtocolError('BAD_FIELD', { path: 'password', reason: 'the two differ' });
  return password;
}

async function askUnseen(question: string): Promise<string> {
  process.stderr.write(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => { done(); } });
  const answer = await ask('', unseen);
  process.stderr.write('\n');
  return answer;
}

async function ask(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const stopped = new Promise<never>((_resolve, reject) => {
    lines.once('SIGINT', () => { reject(new ProtocolError('BAD_FIELD', { path: 'terminal', reason: 'stopped by Ctrl-C' })); });
    lines.once('close', () => { reject(new ProtocolError('BAD_FIELD', { path: 'terminal', reason: 'no answer' })); });
  });
  try {
    return await Promise.race([lines.question(question), stopped]);
  } finally {
    stopped.catch(() => undefined);
    lines.close();
  }
}
