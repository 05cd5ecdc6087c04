import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '@huilian/protocol';
import { armFailpoints, failpointSteps, type FailpointStep } from '../core/failpoints.js';
import type { Logger } from '../observability/logger.js';

/** `P7:kill`, `P7:throw`, `P7:delay:500` (milliseconds), `P7:eio`; `@3` after it: the third time the step is reached. */
interface Order {
  readonly step: FailpointStep;
  readonly action: 'kill' | 'throw' | 'delay' | 'eio';
  readonly milliseconds: number;
  readonly time: number;
}

const orderText = /^([PRE]\d{1,2}):(?:(kill|throw|eio)|delay:(\d{1,5}))(?:@(\d{1,6}))?$/;
/** Nothing waits at these: a delay there holds the whole process. */
const straight: ReadonlySet<FailpointStep> = new Set(['P0', 'P1', 'P2', 'P11', 'P12', 'E1', 'E2']);

/**
 * Opens the node to drills where HUILIAN_FAIL says so: a list of orders (`P7:kill@2,R3:eio`), or `door` for orders that the
 * parent process sends while the node runs. Each order is carried out once. Without the variable nothing is armed.
 * @throws CONFIG_INVALID for orders that cannot be read, and always where NODE_ENV is `production`
 */
export function openDrillDoor(logger: Logger, environment: NodeJS.ProcessEnv = process.env): void {
  const wanted = environment['HUILIAN_FAIL'];
  if (wanted === undefined || wanted === '') return;
  if (environment['NODE_ENV'] === 'production') throw new ProtocolError('CONFIG_INVALID', { path: 'HUILIAN_FAIL', reason: 'not in production' });
  const orders = wanted === 'door' ? [] : wanted.split(',').map(readOrder);
  logger.warn('FAILPOINTS ARE ARMED: this node dies or fails on order, it is for drills only', { HUILIAN_FAIL: wanted });
  const times = new Map<FailpointStep, number>();
  armFailpoints((step) => {
    const time = (times.get(step) ?? 0) + 1;
    times.set(step, time);
    const at = orders.findIndex((order) => order.step === step && order.time === time);
    return at === -1 ? undefined : carryOut(orders.splice(at, 1)[0] as Order, logger);
  });
  if (wanted !== 'door') return;
  process.on('message', (message: { readonly fail?: string }) => {
    if (typeof message.fail !== 'string') return;
    times.clear();
    orders.splice(0, orders.length, ...(message.fail === '' ? [] : [readOrder(message.fail)]));
    process.send?.({ armed: message.fail });
  });
  // Listening keeps no process alive: one that fails to start ends.
  process.channel?.unref();
}

function readOrder(text: string): Order {
  const [, step = '', action, milliseconds, time = '1'] = orderText.exec(text.trim()) ?? [];
  if (!(step in failpointSteps)) throw new ProtocolError('CONFIG_INVALID', { path: 'HUILIAN_FAIL', reason: 'not a step and an action' });
  return { step: step as FailpointStep, action: (action as Order['action'] | undefined) ?? 'delay', milliseconds: Number(milliseconds ?? 0), time: Number(time) };
}

function carryOut({ action, milliseconds, step }: Order, logger: Logger): Promise<void> | undefined {
  // Without a flush between here and the end: a kill -9 gives nobody time to say goodbye.
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  logger.warn('failpoint', { step, action });
  process.send?.({ reached: step, action });
  if (action === 'throw') throw new Error(`failpoint ${step}`);
  if (action === 'eio') throw new ProtocolError('STORAGE_FAILED', { reason: 'failpoint', step });
  if (!straight.has(step)) return delay(milliseconds);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  return undefined;
}
