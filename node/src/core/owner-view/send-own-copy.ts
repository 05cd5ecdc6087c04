import {
  errorBody, jwkThumbprint, limits, object, optional, ownerKeyInForce, kindShape, parseRecordId, ProtocolError, readGrantEnvelope, saltShape, signRequest, toBase32, verifyGrantSignature, x25519KeyShape, grantEnvelopeShape,
  type ErrorBody, type GrantEnvelope, type PlacedHeader, type Read, type RecoverPublicKey, type ViewRecord,
} from '@huilian/protocol';
import type { RelayedAccess, RelayRequest } from '../access/relay-request.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Keys, Random } from '../ports.js';
import { noteOfRecord, type ViewOwner } from './view-owner.js';

/** What an owner brings to read its own data: its grant for an own copy, and the key that the grant's reference commits to. */
export const ownCopyShape = object({ grant: grantEnvelopeShape, kind: optional(kindShape), recipient: object({ key: x25519KeyShape, salt: saltShape }) });

/** Everything an owner needs to see its data from all centres; this node can open none of it that it did not publish itself. */
export interface OwnCopy {
  readonly owner: string;
  readonly height: number;
  readonly partial: boolean;
  /** A ticket and its release for each publisher and kind, encrypted to the owner's key. */
  readonly copies: readonly RelayedAccess[];
  /** Public records of which the owner is the subject: nobody needs a ticket for them. */
  readonly open: readonly { readonly recordId: string; readonly presentation: string }[];
  /** What the ledger and others say of every record. */
  readonly records: readonly ViewRecord[];
  /** What could not be read, and why. */
  readonly refused: readonly { readonly recordIds: readonly string[]; readonly error: ErrorBody }[];
}

/** Public records asked for at once. */
const openAtOnce = 16;

interface Parts {
  readonly readModel: ReadModel;
  readonly relay: Pick<RelayRequest, 'relay'>;
  readonly view: ViewOwner;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  readonly recover: RecoverPublicKey;
  publicRecord(recordId: string): Promise<string>;
}

/**
 * An owner reads its own data from all centres through any one of them. This centre is the reader of the requests, so that
 * each is decided on the ledger and stands on the trail like any other; but the grant names the owner's key, and publishers
 * encrypt to that.
 */
export class SendOwnCopy {
  public constructor(private readonly parts: Parts) {}

  /** @throws BAD_FIELD, OWNER_UNKNOWN, GRANT_WRONG_GRANTEE, GRANT_WRONG_PURPOSE, GRANT_BAD_SIGNATURE, GRANT_NONCANONICAL_SIG, GRANT_WRONG_DOMAIN, GRANT_SUITE_UNSUPPORTED, GRANT_NOT_YET_VALID, GRANT_EXPIRED, GRANT_REVOKED */
  public async send(asked: unknown): Promise<OwnCopy> {
    const { grant: envelope, kind, recipient } = ownCopyShape.read(asked);
    this.check(readGrantEnvelope(envelope, '/grant'));
    const { owner } = envelope.grant;
    const { height, partial, records } = await this.notes(owner, kind);
    const tasks = requestsFor(records, envelope.grant.claims);
    const answers = await Promise.all(tasks.map(async (task) => await this.read(task, envelope, recipient)));
    const open: Opened[] = [];
    // Other publishers' nodes are asked for these a few at a time: an owner may have thousands.
    for (const some of chunks(records.filter(isOpen), openAtOnce)) open.push(...(await Promise.all(some.map(async ({ recordId }) => await this.open(recordId)))));
    return {
      owner,
      height,
      partial,
      copies: answers.flatMap((answer) => ('ticket' in answer ? [answer] : [])),
      open: open.flatMap((answer) => ('presentation' in answer ? [answer] : [])),
      records,
      refused: [...answers, ...open].flatMap((answer) => ('error' in answer ? [answer] : [])),
    };
  }

