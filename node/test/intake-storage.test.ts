import { expect, onTestFinished, test } from 'vitest';
import { ProtocolError } from '@huilian/protocol';
import type { IntakeAnswer } from '../src/core/intake/intake-answer.js';
import type { Store, StoreRange, StoreSnapshot, StoreWrite } from '../src/core/ports.js';
import { startConsortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { publishLines, stream } from './sample-lines.js';
import { temporaryFolder } from './temporary-folder.js';

/** A real store whose disk fills up and is emptied, or fails for good, as told. */
class FailingStore implements Store {
  public trouble: ProtocolError | undefined;

  public constructor(private readonly store: Store) {}

  public get(key: string): Uint8Array | undefined {
    return this.store.get(key);
  }

  public entries(range: StoreRange): AsyncIterable<readonly [string, Uint8Array]> {
    return this.store.entries(range);
  }

  public async first(range: StoreRange, count: number): Promise<readonly (readonly [string, Uint8Array])[]> {
    return await this.store.first(range, count);
  }

  public snapshot(): StoreSnapshot {
    return this.store.snapshot();
  }

  public async write(writes: readonly StoreWrite[]): Promise<void> {
    if (this.trouble !== undefined) throw this.trouble;
    await this.store.write(writes);
  }

  public async close(): Promise<void> {
    await this.store.close();
  }
}

test.each(['DISK_NEARLY_FULL', 'STORAGE_FAILED'] as const)('%s ends the stream unacknowledged; what was acknowledged before comes to the ledger', async (code) => {
  const consortium = await startConsortium(temporaryFolder());
  onTestFinished(async () => {
    await consortium.stop();
  });
  let store: FailingStore | undefined;
  const options = { stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') };
  const node = await PublishingNode.open({ ...options, wrapStore: (real) => (store = new FailingStore(real)) });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  const before = await node.publish(stream(...publishLines(0, 5)));
  await node.drained();
  (store as FailingStore).trouble = new ProtocolError(code);
  const answers: IntakeAnswer[] = [];
  // Lines behind the group that failed are not answered either, not even those that need no storage.
  const repeated = Array.from({ length: 3000 }, () => publishLines(5, 6)[0] ?? '');
  await expect(node.intake.accept(stream(...publishLines(5, 8), ...repeated), (group) => { answers.push(...group); })).rejects.toMatchObject({ code });
  expect(answers).toEqual([]);
  // A storage error is for the operator: the process ends on it.
  expect([...new Set(node.alarms.map((alarm) => alarm.code))]).toEqual(code === 'STORAGE_FAILED' ? [code] : []);
  (store as FailingStore).trouble = undefined;
  let last = node;
  if (code === 'STORAGE_FAILED') {
    // What became of the write is unknown: only opening again tells.
    await node.close();
    last = await PublishingNode.open(options);
    last.start();
  }
  onTestFinished(async () => {
    await last.close();
  });
  const again = await last.publish(stream(...publishLines(0, 8)));
  const taken = again.flatMap((answer) => ('row' in answer ? [answer.line] : []));
  const unchanged = again.flatMap((answer) => ('unchanged' in answer ? [answer.recordId] : []));
  expect(taken).toEqual([6, 7, 8]);
  expect(unchanged).toEqual(before.flatMap((answer) => ('row' in answer ? [answer.recordId] : [])));
  await last.drained();
  expect(last.alarms).toEqual([]);
  expect((await last.readModel.records({ limit: 100 })).items).toHaveLength(8);
});
