import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { domainOf, encodeBatchArgument, grantDigest, ProtocolError, referenceOf, toHex, type Domain, type GrantEnvelope, type Header, type JsonObject } from '@huilian/protocol';
import { memoryPin, OwnerWallet, type MemberClient, type PlacedRecord } from '@huilian/sdk';
import { Wallet } from 'ethers';
import { openLedger } from '../../adapters/fabric/open-ledger.js';
import { loadConfig } from '../../config/config.js';
import type { LocalConsortium } from '../local/local-consortium.js';
import type { SampleOwner } from '../local/sample-owners.js';
import { awayCentre, creditEntry, grantDefaults, grantedClaims, grantPurpose, hostCentre, publisherCentre, sandboxGrants, sandboxMembers, sandboxOwners, sandboxRecords, type Forced, type SandboxGrant, type SandboxRecord } from './sandbox-cast.js';

/** A seq that no outbox reaches: the second header of the contested record comes from beside the node. */
const besideTheNode = 900_000_000;
const bank = 'sample-bank';

/** Publishes the sandbox's records and brings each into its case. Answers their ids by name. */
export async function makeRecords(local: LocalConsortium): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const centre of [publisherCentre, awayCentre]) {
    const records = sandboxRecords.filter((record) => (record.centre ?? publisherCentre) === centre);
    const published = await publish(local, centre, records.map(firstVersion));
    for (const [index, { name }] of records.entries()) ids.set(name, published[index] ?? '');
  }
  const idOf = (name: string): string => ids.get(name) ?? '';
  const next = sandboxRecords.flatMap((record): object[] => {
    if (record.after === 'superseded') return [{ kind: 'credit', data: creditEntry(record, '95.25'), supersede: true }];
    return record.after === 'revoked' ? [{ kind: 'credit', recordId: idOf(record.name), revoke: true }] : [];
  });
  await publish(local, publisherCentre, next);
  for (const { after, name } of sandboxRecords) if (after === 'contested') await contest(local, idOf(name));
  return ids;
}

function firstVersion(record: SandboxRecord): object {
  return { kind: 'credit', rights: record.public === true ? 'public' : 'owner', data: creditEntry(record) };
}

/** Ids in the order of the lines, once every node has indexed them. */
async function publish(local: LocalConsortium, centre: string, lines: readonly object[]): Promise<string[]> {
  const ids: string[] = [];
  for await (const answer of local.api(centre).stream('/v1/records', texts(lines))) {
    if ('code' in answer || 'error' in answer) throw new ProtocolError('INTERNAL', { reason: 'a sandbox record was refused', answer: JSON.stringify(answer).slice(0, 300) });
    if ('recordId' in answer) ids.push(String(answer['recordId']));
  }
  await local.whenEveryNode(async (api) => {
    const { outbox } = (await api.get('/v1/status')) as { outbox: { pending: number; inFlight: number } };
    return outbox.pending === 0 && outbox.inFlight === 0;
  });
  await local.whenLevel();
  return ids;
}

async function* texts(lines: readonly object[]): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(JSON.stringify(line));
}

/** A second header of the same id and version with another digest, sent past the publisher's node as a faulty publisher would. */
async function contest(local: LocalConsortium, id: string): Promise<void> {
  const { placed } = (await local.api(publisherCentre).get(`/v1/records/${id}`)) as PlacedRecord;
  const other: Header = { ...placed.header, digest: 'b'.repeat(64) };
  const ledger = await openLedger(loadConfig(local.layout.node(publisherCentre)).ledger);
  try {
    await (await ledger.submit('publish', encodeBatchArgument({ headers: [other], previous: [], publisher: publisherCentre, seq: besideTheNode }))).committed();
  } finally {
    await ledger.close();
  }
  await local.whenLevel();
}

/** By record id, what the readers' nodes do to an access of it. */
export function forcedAccesses(ids: ReadonlyMap<string, string>): Readonly<Record<string, Forced>> {
  return Object.fromEntries(sandboxRecords.flatMap(({ forced, name }) => (forced === undefined ? [] : [[ids.get(name) ?? '', forced]])));
}

/** Signs the sandbox's grants into files, and brings each into its case. Answers the files by name. */
export async function makeGrants(local: LocalConsortium, owner: SampleOwner, domain: Domain, recordId: string): Promise<ReadonlyMap<string, string>> {
  const folder = path.join(local.layout.root, 'grants');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const client = await local.client(bank);
  const files = new Map<string, string>();
  for (const grant of sandboxGrants) {
    const envelope = await sign(grant, owner, domain);
    const file = path.join(folder, `${grant.name}.json`);
    writeFileSync(file, `${JSON.stringify(envelope, null, 2)}\n`, { mode: 0o600 });
    files.set(grant.name, file);
    if (grant.after === 'used-up') await use(client, envelope, recordId);
    if (grant.after === 'revoked') await local.api(hostCentre).post('/v1/revocations', await owner.wallet.signRevocation(domain, { owner: owner.id, grant: grantDigest(domain, envelope.grant) }));
  }
  await local.whenLevel();
  return files;
}

