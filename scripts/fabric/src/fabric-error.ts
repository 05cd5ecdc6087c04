/** What can go wrong with a Fabric network on this machine. Closed, so that scripts can branch on it. */
export type FabricErrorCode =
  | 'USAGE'
  | 'BINARY_MISSING'
  | 'BINARY_TOO_OLD'
  | 'PROFILE_INVALID'
  | 'PORT_IN_USE'
  | 'PROCESS_ENDED'
  | 'NOT_READY'
  | 'COMMAND_FAILED'
  | 'NOT_UP'
  | 'ORGANISATION_UNKNOWN'
  | 'CLOCKS_APART'
  | 'STATE_DAMAGED';

/** A failure with the stage it happened in, its cause, and what the person can do next, in English and Chinese. */
export class FabricError extends Error {
  public constructor(
    public readonly code: FabricErrorCode,
    public readonly stage: string,
    public readonly why: string,
    public readonly next: { readonly en: string; readonly zh: string },
  ) {
    super(`${code} at ${stage}: ${why}`);
    this.name = 'FabricError';
  }

  public toJSON(): Readonly<Record<string, unknown>> {
    return { error: { code: this.code, stage: this.stage, cause: this.why, next: this.next } };
  }

  /** For a terminal. */
  public describe(): string {
    return `${this.code}\n  stage / 阶段: ${this.stage}\n  cause / 原因: ${this.why}\n  next  / 下一步: ${this.next.en}\n                 ${this.next.zh}\n`;
  }
}
