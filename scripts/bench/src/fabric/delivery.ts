import { globSync } from 'node:fs';
import path from 'node:path';
import { limits } from '@huilian/protocol';
import { PlainServer, type ServerCertificate } from '../plain-server.js';
import { processorTime, splitOf, timeSince, type ProcessorTime } from '../processor-time.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import type { FabricConsortium } from './fabric-consortium.js';
import { push } from '../push.js';
import { BenchReader } from '../reader.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { FabricWorld } from './world.js';

const wanted = 10 * 2 ** 20;
const atOnce = 4;
/** As much text as a claim may carry. */
const longText = '示例长文本'.repeat(200);

/** P7: ten MiB through the exchange, verified and decrypted, against plain HTTPS with connections kept. */
export const measureDelivery: Measurer<FabricWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  progress.step('P7: records as large as their kind allows / 发布大记录');
  const reader = await BenchReader.open(consortium, 100, ['entry', 'finding']);
  const { recordIds } = await push(consortium, 'guangzhou', largeRecords(reader.owner));
  await consortium.whenLevel();
  const { ticket } = await reader.openMany(recordIds);
  const bytes = await reader.resend(ticket);
  const times = Math.ceil(wanted / bytes);
  const plain = await PlainServer.start(peerCertificate(consortium), bytes);
  try {
    for (const warm of [async (): Promise<number> => await reader.resend(ticket), async (): Promise<number> => await plain.fetch()]) await mebibytesPerSecond(times, warm);
    const ids = { ...consortium.nodeProcesses(), client: process.pid };
    let processor: ProcessorTime = {};
    const pairs = await inPairs(scale.pairs, async (pair) => {
      progress.step(`P7: ten MiB through the exchange, pair ${String(pair + 1)} / 交换 10 MiB`);
      const before = processorTime(ids);
      const rate = await mebibytesPerSecond(times, async () => await reader.resend(ticket));
      processor = timeSince(before, ids);
      return rate;
    }, async () => await mebibytesPerSecond(times, async () => await plain.fetch()));
    const ratios = spread(pairs.map(([mine, other]) => mine / other));
    return [{
      id: 'P7', what: 'ten MiB delivered, decrypted and verified, against plain HTTPS with connections kept', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)],
      goal: { at: 'least', value: 0.5 }, baseline: { what: 'HTTPS server and client in two processes, one hop', mebibytesPerSecond: Math.round(median(pairs.map(([, other]) => other))) },
      conditions: conditionsOf(world, {
        madeUpOf: `${String(times)} deliveries of one ticket over ${String(recordIds.length)} records, ${String(bytes)} bytes each, ${String(atOnce)} at a time; publisher's node to reader's node to reader, two hops`,
        mebibytesPerSecond: rounded(median(pairs.map(([mine]) => mine))),
      }),
      profile: `processor time of the deliveries: ${splitOf(processor)}`,
    }];
  } finally {
    await plain.stop();
  }
};

/** Credit records of one owner whose finding is as long as it may be. */
function largeRecords(owner: string): string[] {
  const run = String(Date.now() % 1_000_000_000);
  return Array.from({ length: limits.requestRecords }, (_none, index) => JSON.stringify({
    kind: 'credit',
    data: {
      body: { name: '示例有限公司', uscc: owner.slice('org:'.length) }, disclosure: { scope: '2' }, entry: { category: 'award', code: `BENCH-${run}-${String(index)}` },
      finding: { authority: '示例行政监督部门', basis: longText, reason: longText, recordedAt: '2025-06-01T10:00:00+08:00', result: longText },
    },
  }));
}

/** @throws where a delivery fails: then the run does not count */
async function mebibytesPerSecond(times: number, deliver: () => Promise<number>): Promise<number> {
  const started = performance.now();
  let [left, bytes] = [times, 0];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) bytes += await deliver();
  }));
  return bytes / 2 ** 20 / ((performance.now() - started) / 1000);
}

/** That a peer of the network has for its own TLS. */
function peerCertificate(consortium: FabricConsortium): ServerCertificate {
  const [folder = ''] = globSync('crypto/peerOrganizations/guangzhou.invalid/peers/*/tls', { cwd: path.join(consortium.state, 'ledger') });
  const tls = path.join(consortium.state, 'ledger', folder);
  return { certificate: path.join(tls, 'server.crt'), key: path.join(tls, 'server.key'), ca: path.join(tls, 'ca.crt') };
}
