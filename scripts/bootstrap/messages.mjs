// Everything the bootstrap says goes to stderr, in both languages: stdout belongs to the command it runs.

/** A failure the user can act on; its message is all they see of it. */
export class BootstrapError extends Error {
  /**
   * @param {string} english
   * @param {string} chinese
   * @param {number} [exitCode]
   */
  constructor(english, chinese, exitCode = 1) {
    super(`huilian: ${english}\n汇链：${chinese}`);
    this.exitCode = exitCode;
  }
}

/** The child was ended by a signal; this process ends the same way once its lock is released. */
export class Interrupted extends Error {
  /** @param {import('./child.mjs').Ending} ending */
  constructor(ending) {
    super(`ended by ${ending.signal}`);
    this.ending = ending;
  }
}

/**
 * @param {string} english
 * @param {string} chinese
 */
export function tell(english, chinese) {
  process.stderr.write(`huilian: ${english} / ${chinese}\n`);
}
