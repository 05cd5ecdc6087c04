import { setTimeout as delay } from 'node:timers/promises';
import { grantDigest, ProtocolError, type GrantEnvelope } from '@huilian/sdk';
import type { Drill } from './drill.js';
import { judge } from './judge.js';
import { DrillReader, passes, untilAnswered } from './reading.js';
import { Tally, type DrillResult } from './result.js';
import { SeededRandom } from './seeded-random.js';

const readersAtOnce = 64;
const uses = 10;
const rounds = 3;
const racesAtOnce = 8;
/** What a lost race may be answered with. */
const refusals: ReadonlySet<string> = new Set(['GRANT_REVOKED', 'TICKET_ENDED']);

/** 64 readers on a grant of ten uses; and revocations against reads that are under way. */
export async function runRaceDrill(drill: Drill): Promise<readonly DrillResult[]> {
  const reader = await DrillReader.open(drill.world);
  const results = [await exhaust(drill, reader), await revoke(drill, reader)];
  const verdict = new Tally('races judged', 'I5, I6: no use beyond the count, none after a revocation / 审计');
  await judge(drill, verdict);
  return [...results, verdict.result()];
}

async function exhaust(drill: Drill, reader: DrillReader): Promise<DrillResult> {
  const tally = new Tally('races uses', `${String(readersAtOnce)} at once on a grant of ${String(uses)} uses: exactly ${String(uses)} tickets / 并发读取`);
  for (let round = 0; round < rounds; round += 1) {
    drill.progress.step(`${String(readersAtOnce)} readers at once, round ${String(round + 1)} of ${String(rounds)}`);
    const grant = await reader.grant(uses);
    const requests = await Promise.all(Array.from({ length: readersAtOnce }, async () => await reader.prepare(grant)));
    const answers = await Promise.all(requests.map(async (request) => await outcome(async () => await untilAnswered(async () => (await reader.sendOnce(request, grant)).ticket))));
    const tickets = new Set(answers.filter((answer) => answer.includes('/')));
    const exhausted = answers.filter((answer) => answer === 'GRANT_EXHAUSTED').length;
    tally.faults += readersAtOnce;
    tally.count('tickets', tickets.size);
    tally.expect(tickets.size === uses && exhausted === readersAtOnce - uses, `round ${String(round + 1)}: ${String(tickets.size)} tickets, ${String(exhausted)} GRANT_EXHAUSTED of ${String(readersAtOnce)}`);
  }
  return tally.result();
}

/** Each race: a grant, a read of it and its revocation, started a seeded moment apart. */
async function revoke(drill: Drill, reader: DrillReader): Promise<DrillResult> {
  const { progress, scale } = drill;
  const tally = new Tally('races revoked', 'revocations against opens and releases under way: none late / 撤销竞争');
  const random = new SeededRandom(scale.seed, 'revocations');
  for (let done = 0; done < scale.races; done += racesAtOnce) {
    if (done % (racesAtOnce * 10) === 0) progress.step(`revocation races ${String(done)} of ${String(scale.races)}`);
    const races = Array.from({ length: Math.min(racesAtOnce, scale.races - done) }, () => ({ wait: random.between(0, 120), resend: random.chance(0.4) }));
    await Promise.all(races.map(async (race) => {
      tally.faults += 1;
      await raceOnce(reader, race, tally).catch((error: unknown) => { tally.violation(error instanceof ProtocolError ? `a race ended with ${error.code} ${JSON.stringify(error.details)}` : String(error)); });
    }));
  }
  return tally.result();
}

async function raceOnce(reader: DrillReader, { resend, wait }: { readonly wait: number; readonly resend: boolean }, tally: Tally): Promise<void> {
  const grant = await reader.grant(uses);
  const digest = grantDigest(await reader.domain(), grant.grant);
  const request = await reader.prepare(grant);
  // Half of them race the release of a ticket that is open already.
  const ticket = resend ? (await untilAnswered(async () => await reader.sendOnce(request, grant))).ticket : undefined;
  const read = outcome(async () => (await untilAnswered(async () => (ticket === undefined ? await reader.sendOnce(request, grant) : await reader.resendOnce(ticket)))).ticket);
  await delay(wait);
  await untilAnswered(async () => { await reader.revoke(digest); });
  const answer = await read;
  tally.count(answer.includes('/') ? 'read won' : 'revocation won');
  tally.expect(answer.includes('/') || refusals.has(answer), `a read that lost its race was answered ${answer}`);
  await afterwards(reader, grant, answer, tally);
}

/** The revocation is on the ledger and at the node that took it: nothing opens and nothing is released any more. */
async function afterwards(reader: DrillReader, grant: GrantEnvelope, answer: string, tally: Tally): Promise<void> {
  const fresh = await reader.prepare(grant);
  const open = await outcome(async () => await untilAnswered(async () => (await reader.sendOnce(fresh, grant)).ticket));
  tally.expect(open === 'GRANT_REVOKED', `late: a new read after the revocation was answered ${open}`);
  if (!answer.includes('/')) return;
  await reader.whenPublisherIsLevel();
  const again = await outcome(async () => await untilAnswered(async () => (await reader.resendOnce(answer)).ticket));
  tally.expect(again === 'TICKET_ENDED', `late: the release after the revocation was answered ${again}`);
}

/** The ticket, or the code of the refusal. @throws troubles that do not pass */
async function outcome(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ProtocolError && !passes(error)) return error.code;
    throw error;
  }
}
