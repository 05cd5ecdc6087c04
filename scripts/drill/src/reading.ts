import { setTimeout as delay } from 'node:timers/promises';
import { type Domain, grantFor, ProtocolError, referenceOf, type GrantEnvelope, type MemberClient, type OpenedAccess } from '@huilian/sdk';
import { within, type DrillWorld } from './drill-world.js';

const patienceMilliseconds = 60_000;
const purpose = 'registration';
const claims: readonly string[] = ['identity'];

/** A reader with a grant of the sample owner: records of Guangzhou, read through Zhuhai's node. */
export class DrillReader {
  private constructor(
    private readonly world: DrillWorld,
    private readonly client: MemberClient,
    private readonly recordId: string,
  ) {}

  public static async open(world: DrillWorld): Promise<DrillReader> {
    const client = await world.client('zhuhai-platform', 'zhuhai');
    const { id } = world.owner();
    for await (const { header, recordId } of client.query({ owner: id, kind: 'entity', publisher: 'guangzhou' })) {
      if (header.rights === 'owner') return new DrillReader(world, client, recordId);
    }
    throw new Error('the sample owner has no record of Guangzhou');
  }

  public async grant(maxUses: number, seconds = 86_400): Promise<GrantEnvelope> {
    const { id, wallet } = this.world.owner();
    const now = Math.floor(Date.now() / 1000);
    const reference = referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'drill');
    const terms = { owner: id, claims: claims.map((claim) => `entity/${claim}`), purpose, reference, notBefore: now - 60, expires: now + seconds, maxUses } as const;
    const ask = await this.client.ask(terms);
    const { domain } = await this.client.consortium();
    return await wallet.signGrant(domain, grantFor(ask, `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}`));
  }

  public async prepare(grant: GrantEnvelope): Promise<string> {
    return await this.client.prepare({ recordIds: [this.recordId], claims, purpose, grant });
  }

  public async sendOnce(request: string, grant: GrantEnvelope): Promise<OpenedAccess> {
    return await this.client.send(request, grant);
  }

  /** The same, and what the answer says beside its body. */
  public async sendRaw(request: string, grant: GrantEnvelope): Promise<{ readonly status: number; readonly code: string; readonly retryAfter: string | null }> {
    const real = globalThis.fetch;
    let seen: Response | undefined;
    globalThis.fetch = async (...call): Promise<Response> => (seen = await real(...call));
    try {
      await this.client.send(request, grant);
      return { status: 200, code: '', retryAfter: null };
    } catch (error) {
      if (!(error instanceof ProtocolError) || seen === undefined) throw error;
      return { status: seen.status, code: error.code, retryAfter: seen.headers.get('retry-after') };
    } finally {
      globalThis.fetch = real;
    }
  }

  public async resendOnce(ticket: string): Promise<OpenedAccess> {
    return await this.client.resend(ticket);
  }

  public async domain(): Promise<Domain> {
    return (await this.client.consortium()).domain;
  }

  /** The owner revokes; the revocation is on the ledger when this resolves. */
  public async revoke(digest: string): Promise<void> {
    const { id, wallet } = this.world.owner();
    await this.client.revoke(await wallet.signRevocation(await this.domain(), { owner: id, grant: digest }));
  }

  /** Resolves once the publisher's node has indexed what the reader's node has. */
  public async whenPublisherIsLevel(): Promise<void> {
    const { height } = await this.world.status('zhuhai');
    if (!(await within(5000, async () => (await this.world.status('guangzhou')).height >= height))) throw new Error('the publisher does not follow the ledger');
  }

  /** Sends one and the same request until it is answered, reads, checks that a re-send is byte-equal, and sends the receipt. */
  public async readThrough(grant: GrantEnvelope): Promise<{ readonly access: OpenedAccess; readonly request: string }> {
    const request = await untilAnswered(async () => await this.prepare(grant));
    const access = await untilAnswered(async () => await this.sendOnce(request, grant));
    const [record] = await this.client.read(access);
    if (record === undefined) throw new Error('a read gave nothing');
    const again = await untilAnswered(async () => await this.resendOnce(access.ticket));
    if (again.release.jwe !== access.release.jwe || again.release.release !== access.release.release) throw new Error(`ticket ${access.ticket}: a re-send is not byte-equal`);
    await untilAnswered(async () => await this.client.receipt(access));
    return { access, request };
  }
}

/** Whether a trouble passes: a node or the ledger away, an outcome not known yet. A coded refusal does not. */
export function passes(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return error instanceof TypeError;
  return error.entry.http >= 500 || error.entry.http === 202 || error.entry.http === 429 || error.code === 'EXCHANGE_FAILED';
}

/** Tries again while the trouble passes. @throws the refusal, or the last trouble after a minute */
export async function untilAnswered<T>(run: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMilliseconds;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!passes(error) || performance.now() > deadline) throw error;
      await delay(50);
    }
  }
}
