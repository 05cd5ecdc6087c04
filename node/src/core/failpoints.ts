/**
 * Named places in the flows at which a drill makes the node die, fail or wait (docs/reliability.md). Off unless a handler was
 * armed, which only the composition does, and then says so loudly; off, a place costs one comparison.
 */

/** Where each step lies. P: a record is pushed; R: a record is read; E: a block is followed. */
export const failpointSteps = {
  P0: 'a line has come in',
  P1: 'the line is validated and prepared',
  P2: 'the payloads of a group are sealed',
  P3: 'the key file holds the keys of the group, nothing of the group is written',
  P4: 'payloads, record rows and outbox row are on disk in one synced write',
  P5: 'the high-water mark is about to cover the rows',
  P6: 'the mark is synced, the acknowledgement is not sent',
  P7: 'a batch is endorsed and not handed to ordering',
  P8: 'a batch is handed to ordering',
  P9: 'a block says the batch is valid, nothing of the block is written',
  P10: 'index rows and settled outbox rows are on disk in one synced write',
  P11: 'those who follow the read model are about to be told of the batch',
  P12: 'the frozen bytes of the batch are dropped',
  R0: 'the reader\'s request is verified',
  R1: 'the publisher\'s node has the grant on disk, the offer is not sent',
  R2: 'access.open is endorsed and not handed to ordering',
  R3: 'access.open is handed to ordering',
  R4: 'the publisher\'s index holds the ticket as valid',
  R5: 'the claims are encrypted to the reader, the release is not on disk',
  R6: 'the signed release is on disk, nothing of it is sent',
  R7: 'the receipt is on disk, its answer is not sent',
  R8: 'the receipt is anchored on the ledger, its row still waits',
  E0: 'a block has come in',
  E1: 'the block follows the last one',
  E2: 'the block is folded, nothing of it is written',
  E3: 'the block and its checkpoint are on disk',
  E4: 'a webhook\'s target took a call, the position behind it is not stored',
} as const;

export type FailpointStep = keyof typeof failpointSteps;
/** Steps inside work that does not wait for anything. */
type StraightStep = 'P0' | 'P1' | 'P2' | 'P11' | 'P12' | 'E1' | 'E2';

/** What happens at a step: throws, ends the process, or answers what to wait for. */
export type FailpointHandler = (step: FailpointStep) => Promise<void> | undefined;

let handler: FailpointHandler | undefined;

/** For the composition alone. */
export function armFailpoints(armed: FailpointHandler | undefined): void {
  handler = armed;
}

/** A step where the flow may be made to wait. */
export function passStep(step: Exclude<FailpointStep, StraightStep>): Promise<void> | undefined {
  return handler?.(step);
}

/** A step inside straight work: a wait there holds the whole process. */
export function reachStep(step: StraightStep): void {
  if (handler !== undefined) void handler(step);
}
