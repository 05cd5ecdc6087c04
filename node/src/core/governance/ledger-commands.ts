import {
  canonicalBytes,
  certificateTransientField,
  checkUsableKind,
  isJsonObject,
  parseCanonical,
  ProtocolError,
  type AdoptedReference,
  type AttestArgument,
  type DeclareArgument,
  type JsonObject,
  type LedgerFunction,
  type PlacedHeader,
  type ProposalAction,
  type RecordStatementEnvelope,
  type RejectionReason,
} from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import { compileKind } from '../catalog/compile-kind.js';
import type { Clock, Keys, Ledger, Random } from '../ports.js';

/** A command that was committed as VALID, and what the contract answered. */
export interface Committed {
  readonly transactionId: string;
  readonly response: JsonObject;
}

const mostTries = 8;

/** Governance and owner commands: submitted, awaited, and run again where a concurrent change won. */
export class LedgerCommands {
  public constructor(
    private readonly ledger: Ledger,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** This centre's call to found the consortium of a charter. @throws ALREADY_FOUNDED, NOT_A_FOUNDER, CHARTER_MISMATCH */
  public async found(charter: JsonObject): Promise<Committed> {
    return await this.run('found', { charter, founder: this.keys.memberId });
  }

  /** @throws NOT_A_CENTRE, PROPOSAL_INVALID, PROPOSAL_EXISTS, SCHEMA_INVALID */
  public async propose(action: ProposalAction, content: JsonObject, round: number): Promise<Committed> {
    checkUsable(action, content);
    return await this.run('propose', { action, content, round });
  }

  /** A vote against may say why. @throws NOT_A_CENTRE, PROPOSAL_UNKNOWN, PROPOSAL_CLOSED, ALREADY_VOTED */
  public async vote(choice: 'approve' | 'reject', proposal: string, reason?: RejectionReason): Promise<Committed> {
    return await this.run(choice, { proposal, ...(reason === undefined ? {} : { reason }) });
  }

  /** Registers an owner's key; the certificate chain (base64 DER, leaf first) travels as transient data. @throws OWNER_EXISTS, CA_UNKNOWN, CERTIFICATE_*, STATEMENT_* */
  public async registerOwner(statement: JsonObject, chain: readonly string[]): Promise<Committed> {
    return await this.run('registerOwner', statement, { [certificateTransientField]: canonicalBytes(chain) });
  }

  /** Brings an owner's signed revocation to the ledger. @throws OWNER_UNKNOWN, REVOCATION_BAD_SIGNATURE */
  public async revokeGrant(envelope: JsonObject): Promise<Committed> {
    return await this.run('revokeGrant', envelope);
  }

  /** This centre's word on another centre's record. @throws NOT_A_CENTRE, FORBIDDEN, ATTESTATION_UNKNOWN, RECORD_* */
  public async attest(argument: AttestArgument): Promise<Committed> {
    return await this.run('attest', argument as unknown as JsonObject);
  }

  /** Brings an owner's signed word on a record to the ledger. @throws OWNER_UNKNOWN, STATEMENT_*, GRANT_*, RECORD_* */
  public async stateOnRecord(envelope: RecordStatementEnvelope, placed: PlacedHeader): Promise<Committed> {
    return await this.run('state', { envelope, placed } as unknown as JsonObject);
  }

  /** An owner's new key, signed by the one in force. @throws OWNER_UNKNOWN, RECOVERY_PENDING, STATEMENT_*, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG */
  public async rotateOwnerKey(envelope: JsonObject): Promise<Committed> {
    return await this.run('rotateOwnerKey', envelope);
  }

  /** This centre's approval of a lost key's successor; the second one starts the 72 hours. @throws NOT_A_CENTRE, OWNER_UNKNOWN, RECOVERY_PENDING, ALREADY_VOTED, CERTIFICATE_*, STATEMENT_* */
  public async recoverOwner(statement: JsonObject, chain: readonly string[]): Promise<Committed> {
    return await this.run('recoverOwner', statement, { [certificateTransientField]: canonicalBytes(chain) });
  }

  /** The old key's objection to a recovery that is not yet effective. @throws OWNER_UNKNOWN, RECOVERY_UNKNOWN, STATEMENT_BAD_SIGNATURE */
  public async objectRecovery(envelope: JsonObject): Promise<Committed> {
    return await this.run('objectRecovery', envelope);
  }

  /** A member's new keys, as a JWS by its old one. @throws MEMBER_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, STATEMENT_*, BAD_FIELD */
  public async rotateMemberKeys(rotation: string): Promise<Committed> {
    return await this.run('rotateMemberKeys', { rotation });
  }

  /** That this centre, or a member that it hosts, holds adopted documents. @throws MEMBER_SUSPENDED, SCHEMA_UNKNOWN */
  public async acknowledge(member: string, documents: readonly AdoptedReference[]): Promise<Committed> {
    return await this.run('acknowledge', { documents: documents as unknown as JsonObject[], member });
  }

  /** How many rows this centre's sources had. @throws NOT_RECORD_OWNER, SCHEMA_UNKNOWN, BAD_FIELD */
  public async declare(days: DeclareArgument['days']): Promise<Committed> {
    return await this.run('declare', { days: days as unknown as JsonObject[], publisher: this.keys.memberId });
  }

  private async run(name: LedgerFunction, argument: JsonObject, transient?: Readonly<Record<string, Uint8Array>>): Promise<Committed> {
    const backoff = new Backoff(this.clock, this.random);
    for (let tries = 1; ; tries += 1) {
      try {
        const submission = await this.ledger.submit(name, canonicalBytes(argument), transient);
        await submission.committed();
        const response = parseCanonical(submission.response);
        return { transactionId: submission.transactionId, response: isJsonObject(response) ? response : {} };
      } catch (error) {
        const conflict = error instanceof ProtocolError && error.code === 'LEDGER_CONFLICT';
        if (!conflict || tries === mostTries) throw error;
        await backoff.wait();
      }
    }
  }
}

/** Every node will compile an adopted kind, so the one that proposes it does so first. @throws SCHEMA_INVALID */
function checkUsable(action: ProposalAction, { document }: JsonObject): void {
  if (action === 'publish-schema' && isJsonObject(document)) checkUsableKind(compileKind(document));
}
