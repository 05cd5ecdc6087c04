const width = 24;

/** What runs now, on stderr: a bar at a terminal, else a line a step. */
export class BenchProgress {
  private done = 0;
  private readonly started = performance.now();

  public constructor(private steps: number) {}

  public step(what: string): void {
    this.steps = Math.max(this.steps, this.done + 1);
    const filled = Math.floor((this.done / this.steps) * width);
    const seconds = Math.round((performance.now() - this.started) / 1000);
    const text = `[${'='.repeat(filled)}${' '.repeat(width - filled)}] ${String(seconds)} s  ${what}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
    this.done += 1;
  }

  /** A line that stays. */
  public note(text: string): void {
    process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[2K' : ''}  ${text}\n`);
  }

  public end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  }
}
