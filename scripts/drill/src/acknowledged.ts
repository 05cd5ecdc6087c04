import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Centre, DrillWorld } from './drill-world.js';

/** What clients were told, and what they sent: the truth that a node is held against. */
export class AcknowledgementLog {
  private readonly ids = new Set<string>();
  private rowsRead = 0;

  public get count(): number {
    return this.ids.size;
  }

  /** Acknowledgements so far, an id told twice counted twice. */
  public get told(): number {
    return this.rowsRead;
  }

  public all(): readonly string[] {
    return [...this.ids];
  }

  public note(ids: readonly string[]): void {
    this.rowsRead += ids.length;
    for (const id of ids) this.ids.add(id);
  }

  public write(world: DrillWorld, centre: Centre): string {
    const file = path.join(world.logs, `acknowledged-${centre}`);
    writeFileSync(file, this.all().map((id) => `${id}\n`).join(''));
    return file;
  }
}

/** Reads the answers of a push as they come; ids count once the receipt of their group is there. */
export class AnswerReader {
  private rest = '';
  private open: string[] = [];
  /** Code of the error that ended the answers. */
  public failure: string | undefined;

  public constructor(private readonly onAcknowledged: (ids: readonly string[]) => void) {}

  public take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.answer(JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  private answer(answer: Readonly<Record<string, unknown>>): void {
    const { code } = (answer['error'] ?? {}) as { readonly code?: string };
    this.failure ??= code;
    if (typeof answer['recordId'] === 'string' && answer['unchanged'] !== true) this.open.push(answer['recordId']);
    if (typeof answer['acknowledged'] !== 'string') return;
    this.onAcknowledged(this.open);
    this.open = [];
  }
}
