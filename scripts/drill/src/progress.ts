/** What runs now, on stderr: rewritten at a terminal, else a line each. */
export class DrillProgress {
  private readonly begun = performance.now();

  public step(what: string): void {
    const text = `[${String(Math.round((performance.now() - this.begun) / 1000)).padStart(4)} s] ${what}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
  }

  /** A line that stays. */
  public note(text: string): void {
    process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[2K' : ''}       ${text}\n`);
  }
}
