import { Worker } from 'node:worker_threads';
import type { JsonObject, MappingDocument } from '@huilian/protocol';
import type { ExaminingTerms } from '../../core/catalog/adopted-kinds.js';
import type { ExaminedLine, ExaminerKnowledge, LineExaminer } from '../../core/intake/examine-line.js';
import type { HeldMapping } from '../../core/mapping/held-mappings.js';
import { unpackLines, type PackedLines } from './packed-lines.js';

/** What a thread is started with. */
export interface ThreadSettings {
  readonly memberId: string;
  readonly localIdKey: Uint8Array;
}

/** Lines for a thread: all bytes in one piece, and where each line ends. */
export interface ExamineOrder {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
  readonly newest: ExaminingTerms['newest'];
  readonly today: string;
  /** Documents of kinds that the thread has not had yet, by `kind/version`. */
  readonly documents: readonly (readonly [string, JsonObject])[];
  /** Present where they are others than in the order before. */
  readonly codeSets?: ExaminingTerms['codeSets'];
  /** Name and document of every mapping; present where they are not those of the order before. */
  readonly mappings?: readonly (readonly [name: string, document: MappingDocument])[];
}

export interface ExamineAnswer extends PackedLines {
  readonly id: number;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, (examined: readonly (ExaminedLine | undefined)[]) => void>;
  /** What it was told of kinds, codes and mappings. A document never changes. */
  readonly told: { readonly documents: Set<string>; codeSets: ExaminingTerms['codeSets']; mappings: ReadonlyMap<string, HeldMapping> | undefined };
}

/** Threads that examine lines. One that fails gives its lines back unexamined and is not asked again. */
export class ExaminingThreads implements LineExaminer {
  private readonly threads = new Set<Thread>();
  private orders = 0;

  /** @param script module that a thread runs */
  public constructor(script: URL, count: number, settings: ThreadSettings, onFailure: (error: unknown) => void) {
    for (let index = 0; index < count; index += 1) this.start(script, settings, onFailure);
  }

  public async examine(lines: readonly Uint8Array[], known: ExaminerKnowledge): Promise<readonly (ExaminedLine | undefined)[]> {
    const [least] = [...this.threads].sort((left, right) => left.waiting.size - right.waiting.size);
    if (least === undefined) return [];
    const ends: number[] = [];
    let total = 0;
    for (const line of lines) ends.push((total += line.length));
    const bytes = new Uint8Array(total);
    for (const [index, line] of lines.entries()) bytes.set(line, ends[index - 1] ?? 0);
    this.orders += 1;
    const order: ExamineOrder = { bytes, ends, id: this.orders, ...newsFor(least, known) };
    return await new Promise((resolve) => {
      least.waiting.set(order.id, resolve);
      least.worker.postMessage(order, [bytes.buffer]);
    });
  }

  public async close(): Promise<void> {
    await Promise.all([...this.threads].map(async ({ worker }) => await worker.terminate()));
  }

  private start(script: URL, settings: ThreadSettings, onFailure: (error: unknown) => void): void {
    const worker = new Worker(script, { execArgv: [], workerData: settings });
    // Flags of the process are for its own thread; a thread alone keeps no process alive.
    worker.unref();
    const thread: Thread = { told: { codeSets: [], documents: new Set(), mappings: undefined }, waiting: new Map(), worker };
    worker.on('message', ({ id, ...packed }: ExamineAnswer) => {
      thread.waiting.get(id)?.(unpackLines(packed));
      thread.waiting.delete(id);
    });
    worker.on('error', onFailure);
    worker.on('exit', () => {
      this.threads.delete(thread);
      for (const resolve of thread.waiting.values()) resolve([]);
      thread.waiting.clear();
    });
    this.threads.add(thread);
  }
}

/** What of it a thread must be told: documents are large, and it keeps what it was told before. */
function newsFor({ told }: Thread, { codeSets, documents, mappings, newest, today }: ExaminerKnowledge): Omit<ExamineOrder, 'bytes' | 'ends' | 'id'> {
  const unknown = [...documents].filter(([key]) => !told.documents.has(key));
  for (const [key] of unknown) told.documents.add(key);
  const otherCodes = codeSets !== told.codeSets && (codeSets.length > 0 || told.codeSets.length > 0);
  const otherMappings = mappings !== told.mappings;
  told.codeSets = codeSets;
  told.mappings = mappings;
  return {
    documents: unknown,
    newest,
    today,
    ...(otherCodes ? { codeSets } : {}),
    ...(otherMappings ? { mappings: [...mappings.values()].map(({ document, name }) => [name, document] as const) } : {}),
  };
}
