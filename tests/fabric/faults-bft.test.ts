import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabricIsHere } from './fabric-command.js';
import { FaultWorld } from './fault-world.js';

const rows = 400;

describe.skipIf(!fabricIsHere())('faults on BFT, where one of four orderers may fail', () => {
  const world = new FaultWorld('bft');

  beforeAll(async () => {
    await world.start();
  }, 240_000);
  afterAll(async () => {
    await world.stop();
  }, 120_000);

  /** Any orderer but the leader. */
  const follower = (): string => world.description.orderers.map(({ name }) => name).find((name) => name !== world.leader()) ?? '';

  it('one orderer killed: work goes on', async () => {
    const name = follower();
    await world.kill(name);
    const ids = await world.sync(rows);
    expect(ids).toHaveLength(rows);
    await world.settled();
    await world.restart(name);
    await world.judge(ids);
  }, 120_000);

  it('two orderers killed: acknowledged and queued, nothing claimed, all published once after healing', async () => {
    const leader = world.leader();
    const names = world.description.orderers.map(({ name }) => name).filter((name) => name !== leader).slice(0, 2);
    await world.kill(...names);
    const before = (await world.status('zhuhai')).height;
    const ids = await world.sync(rows);
    expect(ids).toHaveLength(rows);
    expect((await world.status('guangzhou')).outbox.pending).toBe(rows);
    await expect.poll(async () => (await world.status('guangzhou')).outbox.inFlight, { timeout: 30_000, interval: 100 }).toBeGreaterThan(0);
    expect((await world.timesPublished(ids)).every((times) => times === 0)).toBe(true);
    expect((await world.status('zhuhai')).height).toBe(before);
    await world.restart(...names);
    await world.judge(ids);
  }, 240_000);

  it('the leader killed during a sync: the others take another and go on', async () => {
    const leader = world.leader();
    let killed: Promise<void> | undefined;
    const ids = await world.sync(5 * rows, (count) => {
      if (count > rows) killed ??= world.kill(leader);
    });
    await killed;
    expect(killed).toBeDefined();
    await world.settled();
    expect(world.leader()).not.toBe(leader);
    await world.restart(leader);
    await world.judge(ids);
  }, 240_000);

  it('the answer of Submit lost: nothing is published twice', async () => {
    const proxy = await world.proxied('guangzhou');
    const lost = proxy.next('Submit', 'answered', () => 'cut');
    const ids = await world.sync(rows);
    await lost;
    await world.judge(ids);
  }, 120_000);

  it('the node killed with a batch sent but unsettled', async () => {
    const proxy = await world.proxied('guangzhou');
    const struck = proxy.next('Submit', 'answered', async () => await world.consortium.end('guangzhou', 'SIGKILL').then(() => 'cut'));
    const ids = await world.sync(10 * rows);
    await struck;
    expect(ids.length).toBeGreaterThan(0);
    await world.revive('guangzhou');
    await world.judge(ids);
  }, 120_000);

  it('at the end the audit of every centre finds nothing', async () => {
    await world.judgeAll();
  }, 120_000);
});
