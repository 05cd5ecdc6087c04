import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { ProtocolError, readMemberDocument, type MemberDocument } from '@huilian/protocol';
import { generateMemberKeys, publicKeysOf } from '@huilian/sdk';
import { createKeys } from '../adapters/keys/node-keys.js';
import type { InitOptions } from '../adapters/cli/process-actions.js';

/** File of a member without a node: its private keys. */
export const memberKeysFile = 'member-keys.json';
/** What a member states of itself, kept beside its keys for the charter or its admission. */
export const memberDocumentFile = 'member.json';

/** Makes keys and configuration of a new member in a state folder. @throws CONFIG_INVALID {reason: 'exists'}, BAD_FIELD */
export async function initialise(options: InitOptions): Promise<MemberDocument> {
  mkdirSync(options.state, { recursive: true, mode: 0o700 });
  const file = path.join(options.state, memberDocumentFile);
  if (existsSync(file)) throw new ProtocolError('CONFIG_INVALID', { file, reason: 'exists' });
  const document = readMemberDocument({ ...commonFields(options), ...(options.kind === 'centre' ? await centreFields(options) : await hostedFields(options)) });
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  return document;
}

function commonFields({ contact, kind, member, nameEn, nameZh, organisation, region }: InitOptions): object {
  return { contact, id: member, kind, name: { en: nameEn, zh: nameZh }, organisation, region };
}

async function centreFields(options: InitOptions): Promise<object> {
  const ledger = ledgerOf(options);
  if (ledger === undefined) throw new ProtocolError('BAD_FIELD', { path: '--connection', reason: 'a centre needs its ledger connection file' });
  const identity = await createKeys(options.state, options.member);
  const { exchangeHost, exchangePort } = options;
  const address = addressOf(exchangeHost ?? '127.0.0.1', exchangePort);
  // Reached from elsewhere, it listens on every address of the machine: the one others dial may be a router's.
  const listen = exchangeHost === undefined ? address : addressOf(isIP(exchangeHost) === 6 ? '::' : '0.0.0.0', exchangePort);
  const config = {
    memberId: options.member,
    http: { host: '127.0.0.1', port: options.httpPort },
    exchange: { listen: [listen] },
    ledger,
  };
  writeFileSync(path.join(options.state, 'huilian.json'), `${JSON.stringify(config, null, 2)}\n`);
  return { addresses: [address], encryptionKey: identity.encryptionKey, peerId: identity.peerId, signingKey: identity.signingKey };
}

/** A multiaddr. */
function addressOf(host: string, port: number): string {
  const version = isIP(host);
  return `/${version === 0 ? 'dns' : `ip${String(version)}`}/${host}/tcp/${String(port)}`;
}

/** The ledger section of the configuration, with paths relative to the state folder. */
function ledgerOf({ connection, network, state }: InitOptions): object | undefined {
  const near = (file: string): string => path.relative(path.resolve(state), path.resolve(file));
  if (network !== undefined) return { client: 'network', ...network, profile: near(network.profile), wallet: near(network.wallet) };
  return connection === undefined ? undefined : { connection: near(connection) };
}

async function hostedFields({ host, member, state }: InitOptions): Promise<object> {
  if (host === undefined) throw new ProtocolError('BAD_FIELD', { path: '--host', reason: 'name the centre that serves this member' });
  const keys = await generateMemberKeys(member);
  writeFileSync(path.join(state, memberKeysFile), `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return { addresses: [], host, ...publicKeysOf(keys) };
}
