import type { ErrorCode, RecordProblem } from '@huilian/protocol';

/** What a line of the stream became, or the receipt for a group of lines. */
export type IntakeAnswer =
  | { readonly line: number; readonly recordId: string; readonly version: number; readonly row: number; readonly warnings?: readonly RecordProblem[] }
  | { readonly line: number; readonly recordId: string; readonly version: number; readonly unchanged: true }
  | { readonly line: number; readonly refused: readonly RecordProblem[]; readonly code: ErrorCode }
  /** Of a dry run: the version that the line would have become. */
  | { readonly line: number; readonly recordId: string; readonly version: number; readonly dryRun: true; readonly warnings?: readonly RecordProblem[] }
  | { readonly acknowledged: string };
