import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { armFailpoints, failpointSteps, passStep, reachStep } from '../src/core/failpoints.js';
import { openDrillDoor } from '../src/composition/drill-door.js';
import { SleepWatch } from '../src/core/exchange/sleep-watch.js';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { OwnRecords, type OwnRecord } from '../src/core/vault/own-records.js';
import type { Clock } from '../src/core/ports.js';
import { temporaryFolder } from './temporary-folder.js';

const said: string[] = [];
const say = (message: string): void => { said.push(message); };
const logger = { debug: say, error: say, info: say, warn: say };

afterEach(() => {
  armFailpoints(undefined);
  said.length = 0;
});

test('there are 27 steps, and without orders none does anything', () => {
  expect(Object.keys(failpointSteps)).toHaveLength(27);
  openDrillDoor(logger, {});
  openDrillDoor(logger, { HUILIAN_FAIL: '' });
  expect(passStep('P7')).toBeUndefined();
  expect(() => { reachStep('P0'); }).not.toThrow();
  expect(said).toEqual([]);
});

test('an order is announced, and carried out once, at the time it names', async () => {
  openDrillDoor(logger, { HUILIAN_FAIL: 'P7:throw@2, R3:eio,E0:delay:1' });
  expect(said).toEqual([expect.stringContaining('FAILPOINTS ARE ARMED')]);
  expect(passStep('P7')).toBeUndefined();
  expect(() => passStep('P7')).toThrow('failpoint P7');
  expect(passStep('P7')).toBeUndefined();
  expect(() => passStep('R3')).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }) as Error);
  await expect(passStep('E0')).resolves.toBeUndefined();
});

test('kill is a kill -9', () => {
  const program = `process.kill = (_pid, signal) => { console.log(signal); process.exit(0); };
    const { openDrillDoor } = await import(${JSON.stringify(new URL('../dist/composition/drill-door.js', import.meta.url).href)});
    const { passStep } = await import(${JSON.stringify(new URL('../dist/core/failpoints.js', import.meta.url).href)});
    openDrillDoor({ warn() {} }, { HUILIAN_FAIL: 'P8:kill' });
    passStep('P8');`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: path.dirname(fileURLToPath(import.meta.url)), encoding: 'utf8' });
  expect({ out: run.stdout.trim(), err: run.stderr }).toEqual({ out: 'SIGKILL', err: '' });
});

test.each(['P99:kill', 'P7:burn', 'P7', 'P7:delay', 'P7:kill@x', 'door,P7:kill'])('%s is no order', (text) => {
  expect(() => { openDrillDoor(logger, { HUILIAN_FAIL: text }); }).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error);
});

test('in production nothing is armed, whatever is ordered', () => {
  for (const order of ['door', 'P7:kill']) {
    expect(() => { openDrillDoor(logger, { HUILIAN_FAIL: order, NODE_ENV: 'production' }); }).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error);
  }
  expect(passStep('P7')).toBeUndefined();
});

test('a process that slept waits until what came meanwhile had time to be read', async () => {
  let now = 1_000_000;
  const waited: number[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: async (milliseconds) => {
      waited.push(milliseconds);
      now += milliseconds;
      await Promise.resolve();
    },
  };
  const watch = new SleepWatch(clock);
  now += 300;
  await watch.awake();
  expect(waited).toEqual([]);
  now += 30_000;
  await watch.awake();
  expect(waited).toEqual([1000]);
  now += 300;
  await watch.awake();
  expect(waited).toEqual([1000]);
});

test('a record row that is not as it was written, or lies under another record, is refused, and so is one without its check', async () => {
  const store = await LevelStore.open(temporaryFolder(), { diskFloorBytes: 0 });
  onTestFinished(async () => { await store.close(); });
  const records = new OwnRecords(store);
  const record: OwnRecord = { data: 'ab'.repeat(32), rights: 'public', schema: 1, status: 'active', subject: '', versions: [[1, 7]] };
  const write = records.put('river/credit/a', record) as { readonly key: string; readonly value: Uint8Array };
  await store.write([write]);
  expect(records.read('river/credit/a')).toEqual(record);
  for (let at = 0; at < write.value.length; at += 1) {
    const value = Uint8Array.from(write.value);
    value[at] = (value[at] ?? 0) ^ 0x10;
    await store.write([{ key: write.key, value }]);
    expect(() => records.read('river/credit/a'), `byte ${String(at)}`).toThrow();
  }
  await store.write([{ key: write.key.replace('credit/a', 'credit/b'), value: write.value }]);
  expect(() => records.read('river/credit/b')).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }) as Error);
  await store.write([{ key: write.key, value: Buffer.from(JSON.stringify(record)) }]);
  expect(() => records.read('river/credit/a')).toThrow(expect.objectContaining({ code: 'STORAGE_FAILED' }) as Error);
});
