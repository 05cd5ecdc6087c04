import { ProtocolError, signJws, type ErrorCode } from '@huilian/protocol';
import { ChainedLog, type ChainPlace, type Link } from '../chained-log.js';
import type { Clock, Keys, Store } from '../ports.js';
import type { Act } from './acts.js';

/** Who did it: the name of an account, `machine` for the operator's token, `unknown` for who did not get in. */
export interface Actor {
  readonly who: string;
  /** Role at that moment; `machine` and `none` for those without an account. */
  readonly role: string;
}

/** An administrative act. No personal data but names of the centre's own accounts. */
export interface AuditRow extends Actor {
  readonly act: Act;
  /** Unix seconds. */
  readonly at: number;
  /** Id of what it was done to. */
  readonly object?: string;
  /** `begun` before it is done; then `done`, or the code it was refused with. */
  readonly outcome: ErrorCode | 'begun' | 'done';
  /** Number of the row in which it was begun. */
  readonly of?: number;
}

export type AuditEntry = AuditRow & Link;

export interface AuditFilter {
  readonly act?: string;
  readonly object?: string;
  readonly outcome?: string;
  readonly who?: string;
  /** Unix seconds, both included. */
  readonly since?: number;
  readonly until?: number;
}

export const auditCheckpointType = 'huilian-audit-checkpoint+jwt';
const prefix = 'audit-log/';
/** Rows that a page looks at before it is given back short, so that a filter that fits nothing holds nobody up. */
const mostLookedAt = 5000;
const plainObject = /^[\x21-\x7e]{1,200}$/;

/**
 * The node's chained log of administrative acts. An act is written before it is done and its outcome before the answer
 * leaves: what cannot be written is not done, and what broke off stands there without an outcome.
 */
export class AuditLog {
  private constructor(
    private readonly log: ChainedLog<AuditRow>,
    private readonly clock: Clock,
    private readonly keys: Pick<Keys, 'memberId' | 'sign'>,
  ) {}

  public static async open(store: Store, clock: Clock, keys: Pick<Keys, 'memberId' | 'sign'>): Promise<AuditLog> {
    return new AuditLog(await ChainedLog.open(store, prefix), clock, keys);
  }

  /** Durable when it resolves. @throws STORAGE_FAILED, DISK_NEARLY_FULL */
  public async append({ role, who }: Actor, act: Act, outcome: AuditRow['outcome'], { object, of }: Pick<AuditRow, 'object' | 'of'> = {}): Promise<number> {
    // An id that is no id, as a stranger may send it, is left out: the log holds no free text.
    const named = typeof object === 'string' && plainObject.test(object) ? { object } : {};
    return await this.log.append({ act, at: Math.floor(this.clock.now() / 1000), ...named, ...(of === undefined ? {} : { of }), outcome, role, who });
  }

  /** Does an act between its two rows. @throws STORAGE_FAILED, DISK_NEARLY_FULL before it is done; whatever it is refused with */
  public async around<T>(actor: Actor, act: Act, objectOf: (answer?: T) => string | undefined, run: () => Promise<T>): Promise<T> {
    const of = await this.append(actor, act, 'begun', objectIn(objectOf()));
    try {
      const answer = await run();
      await this.append(actor, act, 'done', { of, ...objectIn(objectOf(answer)) });
      return answer;
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : 'INTERNAL';
      // A store that fails cannot be told of it: the row that says begun is left alone, and the node ends.
      if (code !== 'STORAGE_FAILED') await this.append(actor, act, code, { of, ...objectIn(objectOf()) });
      throw error;
    }
  }

  /** Newest first. A page may be short, with a cursor, where few rows fit. */
  public async page(filter: AuditFilter, { before, limit }: { readonly before?: number; readonly limit: number }): Promise<{ readonly items: readonly AuditEntry[]; readonly before?: number }> {
    const items: AuditEntry[] = [];
    let looked = 0;
    for await (const entry of this.log.entries({ from: (before ?? this.log.place().seq + 1) - 1, reverse: true })) {
      looked += 1;
      if (fits(entry, filter)) items.push(entry);
      if (entry.seq > 1 && (items.length === limit || looked === mostLookedAt)) return { items, before: entry.seq };
    }
    return { items };
  }

  /** In the order they were written, from a number on: as a verifier reads them. */
  public entries(from = 1): AsyncIterable<AuditEntry> {
    return this.log.entries({ from });
  }

  public place(): ChainPlace {
    return this.log.place();
  }

  /** The head under the node's signature. Kept elsewhere, it proves what the log held: a cut tail is noticed by it. */
  public async checkpoint(): Promise<{ readonly at: number; readonly checkpoint: string; readonly digest: string; readonly seq: number }> {
    const { digest, seq } = this.log.place();
    const at = Math.floor(this.clock.now() / 1000);
    const { memberId, sign } = this.keys;
    const checkpoint = await signJws({ alg: 'ES256', kid: memberId, typ: auditCheckpointType }, { at, digest, log: 'audit-log', member: memberId, seq }, sign);
    return { at, checkpoint, digest, seq };
  }
}

function objectIn(object: string | undefined): Pick<AuditRow, 'object'> {
  return object === undefined ? {} : { object };
}

function fits(entry: AuditEntry, { act, object, outcome, since, until, who }: AuditFilter): boolean {
  const same = (wanted: string | undefined, found: string | undefined): boolean => wanted === undefined || wanted === found;
  const within = (since === undefined || entry.at >= since) && (until === undefined || entry.at <= until);
  return within && same(object, entry.object) && same(outcome, entry.outcome) && same(who, entry.who) && (act === undefined || entry.act === act || entry.act.startsWith(`${act}.`));
}
