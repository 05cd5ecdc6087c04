import { ProtocolError, readMemberDocument, readPurpose, referenceOf, toHex, type JsonObject } from '@huilian/protocol';
import type { Ask, HttpDoor, KindDefinition, Rendering } from '@huilian/sdk';
import { given, type NodeOptions } from './huilian-command.js';

export interface GrantOptions extends NodeOptions {
  readonly wallet?: string;
  readonly owner?: string;
  readonly grantee?: string;
  readonly claims?: readonly string[];
  readonly purpose?: string;
  readonly project?: string;
  readonly uses?: number;
  readonly days?: number;
  readonly ask?: string;
  readonly out?: string;
  readonly yes?: boolean;
}

/** Terms of a grant that is about to be signed; `referenceSalt` opens the reference to whoever is told it. */
export interface GrantTerms {
  readonly grant: JsonObject;
  readonly referenceSalt?: string;
}

const daySeconds = 86_400;
/** A grant starts a minute ago, so that a node whose clock is a little behind takes it at once. */
const startedSeconds = 60;

/** Terms as the options name them. @throws BAD_FIELD, PURPOSE_UNKNOWN */
export function termsOfOptions(options: GrantOptions): GrantTerms {
  const notBefore = Math.floor(Date.now() / 1000) - startedSeconds;
  const salt = randomBytes(16);
  const grant = {
    claims: [...new Set(given(options.claims, '--claims'))].sort(),
    expires: notBefore + given(options.days, '--days') * daySeconds,
    grantee: given(options.grantee, '--grantee'),
    maxUses: given(options.uses, '--uses'),
    nonce: freshNonce(),
    notBefore,
    owner: given(options.owner, '--owner'),
    purpose: readPurpose(given(options.purpose, '--purpose')),
    reference: options.project === undefined ? freshNonce() : referenceOf(salt, options.project),
  };
  return options.project === undefined ? { grant } : { grant, referenceSalt: toHex(salt) };
}

/** Exactly what a reader asked for. @throws BAD_FIELD where the wallet's owner named another */
export function termsOfAsk(ask: Ask, owner: string | undefined): GrantTerms {
  if (owner !== undefined && owner !== ask.owner) throw new ProtocolError('BAD_FIELD', { path: '--owner', reason: 'the ask is to another owner' });
  const { claims, expires, grantee, maxUses, notBefore, purpose, reference } = ask;
  return { grant: { claims: [...claims], expires, grantee, maxUses, nonce: freshNonce(), notBefore, owner: ask.owner, purpose, reference } };
}

/** The grant in words with the reader's registered name, and what the reader noted. @throws MEMBER_UNKNOWN, WALLET_UNREADABLE, BAD_FIELD */
export async function wordsOf(terms: GrantTerms, door: HttpDoor, note: string | undefined, kinds: readonly KindDefinition[]): Promise<Rendering> {
  const { describeGrant, renderGrant } = await import('@huilian/sdk');
  const { grantee } = describeGrant(terms.grant, {}, kinds);
  const { document } = await door.get<{ document: unknown }>(`/v1/members/${encodeURIComponent(grantee)}`);
  const { name } = readMemberDocument(document);
  const words = renderGrant(terms.grant, { [grantee]: { zh: oneLine(name.zh), en: oneLine(name.en) } }, kinds);
  if (note === undefined) return words;
  const noted = `"${oneLine(note)}"`;
  return { zh: [...words.zh, `读取方附言：${noted}`], en: [...words.en, `The reader notes: ${noted}`] };
}

/** Others' words on one line, without what could make a terminal show other words than those that are signed. */
function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
}

function freshNonce(): string {
  return `0x${toHex(randomBytes(32))}`;
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
