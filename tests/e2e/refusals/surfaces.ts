import { expect } from 'vitest';
import { errorCatalogue, isErrorCode, ProtocolError, type ErrorBody } from '@huilian/protocol';
import { huilian } from '../main-job.js';
import type { Answer, RunningConsortium } from '../running-consortium.js';

/** The four ways a stranger's hand reaches the product: the SDK, the HTTP API, the command line, and a member's own raw Fabric client. */
export const surfaces = ['sdk', 'http', 'cli', 'contract'] as const;
export type Surface = (typeof surfaces)[number];

/** What came back: the code, and where the surface has them the HTTP status, the words, and the whole text that the caller sees. */
export interface Refused {
  readonly code: string;
  readonly status?: number;
  readonly body?: Record<string, unknown>;
  readonly text: string;
}

/** Sends one attack through one surface; undefined where it was let through. */
type Driver = () => Promise<Refused | undefined>;
export type Drivers = Partial<Record<Surface, Driver>>;

/** A case: makes its drivers on the running consortium. `hidden` are values of the input that no answer may repeat. */
export interface RefusalCase {
  readonly drivers: Drivers;
  readonly hidden?: readonly string[];
}

export async function refusedBy(call: Promise<unknown>): Promise<Refused | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return { code: error.code, text: error.message };
    throw error;
  }
}

export function answered(answer: Answer): Refused | undefined {
  const code = answer.body['code'];
  return typeof code === 'string' ? { body: answer.body, code, status: answer.status, text: JSON.stringify(answer.body) } : undefined;
}

/** Runs the command line with `--json`; a refusal stands on standard error and the command ends with 1. */
export async function command(args: readonly string[]): Promise<Refused | undefined> {
  const run = await huilian([...args, '--json']);
  if (run.code === 0) return undefined;
  expect(run.code, run.stderr).toBe(1);
  const line = run.stderr.split('\n').find((text) => text.startsWith('{"error":'));
  if (line === undefined) throw new Error(`no error in: ${run.stdout}${run.stderr}`);
  const { error } = JSON.parse(line) as { error: Record<string, unknown> };
  return { body: error, code: String(error['code']), text: run.stdout + run.stderr };
}

/** A rule of every refusal: the exact code and status, words and next step in both languages, and nothing of the input. */
export function expectRefused(refused: Refused | undefined, code: string, hidden: readonly string[], surface: Surface): void {
  expect(refused?.code, `${surface}: ${refused === undefined ? 'it was let through' : refused.text}`).toBe(code);
  if (refused === undefined || !isErrorCode(code)) return;
  const { en, http, next, zh } = errorCatalogue[code];
  if (refused.status !== undefined) expect(refused.status).toBe(http);
  if (refused.body !== undefined) expect(refused.body as unknown as ErrorBody).toMatchObject({ code, message: { en, zh }, next });
  // Where in which file it happened is nobody's business but the operator's.
  expect(refused.text, `${surface} shows its insides`).not.toMatch(/\.[jt]s:\d+|node_modules/);
  for (const value of hidden) expect(refused.text, `${surface} repeats the input`).not.toContain(value);
}

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** What the cases share; `written` counts what their preparations put on the ledger, so that all else is an attack's doing. */
export interface World {
  readonly local: RunningConsortium;
  /** Ids of the transactions with writes that preparations made on purpose. */
  expectWrites(name: string, count?: number): void;
}