  /** The ledger decides each request; but public records and headers are answered without one. */
  private check(envelope: GrantEnvelope): void {
    const { readModel } = this.parts;
    const { expires, grantee, notBefore, owner, purpose } = envelope.grant;
    if (grantee !== this.parts.keys.memberId) throw new ProtocolError('GRANT_WRONG_GRANTEE', { grantee });
    if (purpose !== 'own-copy') throw new ProtocolError('GRANT_WRONG_PURPOSE', { purpose });
    const registered = readModel.owner(owner);
    if (registered === undefined) throw new ProtocolError('OWNER_UNKNOWN');
    const { digest, key } = verifyGrantSignature(envelope, readModel.domain(), this.parts.recover);
    const now = Math.floor(this.parts.clock.now() / 1000);
    if (key !== ownerKeyInForce(registered, now)) throw new ProtocolError('GRANT_BAD_SIGNATURE');
    if (now < notBefore) throw new ProtocolError('GRANT_NOT_YET_VALID', { notBefore });
    if (now >= expires) throw new ProtocolError('GRANT_EXPIRED', { expires });
    if (readModel.revocation(owner, digest) !== undefined) throw new ProtocolError('GRANT_REVOKED');
  }

  /** Without what this node could read by itself: what an owner is shown comes from the publishers, under a ticket. */
  private async notes(owner: string, kind?: string): Promise<{ readonly height: number; readonly partial: boolean; readonly records: readonly ViewRecord[] }> {
    const { found, height, partial } = await this.parts.view.find(owner, kind);
    return { height, partial, records: await Promise.all(found.map(async (record) => await noteOfRecord(this.parts.readModel, record))) };
  }

  private async read({ claims, publisher, recordIds }: Task, grant: GrantEnvelope, recipient: Read<typeof ownCopyShape>['recipient']): Promise<RelayedAccess | Refused> {
    const { clock, keys, random, readModel, relay } = this.parts;
    try {
      const headers = recordIds.map((recordId) => readModel.placedHeader(recordId)).filter((placed): placed is PlacedHeader => placed !== undefined);
      const domain = readModel.domain();
      const { jws } = await signRequest(
        {
          basis: { kind: 'grant', digest: verifyGrantSignature(grant, domain, this.parts.recover).digest },
          claims,
          encryptionKey: jwkThumbprint(recipient.key),
          headers,
          issuedAt: Math.floor(clock.now() / 1000),
          publisher,
          purpose: 'own-copy',
          reader: keys.memberId,
          recipient,
          requestId: toBase32(random.bytes(16)),
          salt: domain.salt,
        },
        keys.sign,
      );
      return await relay.relay(keys.memberId, jws, grant);
    } catch (error) {
      return refused(error, recordIds);
    }
  }

  private async open(recordId: string): Promise<Opened> {
    try {
      return { recordId, presentation: await this.parts.publicRecord(recordId) };
    } catch (error) {
      return refused(error, [recordId]);
    }
  }
}

type Opened = OwnCopy['open'][number] | Refused;

interface Refused {
  readonly recordIds: readonly string[];
  readonly error: ErrorBody;
}

/** One publisher that is away hides nothing of the others. */
function refused(error: unknown, recordIds: readonly string[]): Refused {
  if (!(error instanceof ProtocolError)) throw error;
  return { recordIds, error: errorBody(error) };
}

function isLive({ contested, status }: ViewRecord): boolean {
  return !contested && status === 'active';
}

function isOpen(record: ViewRecord): boolean {
  return isLive(record) && record.rights === 'public';
}

interface Task {
  readonly publisher: string;
  readonly claims: readonly string[];
  readonly recordIds: readonly string[];
}

/** A request speaks of one publisher, and its claims of every record in it: so one for each publisher and kind, and each 64 records. */
function requestsFor(records: readonly ViewRecord[], granted: readonly string[]): readonly Task[] {
  const groups = new Map<string, string[]>();
  for (const record of records.filter((entry) => isLive(entry) && entry.rights === 'owner')) {
    const { kind, publisher } = parseRecordId(record.recordId);
    const id = `${publisher}/${kind}`;
    groups.set(id, [...(groups.get(id) ?? []), record.recordId]);
  }
  return [...groups].flatMap(([id, recordIds]) => {
    const [publisher = '', kind = ''] = id.split('/');
    const claims = granted.filter((claim) => claim.startsWith(`${kind}/`)).map((claim) => claim.slice(kind.length + 1));
    if (claims.length === 0) return [];
    return chunks(recordIds, limits.requestRecords).map((chunk) => ({ publisher, claims, recordIds: chunk }));
  });
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_none, index) => items.slice(index * size, (index + 1) * size));
}
