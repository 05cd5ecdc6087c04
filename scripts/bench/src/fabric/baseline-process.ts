import { readFileSync } from 'node:fs';
import type { Contract } from '@hyperledger/fabric-gateway';
import { percentile } from '../statistics.js';
import { PlainGateway } from '../plain-gateway.js';
import type { BaselineOrder, BaselineResult } from './baseline.js';

// The plain client, in a process of its own so that its processor time is its own: started by baseline.ts, ordered over IPC.

const [connection = '', recordsFile = ''] = process.argv.slice(2);
const records = readFileSync(recordsFile, 'utf8').trimEnd().split('\n').map((line) => JSON.stringify((JSON.parse(line) as { data: unknown }).data));
const gateway = new PlainGateway(connection);
const contract = gateway.network.getContract('baseline');
let sequence = 0;

/** One transaction of the kind, up to its commit. */
async function transact(order: BaselineOrder, baseline: Contract): Promise<number> {
  const number = sequence++;
  const key = `${order.tag}-${String(number)}`;
  const record = (index: number): string => records[index % records.length] ?? '';
  switch (order.kind) {
    case 'one':
      await baseline.submitTransaction('put', key, record(number));
      return 1;
    case 'many': {
      const entries = Array.from({ length: order.perTransaction }, (_none, index) => `["${key}-${String(index)}",${record(number * order.perTransaction + index)}]`);
      await baseline.submitTransaction('putMany', `[${entries.join(',')}]`);
      return order.perTransaction;
    }
    case 'access':
      await baseline.submitTransaction('access', key, 'member', 'grant', 'revocation', record(0));
      return 1;
  }
}

/** Closed loop: so many callers, each with one transaction under way; what commits after the warming counts. */
async function run(order: BaselineOrder): Promise<BaselineResult> {
  const started = performance.now();
  const from = started + order.warmMilliseconds;
  const until = from + order.milliseconds;
  const latencies: number[] = [];
  let counted = 0;
  let all = 0;
  let failed = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < until && (order.most === undefined || all < order.most)) {
      const begun = performance.now();
      try {
        const size = await transact(order, contract);
        const now = performance.now();
        all += size;
        if (now < from || now > until) continue;
        counted += size;
        latencies.push(now - begun);
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: order.concurrency }, caller));
  const seconds = (Math.min(performance.now(), until) - from) / 1000;
  return { records: counted, all, failed, seconds, perSecond: counted / seconds, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), elapsed: (performance.now() - started) / 1000 };
}

process.on('message', (order: BaselineOrder) => {
  void run(order).then((result) => process.send?.(result));
});
process.on('disconnect', () => {
  gateway.close();
});
process.send?.('ready');
