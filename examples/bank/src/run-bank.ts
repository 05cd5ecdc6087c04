import { writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import {
  MemberClient,
  ProtocolError,
  referenceOf,
  verifyEvidence,
  type Ask,
  type EvidenceReport,
  type FoundRecord,
  type GrantEnvelope,
  type MemberKeys,
  type ReadRecord,
} from '@huilian/sdk';

/** What this bank needs to decide on a guarantee. Contacts, attachments and personnel are not asked for. */
const wanted = ['credit/entry', 'credit/finding', 'performance/completion', 'performance/contract', 'performance/section'];
const purpose = 'guarantee-assessment';
const kinds = [...new Set(wanted.map((claim) => claim.split('/')[0] ?? ''))];
const recordsPerRequest = 64;
const dayInSeconds = 86_400;

export interface BankTerms {
  /** HTTP address of the node that serves this bank. */
  readonly nodeUrl: string;
  readonly keys: MemberKeys;
  /** Unified social credit code of the bidder who applies. */
  readonly uscc: string;
  /** The bank's own number of the application: only its salted digest leaves. */
  readonly application: string;
  /** Told once the request waits for the bidder. */
  readonly onAsk: (ask: Ask) => void | Promise<void>;
  /** Where the evidence is kept, a file per ticket: `evidence.json`, `evidence-2.json`, … */
  readonly evidenceFile: string;
  /** The charter's fingerprint, learnt from a source other than the node. */
  readonly fingerprint: string;
  /** How long the bidder may take; 600 where absent. */
  readonly waitSeconds?: number;
}

export interface BankResult {
  readonly records: readonly ReadRecord[];
  readonly tickets: readonly string[];
  /** The offline verdict on each kept proof. */
  readonly reports: readonly EvidenceReport[];
}

/**
 * Reads a bidder's credit and performance from whichever centres hold them, under one grant, and keeps what proves it.
 * @throws RECORD_UNKNOWN where there is nothing to read, GRANT_REQUIRED where no grant came in time, the coded refusal
 */
export async function runBank(terms: BankTerms): Promise<BankResult> {
  const client = await MemberClient.connect(terms.nodeUrl, terms.keys, { charterFingerprint: terms.fingerprint });
  const groups = await findRecords(client, `org:${terms.uscc}`);
  if (groups.length === 0) throw new ProtocolError('RECORD_UNKNOWN', { owner: `org:${terms.uscc}` });

  const now = Math.floor(Date.now() / 1000);
  const ask = await client.ask({
    owner: `org:${terms.uscc}`,
    claims: wanted.filter((claim) => groups.some(({ kind }) => claim.startsWith(`${kind}/`))),
    purpose,
    reference: referenceOf(crypto.getRandomValues(new Uint8Array(16)), terms.application),
    notBefore: now,
    expires: now + 7 * dayInSeconds,
    // One use for each publisher and kind: a request names records of one publisher.
    maxUses: groups.length,
  });
  await terms.onAsk(ask);
  const grant = await client.whenGranted(ask, { seconds: terms.waitSeconds ?? 600 });

  const reads: { readonly ticket: string; readonly records: readonly ReadRecord[] }[] = [];
  for (const group of groups) {
    const access = await client.open({ recordIds: group.recordIds, claims: grantedClaims(grant, group.kind), purpose, grant });
    reads.push({ ticket: access.ticket, records: await client.read(access) });
    await client.receipt(access);
  }
  const reports: EvidenceReport[] = [];
  for (const [index, { records, ticket }] of reads.entries()) {
    const file = `${JSON.stringify(await client.evidence(ticket), null, 2)}\n`;
    await writeFile(numbered(terms.evidenceFile, index + 1), file, { mode: 0o600 });
    // The evidence holds no content: what was read is proved with it from the presentations that came.
    reports.push(await verifyEvidence(file, { charterFingerprint: terms.fingerprint, presentations: records.map(({ presentation }) => presentation) }));
  }
  return { records: reads.flatMap(({ records }) => records), tickets: reads.map(({ ticket }) => ticket), reports };
}

function numbered(file: string, number: number): string {
  const { dir, ext, name } = parse(file);
  return number === 1 ? file : join(dir, `${name}-${String(number)}${ext}`);
}

interface Group {
  readonly kind: string;
  readonly recordIds: readonly string[];
}

/** The bidder's own records, grouped as requests must be: one publisher, one kind, at most 64 records. */
async function findRecords(client: MemberClient, owner: string): Promise<Group[]> {
  const found: FoundRecord[] = [];
  for (const kind of kinds) for await (const record of client.query({ owner, kind, status: 'active' })) found.push(record);
  const readable = found.filter(({ contested }) => !contested);
  const byHolder = Object.groupBy(readable, ({ recordId }) => recordId.split('/').slice(0, 2).join('/'));
  return Object.entries(byHolder).flatMap(([holder, records = []]) => {
    const ids = records.map(({ recordId }) => recordId);
    const chunks = Array.from({ length: Math.ceil(ids.length / recordsPerRequest) }, (_, index) => ids.slice(index * recordsPerRequest, (index + 1) * recordsPerRequest));
    return chunks.map((recordIds) => ({ kind: holder.split('/')[1] ?? '', recordIds }));
  });
}

function grantedClaims({ grant }: GrantEnvelope, kind: string): string[] {
  return grant.claims.filter((claim) => claim.startsWith(`${kind}/`)).map((claim) => claim.slice(kind.length + 1));
}
