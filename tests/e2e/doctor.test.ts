// What an operator sees of a node that runs, and of one where something is away: doctor, metrics, rules, dashboard.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { qualification } from '../../node/test/sample-lines.js';
import { huilian, root } from './main-job.js';
import { expectRefusal, RunningConsortium } from './running-consortium.js';

interface Finding { readonly check: string; readonly level: string; readonly next?: { readonly en: string; readonly zh: string } }
interface Course { readonly recordId: string; readonly version: number; readonly stoppedAt?: string; readonly steps: readonly Finding[] }

const consortium = new RunningConsortium();
const state = (): string => path.join(consortium.dir, 'nodes', 'guangzhou');
const monitoring = path.join(root, 'docs', 'operations', 'monitoring');

beforeAll(async () => { await consortium.start(); }, 180_000);
afterAll(async () => { await consortium.stop(); });

async function doctor<T>(...args: readonly string[]): Promise<{ readonly code: number | null; readonly answer: T }> {
  const { code, stderr, stdout } = await huilian(['doctor', ...args, '--state', state(), '--json']);
  expect(stderr).toBe('');
  return { code, answer: JSON.parse(stdout) as T };
}

const levels = (findings: readonly Finding[]): Record<string, string> => Object.fromEntries(findings.map(({ check, level }) => [check, level]));

async function publish(number: number): Promise<string> {
  const file = path.join(consortium.dir, 'doctor.ndjson');
  writeFileSync(file, `${JSON.stringify({ kind: 'qualification', data: qualification(number) })}\n`);
  const { code, stderr, stdout } = await huilian(['publish', file, '--state', state(), '--json']);
  expect(code, stderr + stdout).toBe(0);
  return (JSON.parse(stdout) as { recordIds: string[] }).recordIds[0] ?? '';
}

describe('doctor', () => {
  it('finds a node well but for the rows its sample data has refused, and its records published, by id and by natural key', async () => {
    const { answer, code } = await doctor<{ findings: Finding[] }>();
    expect(levels(answer.findings)).toEqual({ config: 'ok', membership: 'ok', ledger: 'ok', height: 'ok', outbox: 'ok', 'dead-letters': 'warn', peers: 'ok', clock: 'ok', disk: 'ok', 'key-copy': 'warn', backups: 'warn', certificate: 'ok', catalogue: 'ok' });
    expect(code).toBe(0);
    expect(await huilian(['backup', '--state', state()])).toMatchObject({ code: 0 });
    expect(levels((await doctor<{ findings: Finding[] }>()).answer.findings)['backups']).toBe('ok');
    const recordId = await publish(910001);
    await consortium.whenLevel();
    const course = await doctor<Course>('--kind', 'qualification', '--natural-key', '91440105MA6NNHC07C', '--natural-key', 'D44010501910001');
    expect(course).toMatchObject({ code: 0, answer: { recordId, version: 1 } });
    expect(levels(course.answer.steps)).toEqual({ accepted: 'ok', index: 'ok', subscribers: 'ok' });
    expect(await doctor<Course>(recordId)).toEqual(course);
    const unknown = await huilian(['doctor', 'guangzhou/credit/aaaaaaaaaaaaaaaaaaaaaaaaaa', '--state', state(), '--json']);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('RECORD_UNKNOWN');
  });

  it('says where a record stands while the ledger and a centre are away, and when they are back', async () => {
    await consortium.end('ledger', 'SIGKILL');
    await consortium.end('beijing');
    const recordId = await publish(910002);
    await expect.poll(async () => (await doctor<Course>(recordId)).answer.stoppedAt, { timeout: 30_000 }).toBe('endorsement');
    const stopped = await doctor<Course>(recordId);
    expect(stopped.code).toBe(1);
    expect(levels(stopped.answer.steps)).toEqual({ accepted: 'ok', outbox: 'ok', endorsement: 'warn' });
    expect(stopped.answer.steps.at(-1)?.next?.en).toContain('LEDGER_UNAVAILABLE');
    const { answer, code } = await doctor<{ findings: Finding[] }>();
    expect(levels(answer.findings)).toMatchObject({ config: 'ok', ledger: 'fail', outbox: 'ok', peers: 'warn' });
    expect(code).toBe(1);
    expect(await metric('huilian_ledger_following')).toBe(0);
    expect(await metric('huilian_outbox_rows')).toBe(1);
    expect(await metric('huilian_peers{state="unreachable"}')).toBe(1);
    await consortium.startLedger();
    await consortium.startNode('beijing');
    await expect.poll(async () => (await doctor<Course>(recordId)).answer.stoppedAt, { timeout: 60_000 }).toBeUndefined();
  }, 180_000);

  it('tells of lost rows, and takes records again once the operator accepts the loss', async () => {
    await consortium.whenLevel();
    await consortium.end('guangzhou');
    const [data, old] = [path.join(state(), 'data'), path.join(consortium.dir, 'old-data')];
    cpSync(data, old, { recursive: true });
    await consortium.startNode('guangzhou');
    const lost = await publish(910003);
    await consortium.whenLevel();
    await consortium.end('guangzhou');
    rmSync(data, { recursive: true });
    cpSync(old, data, { recursive: true });
    await consortium.startNode('guangzhou');
    expect(levels((await doctor<{ findings: Finding[] }>()).answer.findings)).toMatchObject({ outbox: 'fail' });
    expect(await metric('huilian_outbox_whole')).toBe(0);
    const line = `${JSON.stringify({ kind: 'qualification', data: qualification(910004) })}\n`;
    const refused = await consortium.call('guangzhou', 'POST', '/v1/records', line, 'operator');
    expect(JSON.stringify(refused.body)).toContain('OUTBOX_TAIL_LOST');
    const accepted = await doctor<{ lost: readonly { from: number; to: number }[] }>('--accept-loss');
    expect(accepted.code).toBe(0);
    expect(accepted.answer.lost.map(({ from, to }) => to - from)).toEqual([0]);
    const recordId = await publish(910004);
    await consortium.whenLevel();
    expect((await doctor<Course>(recordId)).code).toBe(0);
    // What was lost here had reached the ledger: it is known by its id again.
    expect((await doctor<Course>(lost)).answer).toMatchObject({ version: 1 });
    expect(levels((await doctor<{ findings: Finding[] }>()).answer.findings)).toMatchObject({ outbox: 'ok' });
  }, 120_000);

  it('says so where no node answers', async () => {
    await consortium.end('zhuhai');
    const { code, stdout } = await huilian(['doctor', '--state', path.join(consortium.dir, 'nodes', 'zhuhai'), '--json']);
    expect(code).toBe(1);
    expect(levels((JSON.parse(stdout) as { findings: Finding[] }).findings)).toEqual({ config: 'ok', node: 'fail' });
    await consortium.startNode('zhuhai');
  });
});

