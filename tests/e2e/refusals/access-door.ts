import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalBytes, parseCanonical, readRequest, signOffer, signRequest, type AccessRequest, type GrantEnvelope, type JsonValue, type Offer, type OpenResult } from '@huilian/protocol';
import { es256Signer, type MemberKeys } from '@huilian/sdk';
import type { GatewayLedger } from '../../../node/src/adapters/fabric/gateway-ledger.js';
import { readJson } from '../main-job.js';
import type { Centre, RunningConsortium } from '../running-consortium.js';
import { answered, command, refusedBy, seconds, type Drivers, type Refused, type Surface } from './surfaces.js';

/** What a reader brings; `request` where the attack lies in the signed request itself, else one is made from the terms. */
export interface Asked {
  readonly grant?: GrantEnvelope;
  readonly reader?: string;
  readonly recordId?: string;
  readonly claims?: readonly string[];
  readonly purpose?: string;
  readonly policy?: string;
  readonly request?: string;
  /** The good request that the publisher's offer answers, where `request` cannot be read. */
  readonly offered?: string;
  /** Changes the publisher's offer, which only a raw client of the ledger can. */
  readonly offer?: (offer: Offer) => Partial<Offer>;
  readonly offerKey?: string;
  readonly slot?: number;
}

const defaultReader = 'zhuhai-platform';

/** The door of every read: the same attack in the SDK's call, a HTTP body, `huilian access` and an `access.open` of one's own. */
export class AccessDoor {
  private readonly ledgers = new Map<string, Promise<GatewayLedger>>();
  private files = 0;

  public constructor(
    private readonly local: RunningConsortium,
    public readonly entity: string,
  ) {}

  public async close(): Promise<void> {
    for (const ledger of this.ledgers.values()) await (await ledger).close();
  }

  /** Another member's own Fabric client. */
  public ledger(organisation: string): Promise<GatewayLedger> {
    const known = this.ledgers.get(organisation) ?? this.local.ledgerOf(organisation);
    this.ledgers.set(organisation, known);
    return known;
  }

  public async prepare({ claims = ['identity'], grant, policy, purpose = 'registration', reader = defaultReader, recordId = this.entity }: Asked): Promise<string> {
    const client = await this.local.client(reader);
    return await client.prepare({ claims, purpose: purpose as never, recordIds: [recordId], ...(grant === undefined ? {} : { grant }), ...(policy === undefined ? {} : { policy }) });
  }

  /** A good request with some of its terms changed before it is signed. */
  public async changed(grant: GrantEnvelope, change: (request: AccessRequest) => Partial<AccessRequest>, keys?: MemberKeys): Promise<string> {
    const { request } = readRequest(await this.prepare({ grant }));
    return (await signRequest({ ...request, ...change(request) }, await es256Signer((keys ?? this.local.keys(defaultReader)).signingKey))).jws;
  }

  /** The surfaces named, each with an attack of its own made by `make`. */
  public drivers(make: () => Promise<Asked>, without: readonly Surface[] = []): Drivers {
    const all: Drivers = {
      cli: async () => await this.byCommand(await make()),
      contract: async () => await this.byContract(await make()),
      http: async () => await this.byHttp(await make()),
      sdk: async () => await this.bySdk(await make()),
    };
    return Object.fromEntries(Object.entries(all).filter(([surface]) => !without.includes(surface as Surface)));
  }

  public async bySdk(asked: Asked): Promise<Refused | undefined> {
    const client = await this.local.client(asked.reader ?? defaultReader);
    return await refusedBy((async () => await client.send(asked.request ?? (await this.prepare(asked)), asked.grant))());
  }

  public async byHttp(asked: Asked): Promise<Refused | undefined> {
    const reader = asked.reader ?? defaultReader;
    const request = asked.request ?? (await this.prepare(asked));
    return answered(await this.local.call(this.local.hostOf(reader), 'POST', '/v1/access-requests', { request, ...(asked.grant === undefined ? {} : { grant: asked.grant }) }, reader));
  }

  public async byCommand({ claims = ['identity'], grant, policy, purpose = 'registration', reader = defaultReader, recordId = this.entity }: Asked): Promise<Refused | undefined> {
    const file = path.join(this.local.dir, `grant-${String((this.files += 1))}.json`);
    if (grant !== undefined) writeFileSync(file, JSON.stringify(grant));
    const basis = [...(grant === undefined ? [] : ['--grant', file]), ...(policy === undefined ? [] : ['--policy', policy])];
    const keys = path.join(this.local.dir, 'members', reader, 'member-keys.json');
    return await command(['access', '--member-keys', keys, '--node', this.local.api(this.local.hostOf(reader)).url, '--record', recordId, '--claims', claims.join(','), '--purpose', purpose, ...basis]);
  }

  public async byContract(asked: Asked): Promise<Refused | undefined> {
    const reader = asked.reader ?? defaultReader;
    const request = asked.request ?? (await this.prepare(asked));
    const offer = await this.offer(asked.offered ?? request, asked);
    const entry = { offer, request, ...(asked.grant === undefined ? {} : { grant: asked.grant as unknown as JsonValue, slot: asked.slot ?? 1 }) };
    return await this.open(reader, { entries: [entry] });
  }

  /** Sends `access.open` with an argument as it is, and looks into the answer for the one entry's refusal. */
  public async open(reader: string, argument: JsonValue): Promise<Refused | undefined> {
    const host = this.local.hostOf(reader);
    const ledger = await this.ledger(`${host.charAt(0).toUpperCase()}${host.slice(1)}MSP`);
    let result: OpenResult | undefined;
    const failed = await refusedBy((async () => {
      const submission = await ledger.submit('open', canonicalBytes(argument));
      await submission.committed();
      [result] = parseCanonical(submission.response) as unknown as OpenResult[];
    })());
    return failed ?? (result?.code === undefined ? undefined : { code: result.code, text: JSON.stringify(result) });
  }

  private async offer(request: string, asked: Asked): Promise<string> {
    const { digest, request: read } = readRequest(request);
    const publisher = (asked.offerKey ?? read.publisher) as Centre;
    const offer: Offer = { expires: seconds() + 50, publisher: read.publisher, records: read.headers.map(({ header }) => header.digest), request: digest };
    const key = readJson<MemberKeys['signingKey']>(path.join(this.local.dir, 'nodes', publisher, 'keys', 'signing-key.json'));
    return await signOffer({ ...offer, ...asked.offer?.(offer) }, await es256Signer(key));
  }
}