async function sign({ claims, from, grantee, maxUses, purpose, until, wrong }: SandboxGrant, owner: SampleOwner, domain: Domain): Promise<GrantEnvelope> {
  const now = Math.floor(Date.now() / 1000);
  const terms = {
    owner: owner.id,
    grantee: grantee ?? bank,
    claims: claims ?? grantedClaims,
    purpose: purpose ?? grantPurpose,
    reference: referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'sandbox project'),
    notBefore: now + (from ?? grantDefaults.from),
    expires: now + (until ?? grantDefaults.until),
    maxUses: maxUses ?? grantDefaults.maxUses,
    nonce: `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`,
  };
  if (wrong === undefined) return await owner.wallet.signGrant(domain, terms);
  const stranger = new OwnerWallet(Wallet.createRandom(), memoryPin());
  if (wrong === 'signer') return await stranger.signGrant(domain, terms);
  const elsewhere = domainOf({ chaincode: 'huilian', channel: 'elsewhere', charter: '0'.repeat(64), founding: '0'.repeat(64) });
  return await stranger.signGrant(elsewhere, terms);
}

async function use(client: MemberClient, grant: GrantEnvelope, recordId: string): Promise<void> {
  const access = await client.open({ recordIds: [recordId], claims: ['entry'], purpose: grantPurpose, grant });
  await client.read(access);
  await client.receipt(access);
}

/** What an integrator starts from, as JSON and as variables of a shell. */
export interface SandboxFacts {
  readonly charter: string;
  readonly nodes: Readonly<Record<string, string>>;
  readonly records: ReadonlyMap<string, string>;
  readonly grants: ReadonlyMap<string, string>;
  /** File of each owner's bare test key, by name of the owner. */
  readonly wallets: ReadonlyMap<string, string>;
}

export function writeFacts(local: LocalConsortium, { charter, grants, nodes, records, wallets }: SandboxFacts): { readonly json: string; readonly env: string } {
  const { root } = local.layout;
  const members = Object.fromEntries(sandboxMembers.map(({ host = '', id, kind }) => [id, { kind, node: nodes[host] ?? '', keys: path.join(local.layout.member(id), 'member-keys.json') }]));
  const owners = Object.fromEntries(Object.entries(sandboxOwners).map(([name, { bidder }]) => [name, { owner: `org:${bidder.uscc}`, name: bidder.name, ...(wallets.has(name) ? { wallet: wallets.get(name) ?? '' } : {}) }]));
  const facts = { about: 'a sandbox of this machine: everything is invented / 本机沙箱，一切均为虚构', charter, nodes, members, owners, records: Object.fromEntries(records), grants: Object.fromEntries(grants) } satisfies JsonObject;
  const files = { json: path.join(root, 'sandbox.json'), env: path.join(root, 'sandbox.env') };
  writeFileSync(files.env, shellVariables(facts), { mode: 0o600 });
  // Written last: a folder that has it was made to its end.
  writeFileSync(files.json, `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
  return files;
}

interface WrittenFacts {
  readonly charter: string;
  readonly grants: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, { readonly keys: string; readonly node: string }>>;
  readonly nodes: Readonly<Record<string, string>>;
  readonly owners: Readonly<Record<string, { readonly owner: string; readonly wallet?: string }>>;
  readonly records: Readonly<Record<string, string>>;
}

function shellVariables({ charter, grants, members, nodes, owners, records }: WrittenFacts): string {
  const lines: [string, string][] = [['CHARTER', charter]];
  const add = (prefix: string, values: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) lines.push([`${prefix}_${name.toUpperCase().replaceAll('-', '_')}`, value]);
  };
  add('NODE', nodes);
  add('KEYS', Object.fromEntries(Object.entries(members).map(([id, { keys }]) => [id, keys])));
  add('OWNER', Object.fromEntries(Object.entries(owners).map(([name, { owner }]) => [name, owner])));
  add('WALLET', Object.fromEntries(Object.entries(owners).map(([name, { wallet }]) => [name, wallet])));
  add('RECORD', records);
  add('GRANT', grants);
  return lines.map(([name, value]) => `${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`).join('');
}
