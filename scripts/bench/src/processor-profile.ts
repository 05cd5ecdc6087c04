import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface ProfileFile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A sample counts for no longer: while a node is paused, one sample would stand for the whole pause. */
const longestSampleMicroseconds = 20_000;
const idle = new Set(['(idle)', '(program)', '(root)']);

/** The functions with most time of their own over all profiles of a folder, idle time apart; empty where there is none. */
export function topFunctions(folder: string, count: number): readonly string[] {
  if (!existsSync(folder)) return [];
  const times = new Map<string, number>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) addProfile(JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as ProfileFile, times);
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times].sort(([, left], [, right]) => right - left).slice(0, count).map(([place, time]) => `${((100 * time) / all).toFixed(1)} %  ${place}`);
}

function addProfile({ nodes, samples, timeDeltas }: ProfileFile, times: Map<string, number>): void {
  const places = new Map(nodes.map(({ callFrame, id }) => [id, callFrame]));
  samples.forEach((id, index) => {
    const frame = places.get(id);
    if (frame === undefined || idle.has(frame.functionName)) return;
    const file = frame.url === '' ? '' : ` ${frame.url.split('/').slice(-3).join('/')}:${String(frame.lineNumber + 1)}`;
    const place = `${frame.functionName === '' ? '(anonymous)' : frame.functionName}${file}`;
    times.set(place, (times.get(place) ?? 0) + Math.min(timeDeltas[index] ?? 0, longestSampleMicroseconds));
  });
}
