/** Prints the walk-through for a person: one line a step, with its time, in both languages. */
export class Report {
  private readonly started = performance.now();
  private last = this.started;

  /** A step that is done; the time is what passed since the step before. */
  public step(zh: string, en: string): void {
    const now = performance.now();
    process.stdout.write(`✓ ${zh} / ${en}  (${((now - this.last) / 1000).toFixed(2)} s)\n`);
    this.last = now;
  }

  public detail(text: string): void {
    for (const line of text.split('\n')) process.stdout.write(`    ${line}\n`);
  }

  public heading(zh: string, en: string): void {
    process.stdout.write(`\n── ${zh} / ${en}\n`);
  }

  public seconds(): number {
    return Math.round(performance.now() - this.started) / 1000;
  }
}
