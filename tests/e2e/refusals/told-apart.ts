import { describe, expect, it } from 'vitest';
import { root, readJson } from '../main-job.js';
import type { RunningConsortium } from '../running-consortium.js';
import path from 'node:path';

interface Operation {
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

interface Told {
  readonly status: number;
  readonly text: string;
  readonly headers: string;
}

const callsOfEach = 300;
/** Beyond it two series are told apart (t-test as in TVLA, ISO/IEC 17825). */
const mostT = 4.5;
const tries = 3;
const invented: Readonly<Record<string, string>> = { kind: 'entity', localId: 'a'.repeat(26), member: 'nobody-here', owner: 'org:91440101MA5CK8T02A', publisher: 'guangzhou' };
const charter = readJson<{ main: { uscc: string } }>(path.join(root, 'network-config', 'local', 'data', 'bidders.json'));

/** L6 and L7: what a caller who is no member learns from status, size and time of an answer about something that is there or not. */
export function toldApart(local: RunningConsortium): void {
  const url = (): string => local.api('guangzhou').url;

  async function ask(method: string, route: string, authorization?: string): Promise<Told> {
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' };
    const headers = { ...('body' in body ? { 'content-type': 'application/json' } : {}), ...(authorization === undefined ? {} : { authorization }) };
    const response = await fetch(`${url()}${route}`, { method, headers, ...body });
    const text = await response.text();
    return { status: response.status, text, headers: [...response.headers].filter(([name]) => !/^date$|ratelimit/.test(name)).map((pair) => pair.join(': ')).join('\n') };
  }

  /** Times of two calls in turns, the slowest tenth left out: other work on the machine falls on both. */
  async function timesOf(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<number> {
    const series: [number[], number[]] = [[], []];
    for (let call = 0; call < 2 * callsOfEach; call += 1) {
      const begun = performance.now();
      await [first, second][call % 2]?.();
      series[call % 2]?.push(performance.now() - begun);
    }
    return Math.abs(welch(...(series.map((times) => times.sort((left, right) => left - right).slice(0, Math.ceil(times.length * 0.9))) as [number[], number[]])));
  }

  async function untold(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<number> {
    let least = Infinity;
    for (let tried = 0; tried < tries && least >= mostT; tried += 1) least = Math.min(least, await timesOf(first, second));
    return least;
  }

  describe('a caller who is no member', () => {
    it('is told the same of what is there and what is not, at every route that asks who calls', async () => {
      const [recordId = ''] = await local.records('entity', 'guangzhou');
      const [publisher = '', kind = '', localId = ''] = recordId.split('/');
      const known: Readonly<Record<string, string>> = { kind, localId, member: 'sample-bank', owner: `org:${charter.main.uscc}`, publisher };
      const { paths } = (await (await fetch(`${url()}/openapi.json`)).json()) as { paths: Record<string, Record<string, Operation>> };
      const closed = Object.entries(paths).flatMap(([route, operations]) => Object.entries(operations).filter(([, { security }]) => security !== undefined && security.length > 0).map(([method]) => ({ method: method.toUpperCase(), route })));
      expect(closed.length).toBeGreaterThan(20);
      for (const { method, route } of closed) {
        const filled = (names: Readonly<Record<string, string>>): string => route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? '0'.repeat(26)));
        for (const authorization of [undefined, `Bearer ${'A'.repeat(43)}`]) {
          const there = await ask(method, filled(known), authorization);
          expect(there.status, `${method} ${route}`).toBe(401);
          expect(await ask(method, filled(invented), authorization), `${method} ${route}`).toEqual(there);
        }
      }
    }, 60_000);

    it('sees no difference in time', async () => {
      const [recordId = ''] = await local.records('entity', 'guangzhou');
      const bearer = `Bearer ${'A'.repeat(43)}`;
      expect(await untold(async () => await ask('GET', `/v1/records/${recordId}`, bearer), async () => await ask('GET', `/v1/records/guangzhou/entity/${'a'.repeat(26)}`, bearer))).toBeLessThan(mostT);
    }, 120_000);

    it('does not come nearer to a token by the time that a wrong one takes', async () => {
      const token = local.operatorToken('guangzhou');
      const near = `Bearer ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
      const far = `Bearer ${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;
      expect((await ask('GET', '/v1/status', near)).status).toBe(401);
      expect(await untold(async () => await ask('GET', '/v1/status', near), async () => await ask('GET', '/v1/status', far))).toBeLessThan(mostT);
    }, 120_000);

    it('could tell, were there a difference', async () => {
      const once = async (): Promise<Told> => await ask('GET', '/v1/status');
      expect(await timesOf(once, async () => { for (let call = 0; call < 4; call += 1) await once(); })).toBeGreaterThan(mostT);
    }, 60_000);
  });

  it('no key, token or signature stands in an address', async () => {
    const { paths } = (await (await fetch(`${url()}/openapi.json`)).json()) as { paths: Record<string, Record<string, Operation>> };
    const names = Object.values(paths).flatMap((operations) => Object.values(operations).flatMap(({ parameters = [] }) => parameters.filter((parameter) => parameter.in !== 'header').map(({ name }) => name)));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => /token|key|secret|signature|assertion|password/i.test(name))).toEqual([]);
  });
}

/** Welch's t of two series. */
function welch(left: readonly number[], right: readonly number[]): number {
  const [a, b] = [left, right].map((series) => {
    const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
    return { mean, share: series.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (series.length - 1) / series.length };
  }) as [{ mean: number; share: number }, { mean: number; share: number }];
  return (a.mean - b.mean) / Math.sqrt(a.share + b.share);
}
