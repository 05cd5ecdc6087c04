/** One row of a CSV file as it lies there: where it is, and its bytes without the end of the line. */
export interface Frame {
  /** Line it begins on, from 1, and how many it takes: quoted cells may hold line ends. */
  readonly line: number;
  readonly lines: number;
  /** Bytes of the file up to behind it. */
  readonly end: number;
  /** Absent where it is longer than a row may be. */
  readonly bytes?: Buffer;
}

/** Rows that lie one after another. */
export interface FrameGroup {
  readonly frames: readonly Frame[];
  /** All of them with what lies between; absent where one is too long. */
  readonly bytes?: Buffer;
}

const quote = 0x22;
const newline = 0x0a;
const carriageReturn = 0x0d;
const delimiters: ReadonlySet<number> = new Set([0x2c, 0x09, 0x3b]);
/** A quoted cell that has not ended after so many bytes was never meant to begin. */
const mostSkipped = 64 * 1024 * 1024;

/**
 * Splits a CSV file into rows without holding one that is too long. It works on bytes, which is sound for UTF-8 and for
 * GB18030: neither has a quote, a delimiter or a line end inside another character. Quotes that cannot be meant so (inside a
 * cell, or never closed) cost the one line they are on, not the rows behind it.
 */
export class CsvFrames {
  /** @param chunks the file from an offset on @param quotes whether a quoted cell may hold line ends; else a row is a line */
  public constructor(
    private readonly chunks: (offset: number) => AsyncIterable<Buffer>,
    private readonly mostBytes: number,
    private readonly quotes = true,
  ) {}

  /** From an offset that lies between two rows; `lines` lie before it. */
  public async *groups(offset: number, lines: number): AsyncGenerator<FrameGroup> {
    let scanner: FrameScanner | undefined = new FrameScanner(this.mostBytes, offset, lines, this.quotes);
    while (scanner !== undefined) {
      const current: FrameScanner = scanner;
      scanner = undefined;
      for await (const chunk of this.chunks(current.from)) {
        yield* current.push(chunk);
        scanner = current.restarted();
        if (scanner !== undefined) break;
      }
      if (scanner === undefined) {
        yield* current.finish();
        scanner = current.restarted();
      }
    }
  }
}

class FrameScanner {
  private data: Buffer = Buffer.alloc(0);
  /** Offset of `data` in the file. */
  private base: number;
  private before = newline;
  /** Where scanning stands in `data`. */
  private at = 0;
  private nextQuote = -1;
  private state: 'open' | 'plain' | 'quoted' = 'open';
  /** Offset where the row begins, and behind its first line where it has more. */
  private start: number;
  private firstEnd: number | undefined;
  private lines = 0;
  /** Bytes of the row were let go by, for it is too long. */
  private dropped = false;
  private restart: FrameScanner | undefined;
  private frames: Frame[] = [];

  public constructor(
    private readonly mostBytes: number,
    public readonly from: number,
    private linesBefore: number,
    private readonly quotes: boolean,
  ) {
    this.base = from;
    this.start = from;
  }

  public push(chunk: Buffer): FrameGroup[] {
    this.append(chunk);
    this.scan(false);
    if (!this.dropped && this.base + this.data.length - this.start > this.mostBytes) this.dropped = true;
    if (this.dropped && this.state === 'quoted' && this.base + this.at - this.start > mostSkipped) this.giveUp();
    return this.taken();
  }

  public finish(): FrameGroup[] {
    this.scan(true);
    while (this.state === 'quoted' && this.firstEnd !== undefined && this.restart === undefined) {
      this.giveUp();
      this.scan(true);
    }
    if (this.restart === undefined && this.base + this.data.length > this.start) this.emit(this.base + this.data.length, this.base + this.data.length);
    return this.taken();
  }

  /** Another scanner goes on from where this one had to go back to. */
  public restarted(): FrameScanner | undefined {
    return this.restart;
  }

  private append(chunk: Buffer): void {
    const keep = this.dropped ? this.at : Math.min(this.at, this.start - this.base);
    if (keep > 0) this.before = this.data[keep - 1] ?? newline;
    const rest = this.data.subarray(keep);
    this.data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.base += keep;
    this.at -= keep;
    this.nextQuote = -1;
  }

