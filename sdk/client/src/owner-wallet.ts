import type { Signer } from 'ethers';
import {
  canonicalBytes,
  describeClaim,
  keyRotationShape,
  ProtocolError,
  purposes,
  readGrant,
  recoveryObjectionShape,
  revocationShape,
  splitCanonicalSignature,
  toHex,
  trailRequestShape,
  typedStructs,
  type Domain,
  type Grant,
  type GrantEnvelope,
  type RegistrationStatement,
  type RevocationEnvelope,
  type TrailRequestEnvelope,
  type KeyRotationEnvelope,
  type RecoveryObjectionEnvelope,
  type TypedStructName,
} from '@huilian/protocol';

/** What is about to be signed, in words; line by line, in both languages. */
export interface Rendering {
  readonly zh: readonly string[];
  readonly en: readonly string[];
}

/** Where the wallet remembers which consortium it signs for (a file, localStorage, a map in tests). */
export interface DomainPin {
  read(): Promise<string | undefined>;
  write(salt: string): Promise<void>;
}

const sameDay = { timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;

function when(seconds: number, language: 'zh' | 'en'): string {
  return new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', sameDay).format(new Date(seconds * 1000));
}

/** One text in both languages. */
export interface Words {
  readonly zh: string;
  readonly en: string;
}

/** The parts of a grant in words, for pages that lay them out themselves. */
export interface GrantWords {
  readonly owner: string;
  /** Member id of the reader, and its name where it is known. */
  readonly grantee: string;
  readonly reader: Words;
  readonly claims: readonly Words[];
  readonly purpose: Words;
  /** Beijing time. */
  readonly from: Words;
  readonly until: Words;
  readonly maxUses: number;
}

/**
 * An owner's grant in words: who may read which claims, for what, from when until when, how often. Throws for anything
 * it cannot name, so that nobody signs what the page could not say. @throws WALLET_UNREADABLE, BAD_FIELD, UNKNOWN_FIELD
 */
export function describeGrant(value: unknown, names: Readonly<Record<string, Words>> = {}): GrantWords {
  const grant = readGrant(value);
  const claims = grant.claims.map((qualified) => {
    const [kind = '', claim = ''] = qualified.split('/');
    const title = describeClaim(kind, claim);
    if (title === undefined) throw new ProtocolError('WALLET_UNREADABLE', { claim: qualified });
    return { zh: `${title.kind.zh}：${title.zh}`, en: `${title.kind.en}: ${title.en}` };
  });
  const both = (seconds: number): Words => ({ zh: when(seconds, 'zh'), en: when(seconds, 'en') });
  return {
    owner: grant.owner,
    grantee: grant.grantee,
    reader: names[grant.grantee] ?? { zh: grant.grantee, en: grant.grantee },
    claims,
    purpose: purposes[grant.purpose],
    from: both(grant.notBefore),
    until: both(grant.expires),
    maxUses: grant.maxUses,
  };
}

/** The same line by line. @throws WALLET_UNREADABLE, BAD_FIELD, UNKNOWN_FIELD */
export function renderGrant(value: unknown, names: Readonly<Record<string, Words>> = {}): Rendering {
  const { claims, from, grantee, maxUses, owner, purpose, reader, until } = describeGrant(value, names);
  return {
    zh: [
      `权属人 ${owner}`,
      `允许 ${reader.zh}（${grantee}）读取：`,
      ...claims.map(({ zh }) => `　· ${zh}`),
      `用途：${purpose.zh}`,
      `有效期：${from.zh} 至 ${until.zh}（北京时间）`,
      `次数：最多 ${String(maxUses)} 次`,
    ],
    en: [
      `Owner ${owner}`,
      `lets ${reader.en} (${grantee}) read:`,
      ...claims.map(({ en }) => `  · ${en}`),
      `Purpose: ${purpose.en}`,
      `Valid: ${from.en} to ${until.en} (Beijing time)`,
      `Uses: at most ${String(maxUses)}`,
    ],
  };
}

/** The owner's wallet over any ethers Signer. It signs only what it can render, and only for the consortium it pinned. */
export class OwnerWallet {
  public constructor(
    private readonly signer: Signer,
    private readonly pin: DomainPin,
  ) {}

  /** Key id as the ledger registers it. */
  public async key(): Promise<string> {
    return (await this.signer.getAddress()).toLowerCase();
  }

  /** @throws WALLET_UNREADABLE, WALLET_DOMAIN_CHANGED, BAD_FIELD, UNKNOWN_FIELD */
  public async signGrant(domain: Domain, value: unknown): Promise<GrantEnvelope> {
    renderGrant(value);
    const grant: Grant = readGrant(value);
    return { domain, grant, signature: await this.sign(domain, 'Grant', { ...grant }), suite: 'eip712-secp256k1' };
  }

  public async signRevocation(domain: Domain, value: unknown): Promise<RevocationEnvelope> {
    const revocation = revocationShape.read(value);
    return { domain, revocation, signature: await this.sign(domain, 'Revocation', { ...revocation }), suite: 'eip712-secp256k1' };
  }

  public async signTrailRequest(domain: Domain, owner: string): Promise<TrailRequestEnvelope> {
    const nonce = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
    const request = trailRequestShape.read({ owner, issuedAt: Math.floor(Date.now() / 1000), nonce });
    return { domain, request, signature: await this.sign(domain, 'TrailRequest', { ...request }), suite: 'eip712-secp256k1' };
  }

  public async signKeyRotation(domain: Domain, value: unknown): Promise<KeyRotationEnvelope> {
    const rotation = keyRotationShape.read(value);
    return { domain, rotation, signature: await this.sign(domain, 'KeyRotation', { ...rotation }), suite: 'eip712-secp256k1' };
  }

  public async signRecoveryObjection(domain: Domain, value: unknown): Promise<RecoveryObjectionEnvelope> {
    const objection = recoveryObjectionShape.read(value);
    return { domain, objection, signature: await this.sign(domain, 'RecoveryObjection', { ...objection }), suite: 'eip712-secp256k1' };
  }

  private async sign(domain: Domain, name: TypedStructName, message: Record<string, unknown>): Promise<string> {
    await this.checkPin(domain);
    const fields = typedStructs[name].map((field) => ({ ...field }));
    const signature = (await this.signer.signTypedData({ ...domain }, { [name]: fields }, message)).toLowerCase();
    if (splitCanonicalSignature(signature) === undefined) throw new ProtocolError('GRANT_NONCANONICAL_SIG');
    return signature;
  }

  private async checkPin(domain: Domain): Promise<void> {
    const pinned = await this.pin.read();
    if (pinned === undefined) await this.pin.write(domain.salt);
    else if (pinned !== domain.salt) throw new ProtocolError('WALLET_DOMAIN_CHANGED');
  }
}

/** The bytes that the key of an entity's certificate signs to register an owner's key. */
export function registrationBytes(statement: RegistrationStatement): Uint8Array {
  return canonicalBytes(statement);
}

/** A pin in memory, for tests and short scripts. */
export function memoryPin(): DomainPin {
  let salt: string | undefined;
  return {
    read: () => Promise.resolve(salt),
    write: (value) => {
      salt = value;
      return Promise.resolve();
    },
  };
}
