/** Tells a person, or a program, what is being done. */
export interface Progress {
  /** A step that begins; finished when the next begins or the command ends. */
  step(en: string, zh: string): void;
}

/** Progress as lines on stderr, numbered, with the time each step took. */
export class TerminalProgress implements Progress {
  private started = performance.now();
  private open = false;

  public step(en: string, zh: string): void {
    this.end();
    this.open = true;
    this.started = performance.now();
    process.stderr.write(`… ${en} / ${zh}`);
  }

  /** Closes the line of the last step. */
  public end(mark = '✓'): void {
    if (!this.open) return;
    this.open = false;
    process.stderr.write(`  ${mark} ${((performance.now() - this.started) / 1000).toFixed(1)} s\n`);
  }
}

export const silentProgress: Progress = { step: () => undefined };
