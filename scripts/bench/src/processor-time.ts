import { globSync, readFileSync } from 'node:fs';

/** Processes by the name they are reported under. */
export type ProcessIds = Readonly<Record<string, number>>;
/** Milliseconds of processor time by name. */
export type ProcessorTime = Readonly<Record<string, number>>;

/** Ticks of /proc are hundredths of a second on every Linux that Node.js runs on. */
const tickMilliseconds = 10;

/** User and system time of each process so far; one that has ended has none. */
export function processorTime(ids: ProcessIds): ProcessorTime {
  return Object.fromEntries(Object.entries(ids).map(([name, pid]) => [name, ofProcess(pid)]));
}

export function timeSince(before: ProcessorTime, ids: ProcessIds): ProcessorTime {
  const now = processorTime(ids);
  return Object.fromEntries(Object.entries(now).map(([name, time]) => [name, Math.max(0, time - (before[name] ?? 0))]));
}

export function total(time: ProcessorTime): number {
  return Object.values(time).reduce((sum, one) => sum + one, 0);
}

/** Shares by group (the part of the name before the first dot), largest first: where a missed goal's time went. */
export function splitOf(time: ProcessorTime): string {
  const groups = new Map<string, number>();
  for (const [name, milliseconds] of Object.entries(time)) {
    const group = name.split('.')[0] ?? name;
    groups.set(group, (groups.get(group) ?? 0) + milliseconds);
  }
  const all = total(time);
  return [...groups].sort(([, left], [, right]) => right - left).map(([group, milliseconds]) => `${group} ${String(Math.round((100 * milliseconds) / all))} %`).join(', ');
}

export function childrenOf(pid: number): number[] {
  return globSync(`/proc/${String(pid)}/task/*/children`).flatMap((file) => readFileSync(file, 'utf8').split(' ').filter((child) => child !== '').map(Number));
}

function ofProcess(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * tickMilliseconds;
  } catch {
    return 0;
  }
}
