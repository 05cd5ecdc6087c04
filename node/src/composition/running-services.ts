import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { canonicalBytes, fromUtf8, parseRecordId, type JsonObject, type ProposalAction } from '@huilian/protocol';
import { NodeServices, type GovernanceAnswer } from '../adapters/http/node-services.js';
import type { KeyCopyState } from '../adapters/keys/vault-key-file.js';
import type { LedgerCommands } from '../core/governance/ledger-commands.js';
import type { LedgerFollower } from '../core/indexing/follow-ledger.js';
import type { Intake } from '../core/intake/intake.js';
import type { DeadLetters } from '../core/outbox/dead-letters.js';
import type { Outbox } from '../core/outbox/outbox.js';
import type { BatchSender } from '../core/outbox/send-batches.js';
import type { Transport } from '../core/ports.js';
import { errorFields, type Logger } from '../observability/logger.js';

type Shared = Pick<NodeServices, 'asks' | 'clock' | 'commands' | 'evidence' | 'feed' | 'memberId' | 'random' | 'readModel' | 'recover' | 'relay' | 'store' | 'trail' | 'webhooks'>;

export interface ServiceParts extends Shared {
  readonly deadLetters: DeadLetters;
  readonly follower: LedgerFollower;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly sender: BatchSender;
  readonly transport: Transport;
  ownPublicRecord(recordId: string): Promise<string>;
  /** How the vault keys' one copy stands. */
  vaultKeyCopy(): KeyCopyState;
  /** Resident memory in MiB. */
  memory(): number;
}

/** The services of a running node, as its HTTP door sees them. */
export class RunningServices extends NodeServices {
  public readonly asks: NodeServices['asks'];
  public readonly clock: NodeServices['clock'];
  public readonly commands: LedgerCommands;
  public readonly evidence: NodeServices['evidence'];
  public readonly feed: NodeServices['feed'];
  public readonly memberId: string;
  public readonly random: NodeServices['random'];
  public readonly readModel: NodeServices['readModel'];
  public readonly recover: NodeServices['recover'];
  public readonly relay: NodeServices['relay'];
  public readonly store: NodeServices['store'];
  public readonly trail: NodeServices['trail'];
  public readonly webhooks: NodeServices['webhooks'];

  public constructor(private readonly parts: ServiceParts) {
    super();
    ({
      asks: this.asks,
      clock: this.clock,
      commands: this.commands,
      evidence: this.evidence,
      feed: this.feed,
      memberId: this.memberId,
      random: this.random,
      readModel: this.readModel,
      recover: this.recover,
      relay: this.relay,
      store: this.store,
      trail: this.trail,
      webhooks: this.webhooks,
    } = parts);
  }

  public intake(lines: AsyncIterable<Uint8Array>): AsyncIterable<object> {
    const answers = new PassThrough({ objectMode: true, highWaterMark: 1000 });
    const say = async (answer: object): Promise<void> => {
      // A client that does not read its answers holds its own stream back, and nobody else's.
      if (!answers.write(answer) && !answers.destroyed) await once(answers, 'drain').catch(() => undefined);
    };
    const summary = this.parts.intake.accept(lines, say);
    summary.then(() => answers.end(), () => answers.end());
    return answersThen(answers, summary);
  }

  public async deadLetters(): Promise<readonly object[]> {
    return await this.parts.deadLetters.list();
  }

  public async publicRecord(recordId: string): Promise<string> {
    const { publisher } = parseRecordId(recordId);
    if (publisher === this.memberId) return await this.parts.ownPublicRecord(recordId);
    const answer = await this.parts.transport.request(publisher, 'public-record', canonicalBytes({ recordId }));
    return (JSON.parse(fromUtf8(answer)) as { presentation: string }).presentation;
  }

  public async found(charter: unknown): Promise<GovernanceAnswer> {
    return await this.parts.commands.found(charter as JsonObject);
  }

  public async propose(action: ProposalAction, content: JsonObject, round: number): Promise<GovernanceAnswer> {
    return await this.parts.commands.propose(action, content, round);
  }

  public async vote(choice: 'approve' | 'reject', proposal: string): Promise<GovernanceAnswer> {
    return await this.parts.commands.vote(choice, proposal);
  }

  public async registerOwner(statement: unknown, chain: readonly string[]): Promise<GovernanceAnswer> {
    return await this.parts.commands.registerOwner(statement as JsonObject, chain);
  }

  public async revokeGrant(envelope: unknown): Promise<GovernanceAnswer> {
    return await this.parts.commands.revokeGrant(envelope as JsonObject);
  }

  public async acceptLoss(): Promise<{ readonly lost: readonly { readonly from: number; readonly to: number }[] }> {
    const { logger, outbox } = this.parts;
    const lost = outbox.lost.map(({ from, to }) => ({ from, to }));
    if (outbox.isWhole) return { lost };
    await outbox.acceptLoss();
    logger.warn('the loss of acknowledged rows was accepted', { holes: lost.length, rows: lost.reduce((sum, { from, to }) => sum + to - from + 1, 0) });
    return { lost };
  }

  public async status(): Promise<object> {
    const { follower, outbox, sender, transport } = this.parts;
    return {
      exchange: transport.addresses(),
      height: this.readModel.height(),
      ledger: { state: follower.state, ...(sender.lastProblem === undefined ? {} : { problem: sender.lastProblem }) },
      member: this.memberId,
      memoryMiB: this.parts.memory(),
      outbox: await outbox.status(),
      vaultKeyCopy: this.parts.vaultKeyCopy(),
      webhooks: this.webhooks.counts(),
    };
  }

  public notReady(): readonly string[] {
    const { follower, outbox } = this.parts;
    return [...(follower.state === 'following' ? [] : [`ledger-${follower.state}`]), ...(outbox.isWhole ? [] : ['outbox-tail-lost'])];
  }

  public reportFault(error: unknown): void {
    this.parts.logger.error('fault', errorFields(error));
  }
}

/** All answers that were given, and only then the summary or the error that ended the stream: no acknowledgement is lost to it. */
async function* answersThen(answers: AsyncIterable<object>, summary: Promise<object>): AsyncGenerator<object> {
  yield* answers;
  yield { summary: await summary };
}
