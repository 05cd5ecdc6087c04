import { canonicalBytes, fromUtf8, ProtocolError } from '@huilian/protocol';
import type { Store } from '../ports.js';
import { OwnRecords } from '../vault/own-records.js';

/**
 * The format of a node's rows, counted up by whatever makes rows that older software would misread. It is found in the
 * store itself. What each number brought:
 *
 *   1  no number; rows of own records may lack their check
 *   2  the number; every row of an own record carries its check
 */
export const storeFormat = 2;

const formatKey = 'store/format';
const rowsPerWrite = 1000;

/** A store without a number that holds rows is of the first format. */
export function storeFormatOf(store: Store): number {
  const found = store.get(formatKey);
  return found === undefined ? 1 : Number(fromUtf8(found));
}

/** What leads from a format to the next; each may be broken off and run again. */
const steps: Readonly<Record<number, (store: Store) => Promise<void>>> = {
  1: async (store) => {
    const records = new OwnRecords(store);
    let writes = [];
    for await (const [recordId, record] of records.withoutCheck()) {
      writes.push(records.put(recordId, record));
      if (writes.length < rowsPerWrite) continue;
      await store.write(writes);
      writes = [];
    }
    await store.write(writes);
  },
};

/**
 * Brings a store up to this software's format; `backUp` is called once before anything is changed. A store that holds nothing gets the
 * number at once. Answers the format that was found.
 * @throws STORE_NEWER {found, known}
 */
export async function bringUpToDate(store: Store, backUp: (found: number) => Promise<void>): Promise<number> {
  if (await isEmpty(store)) {
    await store.write([{ key: formatKey, value: canonicalBytes(storeFormat) }]);
    return storeFormat;
  }
  const found = checkStoreFormat(store);
  if (found === storeFormat) return found;
  await backUp(found);
  for (let format = found; format < storeFormat; format += 1) {
    await steps[format]?.(store);
    await store.write([{ key: formatKey, value: canonicalBytes(format + 1) }]);
  }
  return found;
}

/** @throws STORE_NEWER {found, known} */
export function checkStoreFormat(store: Store): number {
  const found = storeFormatOf(store);
  if (!(found <= storeFormat)) throw new ProtocolError('STORE_NEWER', { found, known: storeFormat });
  return found;
}

async function isEmpty(store: Store): Promise<boolean> {
  for await (const _ of store.entries({ limit: 1 })) return false;
  return true;
}
