import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PlainGateway } from '../plain-gateway.js';

// A stand-in for a batch-pinning system (no product's code): each message is a row of PostgreSQL, up to 200 messages, a
// second or 800 KB make a batch, the batch is a file, one transaction pins its hash, one batch is under way at a time.

const batchMessages = 200;
const batchBytes = 800_000;
const batchMilliseconds = 1000;
const sessions = 4;

const [connection = '', recordsFile = '', folder = '', sessionCommand = '[]'] = process.argv.slice(2);
const records = readFileSync(recordsFile, 'utf8').trimEnd().split('\n').map((line) => JSON.stringify((JSON.parse(line) as { data: unknown }).data));
const gateway = new PlainGateway(connection);
const contract = gateway.network.getContract('baseline');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Message {
  readonly id: number;
  readonly hash: string;
  readonly text: string;
}

/** One psql session: statements go in, each answers with one line, in order. */
class Session {
  private readonly child: ChildProcess;
  private readonly waiting: (() => void)[] = [];

  public constructor() {
    const [psql = '', ...given] = JSON.parse(sessionCommand) as string[];
    this.child = spawn(psql, given, { stdio: ['pipe', 'pipe', 'inherit'] });
    let rest = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const _line of lines) this.waiting.shift()?.();
    });
  }

  /** The statement must answer one row. */
  public async run(statement: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin?.write(`${statement}\n`);
    });
  }

  public end(): void {
    this.child.stdin?.end();
  }
}

async function run(milliseconds: number): Promise<{ messages: number; seconds: number }> {
  const database = Array.from({ length: sessions }, () => new Session());
  const until = performance.now() + milliseconds;
  const started = performance.now();
  let [sequence, confirmed] = [0, 0];
  let batch: Message[] = [];
  /** Assembles a batch: every message is a row before it counts. */
  const assemble = async (): Promise<Message[]> => {
    batch = [];
    const [from, deadline] = [sequence, performance.now() + batchMilliseconds];
    let bytes = 0;
    await Promise.all(database.map(async (session) => {
      while (sequence - from < batchMessages && bytes < batchBytes && performance.now() < deadline) {
        const id = sequence++;
        const text = JSON.stringify({ header: { author: 'bench', id, tag: 'record', type: 'broadcast' }, data: records[id % records.length] });
        bytes += text.length;
        const hash = sha256(text);
        await session.run(`INSERT INTO messages (id, hash, state, body) VALUES (${String(id)}, '${hash}', 'sent', $body$${text}$body$) RETURNING id;`);
        batch.push({ id, hash, text });
      }
    }));
    return batch;
  };
  const pin = async (messages: readonly Message[]): Promise<void> => {
    const payload = JSON.stringify(messages.map(({ text }) => text));
    const hash = sha256(payload);
    writeFileSync(path.join(folder, `${hash}.json`), payload);
    await contract.submitTransaction('pinBatch', String(messages[0]?.id), hash, JSON.stringify(messages.map((message) => message.hash)));
    await database[0]?.run(`WITH done AS (UPDATE messages SET state = 'confirmed' WHERE id BETWEEN ${String(Math.min(...messages.map(({ id }) => id)))} AND ${String(Math.max(...messages.map(({ id }) => id)))} RETURNING id) SELECT count(*) FROM done;`);
    confirmed += messages.length;
  };
  let under: Promise<void> = Promise.resolve();
  while (performance.now() < until) {
    const messages = await assemble();
    await under;
    if (messages.length > 0) under = pin(messages);
  }
  await under;
  for (const session of database) session.end();
  return { messages: confirmed, seconds: (performance.now() - started) / 1000 };
}

process.on('message', (milliseconds: number) => {
  void run(milliseconds).then((result) => process.send?.(result));
});
process.on('disconnect', () => {
  gateway.close();
});
process.send?.('ready');
