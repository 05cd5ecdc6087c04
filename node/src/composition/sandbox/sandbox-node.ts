// The process of a sandbox's node: a node like any other, but that it tells its parent of each ask, and that accesses of
// certain records are late, refused or spoilt. Only `huilian sandbox` starts this file; no configuration leads here.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrorCode, ProtocolError, readRequest, recordId } from '@huilian/protocol';
import type { RelayedAccess } from '../../core/access/relay-request.js';
import { runNode } from '../run-node.js';
import type { RunningServices } from '../running-services.js';
import type { Forced } from './sandbox-cast.js';

const [, , stateDir = '', forcedFile = ''] = process.argv;

/** By record id; written once the records have one. */
function forcedOf(id: string): Forced | undefined {
  if (!existsSync(forcedFile)) return undefined;
  return (JSON.parse(readFileSync(forcedFile, 'utf8')) as Record<string, Forced>)[id];
}

function forceAccesses({ relay }: RunningServices): void {
  const times = new Map<string, number>();
  const relayAsItIs = relay.relay.bind(relay);
  const resendAsItIs = relay.resend.bind(relay);
  relay.relay = async (reader, request, grant) => {
    const { headers, publisher } = readRequest(request).request;
    const [id = ''] = headers.map(({ header }) => recordId(publisher, header.kind, header.localId));
    const forced = forcedOf(id) ?? {};
    await delay((forced.delaySeconds ?? 0) * 1000);
    const time = (times.get(id) ?? 0) + 1;
    times.set(id, time);
    if (forced.refuse !== undefined && isErrorCode(forced.refuse) && (forced.everySecondTime !== true || time % 2 === 1)) throw new ProtocolError(forced.refuse, { reason: 'forced by the sandbox' });
    return spoil(await relayAsItIs(reader, request, grant), forced);
  };
  relay.resend = async (reader, ticket) => {
    const access = await resendAsItIs(reader, ticket);
    return spoil(access, forcedOf(access.state.records[0]?.recordId ?? '') ?? {});
  };
}

function spoil(access: RelayedAccess, { spoil: part }: Forced): RelayedAccess {
  const { jwe, release } = access.release;
  if (part === 'ciphertext') return { ...access, release: { jwe: changeOne(jwe, jwe.length - 40), release } };
  if (part === 'signature') return { ...access, release: { jwe, release: changeOne(release, release.length - 40) } };
  return access;
}

function changeOne(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

await runNode(stateDir, (services) => {
  forceAccesses(services);
  services.asks.onAsk(({ id, owner }) => { process.send?.({ ask: id, owner }); });
});