  private scan(ended: boolean): void {
    while (this.at < this.data.length && this.restart === undefined) {
      const waits = this.state === 'quoted' ? this.scanQuoted(ended) : this.scanOpen();
      if (waits) return;
    }
  }

  /** Answers whether more of the file is needed. */
  private scanQuoted(ended: boolean): boolean {
    const { data } = this;
    const found = data.indexOf(quote, this.at);
    this.countLines(found === -1 ? data.length : found);
    if (found === -1) return true;
    if (found + 1 >= data.length && !ended) return true;
    const next = data[found + 1];
    if (next === quote) this.at = found + 2;
    else if (next === undefined || next === newline || next === carriageReturn || delimiters.has(next)) {
      this.state = 'open';
      this.at = found + 1;
    } else {
      this.at = found + 1;
      this.giveUp();
    }
    return false;
  }

  private scanOpen(): boolean {
    const { data } = this;
    const end = data.indexOf(newline, this.at);
    const opening = this.quotes && this.state === 'open' ? this.quoteFrom(this.at) : Number.POSITIVE_INFINITY;
    if (opening < (end === -1 ? data.length : end)) {
      const previous = opening === 0 ? this.before : (data[opening - 1] ?? newline);
      this.state = this.base + opening === this.start || delimiters.has(previous) ? 'quoted' : 'plain';
      this.at = opening + 1;
      return false;
    }
    if (end === -1) {
      this.at = data.length;
      return true;
    }
    this.emit(this.base + end, this.base + end + 1);
    return false;
  }

  /** Asked again for each line, and most files have few quotes: what was found is kept. */
  private quoteFrom(at: number): number {
    if (this.nextQuote < at) {
      const found = this.data.indexOf(quote, at);
      this.nextQuote = found === -1 ? Number.POSITIVE_INFINITY : found;
    }
    return this.nextQuote;
  }

  private countLines(to: number): void {
    for (let end = this.data.indexOf(newline, this.at); end !== -1 && end < to; end = this.data.indexOf(newline, end + 1)) {
      this.firstEnd ??= this.base + end + 1;
      this.lines += 1;
    }
    this.at = to;
  }

  /** The quotes of this row are not those of a CSV row: its first line alone is the row. */
  private giveUp(): void {
    if (this.firstEnd === undefined) {
      this.state = 'plain';
      return;
    }
    const { firstEnd } = this;
    this.lines = 0;
    if (firstEnd < this.base || this.dropped) {
      this.frames.push({ end: firstEnd, line: this.linesBefore + 1, lines: 1 });
      this.restart = new FrameScanner(this.mostBytes, firstEnd, this.linesBefore + 1, this.quotes);
      return;
    }
    this.emit(firstEnd - 1, firstEnd);
  }

  /** @param to offset of the end of its text @param end offset behind its line end */
  private emit(to: number, end: number): void {
    const lines = this.lines + 1;
    const tooLong = this.dropped || to - this.start > this.mostBytes;
    const text = tooLong ? undefined : this.data.subarray(this.start - this.base, to - this.base);
    const bytes = text?.at(-1) === carriageReturn ? text.subarray(0, -1) : text;
    const place = { end, line: this.linesBefore + 1, lines };
    if (bytes === undefined) this.frames.push(place);
    else if (bytes.length > 0) this.frames.push({ ...place, bytes });
    this.linesBefore += lines;
    this.start = end;
    this.at = Math.max(0, end - this.base);
    this.state = 'open';
    this.firstEnd = undefined;
    this.lines = 0;
    this.dropped = false;
  }

  /** The rows found since the last call: those that lie together as one group. */
  private taken(): FrameGroup[] {
    const frames = this.frames;
    this.frames = [];
    const [first] = frames;
    if (first === undefined) return [];
    if (frames.some(({ bytes }) => bytes === undefined)) return frames.map((frame) => ({ frames: [frame], ...(frame.bytes === undefined ? {} : { bytes: frame.bytes }) }));
    const from = (first.bytes?.byteOffset ?? 0) - this.data.byteOffset;
    const last = frames.at(-1)?.bytes;
    return [{ bytes: this.data.subarray(from, (last?.byteOffset ?? 0) - this.data.byteOffset + (last?.length ?? 0)), frames }];
  }
}
