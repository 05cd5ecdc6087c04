import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Wallet } from 'ethers';
import { grantFor, MemberClient, memoryPin, OwnerWallet, referenceOf, type GrantEnvelope, type MemberKeys, type OpenedAccess } from '@huilian/sdk';
import type { BenchConsortium } from './consortium.js';

const bidders = fileURLToPath(new URL('../../../network-config/local/data/bidders.json', import.meta.url));
const fewClaims: readonly string[] = ['entry', 'score'];
const purpose = 'credit-check';
const monthSeconds = 30 * 86_400;

/** The walk-through's bank with a grant of its main bidder: reads records that Guangzhou published, through Beijing's node. */
export class BenchReader {
  private constructor(
    private readonly client: MemberClient,
    private readonly grant: GrantEnvelope,
    private readonly claims: readonly string[],
    /** Whose records the grant is about. */
    public readonly owner: string,
    private readonly recordId: string,
  ) {}

  public static async open(consortium: BenchConsortium, maxUses: number, claims = fewClaims): Promise<BenchReader> {
    const keys = JSON.parse(readFileSync(path.join(consortium.state, 'members', 'sample-bank', 'member-keys.json'), 'utf8')) as MemberKeys;
    const client = await MemberClient.connect(consortium.url('beijing'), keys);
    const { main } = JSON.parse(readFileSync(bidders, 'utf8')) as { main: { uscc: string } };
    const owner = `org:${main.uscc}`;
    const key = readFileSync(path.join(consortium.state, 'owners', main.uscc, 'key.txt'), 'utf8').trim();
    const { domain } = await client.consortium();
    const now = Math.floor(Date.now() / 1000);
    const reference = referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'benchmark');
    const ask = await client.ask({ owner, claims: claims.map((claim) => `credit/${claim}`), purpose, reference, notBefore: now - 60, expires: now + monthSeconds, maxUses });
    const nonce = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}`;
    const grant = await new OwnerWallet(new Wallet(key), memoryPin()).signGrant(domain, grantFor(ask, nonce));
    for await (const { header, recordId } of client.query({ subject: owner, kind: 'credit', publisher: 'guangzhou' })) {
      if (header.rights === 'owner') return new BenchReader(client, grant, claims, owner, recordId);
    }
    throw new Error('the walk-through left no credit record to read');
  }

  /** A new ticket, its release, decrypted and verified. */
  public async read(): Promise<OpenedAccess> {
    const access = await this.client.open({ recordIds: [this.recordId], claims: this.claims, purpose, grant: this.grant });
    const records = await this.client.read(access);
    if (records.length !== 1) throw new Error('a read gave nothing');
    return access;
  }

  public async charterFingerprint(): Promise<string> {
    return (await this.client.consortium()).fingerprint;
  }

  /** Signs and sends the receipt, then fetches the evidence once the ledger has it. */
  public async account(access: OpenedAccess): Promise<string> {
    await this.client.receipt(access);
    return JSON.stringify(await this.client.evidence(access.ticket));
  }

  public async resend(ticket: string): Promise<number> {
    const access = await this.client.resend(ticket);
    await this.client.read(access);
    return access.release.jwe.length;
  }

  /** A way to do again what a reader does with a release that it has: decrypt and verify it. */
  public async opening(ticket: string): Promise<() => Promise<unknown>> {
    const access = await this.client.resend(ticket);
    return async () => await this.client.read(access);
  }

  /** The release again as it came: neither decrypted nor verified. */
  public async refetch(ticket: string): Promise<number> {
    return (await this.client.resend(ticket)).release.jwe.length;
  }

  /** A ticket over as many records as one request may name. */
  public async openMany(recordIds: readonly string[]): Promise<OpenedAccess> {
    return await this.client.open({ recordIds, claims: this.claims, purpose, grant: this.grant });
  }
}
