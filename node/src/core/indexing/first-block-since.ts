import type { ReadModel } from './read-model.js';

/** The first block whose transactions are not older: blocks are in the order of time, so it is found by halving. @param since Unix seconds */
export async function firstBlockSince(readModel: ReadModel, since: number): Promise<number> {
  let low = 0;
  let high = readModel.height() + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [first] = (await readModel.eventTransactions(middle, 0, 1)).transactions;
    if (first !== undefined && first.time < since) low = Math.max(middle, first.block) + 1;
    else high = middle;
  }
  return low;
}