async function metricsText(): Promise<string> {
  const response = await fetch(`${consortium.api('guangzhou').url}/metrics`, { headers: { authorization: `Bearer ${consortium.metricsToken('guangzhou')}` } });
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/);
  return await response.text();
}

/** Value of a series as it is written. */
async function metric(series: string): Promise<number> {
  const line = (await metricsText()).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

interface Rule { readonly alert: string; readonly expr: string; readonly labels: { severity: string }; readonly annotations: { summary: string; runbook: string } }
const rules = (): Rule[] => (parse(readFileSync(path.join(monitoring, 'huilian-rules.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const dashboard = (): { panels: { title: string; targets: { expr: string }[] }[] } => JSON.parse(readFileSync(path.join(monitoring, 'huilian-dashboard.json'), 'utf8')) as ReturnType<typeof dashboard>;

/** Metrics and labels that an expression names, by Prometheus' own grammar. @throws where it is none */
function namesIn(expression: string): { readonly metrics: string[]; readonly labels: string[] } {
  const [metrics, labels]: [string[], string[]] = [[], []];
  parser.parse(expression).iterate({
    enter: ({ from, name, to, type }) => {
      if (type.isError) throw new Error(`not PromQL: ${expression}`);
      if (name === 'Identifier') metrics.push(expression.slice(from, to));
      if (name === 'LabelName') labels.push(expression.slice(from, to));
    },
  });
  return { metrics, labels };
}

describe('metrics', () => {
  it('open to the metrics token and the operator, which token opens nothing else', async () => {
    const url = consortium.api('guangzhou').url;
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${consortium.operatorToken('guangzhou')}` } })).status).toBe(200);
    for (const route of ['/v1/status', '/v1/records', '/v1/doctor', '/v1/dead-letters']) expectRefusal(await consortium.call('guangzhou', 'GET', route, undefined, 'monitoring'), 'FORBIDDEN', 403);
    expectRefusal(await consortium.call('zhuhai', 'GET', '/metrics', undefined, 'zhuhai-platform'), 'FORBIDDEN', 403);
  });

  it('are served under every name and label that rules and dashboard ask for', async () => {
    expect(() => namesIn('rate(huilian_up[5m]')).toThrow('not PromQL');
    const text = await metricsText();
    const series = text.split('\n').filter((line) => /^[a-z]/.test(line));
    const served = new Set(series.map((line) => /^[a-z0-9_]+/.exec(line)?.[0] ?? ''));
    // A metric by label has no series before its first event; its description is there.
    const described = new Set([...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name = '', type]) => (type === 'histogram' ? `${name}_bucket` : name)));
    const labels = new Set(['instance', 'job', ...series.flatMap((line) => [...line.matchAll(/[{,]([a-z_]+)="/g)].map(([, name = '']) => name))]);
    const expressions = [...rules().map(({ expr }) => expr), ...dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];
    expect(expressions.length).toBeGreaterThan(30);
    for (const expression of expressions) {
      const named = namesIn(expression.replaceAll('$instance', '.*'));
      expect(named.metrics.filter((name) => name !== 'up').length + Number(expression.startsWith('up')), expression).toBeGreaterThan(0);
      for (const name of named.metrics) expect(name === 'up' || served.has(name) || described.has(name), `${name} in ${expression}`).toBe(true);
      for (const label of named.labels) expect([...labels], expression).toContain(label);
    }
  });

  it('every rule stands on the page of alarms, and the page names no other', () => {
    const page = readFileSync(path.join(root, 'docs', 'operations', 'alarms.md'), 'utf8');
    const told = [...page.matchAll(/^\| `(Huilian\w+)` \| (\S.*) \| (\S.*) \|$/gm)].map(([, name]) => name);
    expect(told).toEqual(rules().map(({ alert }) => alert));
    for (const { annotations, labels } of rules()) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\p{Script=Han}/u);
      expect(annotations.runbook).toBe('docs/operations/alarms.md');
    }
  });

  it('say nothing of whom: no label holds an owner, a member or a record', async () => {
    const text = await metricsText();
    for (const word of ['org:', 'sample-bank', 'zhuhai', 'guangzhou/', consortium.owner.slice(4)]) expect(text).not.toContain(word);
  });
});
