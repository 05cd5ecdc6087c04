/** The last acknowledged outbox row and the chain head at it. */
export interface Mark {
  readonly to: number;
  /** SHA-256, hex. */
  readonly head: string;
}

/**
 * Where the outbox ended when it last acknowledged something, kept apart from the store: LevelDB opens a log with a torn
 * or damaged tail without a word, so the end must be known from elsewhere.
 */
export interface HighWaterMark {
  read(): Mark | undefined;
  /** Resolved only when on disk. @throws STORAGE_FAILED */
  write(mark: Mark): Promise<void>;
  close(): Promise<void>;
}
