import { ProtocolError, type AdoptedReference } from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import type { AdoptedKinds } from '../catalog/adopted-kinds.js';
import type { Catalogue } from '../catalog/catalogue.js';
import type { LedgerCommands } from '../governance/ledger-commands.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Random } from '../ports.js';
import { Wakeup } from '../wakeup.js';

export interface AcknowledgeParts {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly commands: LedgerCommands;
  readonly kinds: AdoptedKinds;
  readonly memberId: string;
  readonly random: Random;
  readonly readModel: ReadModel;
  /** A try that failed; it is made again. */
  readonly onProblem: (error: ProtocolError) => void;
}

/** Votes come in rows; what they adopt within this time is acknowledged together. */
const settleMilliseconds = 3000;
const mostAtOnce = 200;

/**
 * Tells the ledger, once for each, that this node holds what votes adopted and can use it: a schema only after it was compiled.
 * So every centre sees who still works without a document that was sent to all.
 */
export class AcknowledgeAdopted {
  private readonly stopping = new AbortController();
  private readonly wakeup = new Wakeup();
  private stopListening: () => void = () => undefined;

  public constructor(private readonly parts: AcknowledgeParts) {}

  public start(): void {
    this.stopListening = this.parts.catalogue.onChange(() => { this.wakeup.wake(); });
    this.wakeup.wake();
    void this.run();
  }

  /** What is on its way to the ledger is not waited for: the next start says again what is not there. */
  public stop(): void {
    this.stopListening();
    this.stopping.abort();
  }

  private async run(): Promise<void> {
    const { clock, onProblem, random } = this.parts;
    const { signal } = this.stopping;
    const backoff = new Backoff(clock, random);
    while (!signal.aborted) {
      await this.wakeup.wait(signal);
      await clock.sleep(settleMilliseconds, signal);
      try {
        if (!signal.aborted) await this.acknowledge();
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        onProblem(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'acknowledge' }));
        await backoff.wait(signal);
        this.wakeup.wake();
      }
    }
  }

  private async acknowledge(): Promise<void> {
    const { commands, memberId, readModel } = this.parts;
    // A centre that was suspended has no word; admitted again, it speaks at its next start or the next change.
    if (readModel.member(memberId)?.status !== 'active') return;
    const open = (await this.adopted()).filter(({ id, of, version }) => !readModel.isAcknowledged(memberId, of, id, version) && this.isUsable(of, id, version));
    for (let from = 0; from < open.length; from += mostAtOnce) await commands.acknowledge(memberId, open.slice(from, from + mostAtOnce));
  }

  private async adopted(): Promise<readonly AdoptedReference[]> {
    return (await this.parts.catalogue.references()).map(({ proposal: _proposal, ...reference }) => reference);
  }

  private isUsable(of: AdoptedReference['of'], id: string, version: number): boolean {
    if (of !== 'schema') return true;
    try {
      this.parts.kinds.adopted(id, version);
      return true;
    } catch {
      return false;
    }
  }
}
