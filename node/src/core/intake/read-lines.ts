/** One line of a stream, without its end. */
export interface InputLine {
  /** Counted from 1. */
  readonly number: number;
  /** Absent where the line is longer than allowed. */
  readonly bytes?: Uint8Array;
  /** The stream ended without a line end after it. */
  readonly unterminated?: true;
}

const newline = 10;
const carriageReturn = 13;

/**
 * Splits a stream into lines, all lines of a chunk at once; blank lines count but are not given. A line that is too long
 * is skipped, never held.
 */
export async function* readLines(chunks: AsyncIterable<string | Uint8Array>, mostBytes: number): AsyncGenerator<readonly InputLine[]> {
  const splitter = new LineSplitter(mostBytes);
  for await (const chunk of chunks) {
    const lines = splitter.push(typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk);
    if (lines.length > 0) yield lines;
  }
  const last = splitter.end();
  if (last !== undefined) yield [last];
}

class LineSplitter {
  private number = 0;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private tooLong = false;

  public constructor(private readonly mostBytes: number) {}

  public push(chunk: Uint8Array): InputLine[] {
    const lines: InputLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.hold(chunk.subarray(start, end));
      const line = this.finish();
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    this.hold(chunk.subarray(start));
    return lines;
  }

  public end(): InputLine | undefined {
    if (this.heldBytes === 0 && !this.tooLong) return undefined;
    const line = this.finish();
    return line && { ...line, unterminated: true };
  }

  private hold(part: Uint8Array): void {
    if (part.length === 0) return;
    this.heldBytes += part.length;
    this.tooLong ||= this.heldBytes > this.mostBytes;
    if (this.tooLong) this.held = [];
    else this.held.push(part);
  }

  private finish(): InputLine | undefined {
    this.number += 1;
    const { number, tooLong } = this;
    const whole = this.held.length === 1 ? (this.held[0] as Uint8Array) : Buffer.concat(this.held);
    this.held = [];
    this.heldBytes = 0;
    this.tooLong = false;
    if (tooLong) return { number };
    const bytes = whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    return bytes.length === 0 ? undefined : { number, bytes };
  }
}
