import type { Signer } from 'ethers';
import {
  domainShape,
  ProtocolError,
  recoverOwnerKey,
  splitCanonicalSignature,
  toHex,
  typedDigest,
  typedStructs,
  type Domain,
  type GrantEnvelope,
  type KindDefinition,
  type KeyRotationEnvelope,
  type RecordStatementEnvelope,
  type RecoveryObjectionEnvelope,
  type RevocationEnvelope,
  type TrailRequestEnvelope,
  type TypedStructName,
} from '@huilian/protocol';
import { readableGrant, readableStatement } from './wallet-words.js';

/** Where the wallet remembers which consortium it signs for (a file, localStorage, a map in tests). */
export interface DomainPin {
  read(): Promise<string | undefined>;
  write(salt: string): Promise<void>;
}

const suite = 'eip712-secp256k1';

/** The owner's wallet over any ethers Signer. It signs only what it can say in words, and only for the consortium it pinned. */
export class OwnerWallet {
  private pinning: Promise<void> = Promise.resolve();

  public constructor(
    private readonly signer: Signer,
    private readonly pin: DomainPin,
  ) {}

  /** Key id as the ledger registers it. */
  public async key(): Promise<string> {
    return (await this.signer.getAddress()).toLowerCase();
  }

  /**
   * @param kinds adopted kinds that this software does not bring along (`adoptedKinds`): what has no title is not signed
   * @throws WALLET_UNREADABLE, WALLET_DOMAIN_CHANGED, STATEMENT_BAD_SIGNATURE where the signer signs something else
   */
  public async signGrant(domain: Domain, value: unknown, kinds: readonly KindDefinition[] = []): Promise<GrantEnvelope> {
    const grant = readableGrant(value, kinds);
    return { domain, grant, signature: await this.sign(domain, 'Grant', grant), suite };
  }

  /** @throws as signGrant */
  public async signRevocation(domain: Domain, value: unknown): Promise<RevocationEnvelope> {
    const revocation = readableStatement('Revocation', value);
    return { domain, revocation, signature: await this.sign(domain, 'Revocation', revocation), suite };
  }

  /** @throws as signGrant */
  public async signTrailRequest(domain: Domain, owner: string): Promise<TrailRequestEnvelope> {
    const nonce = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
    const request = readableStatement('TrailRequest', { owner, issuedAt: Math.floor(Date.now() / 1000), nonce });
    return { domain, request, signature: await this.sign(domain, 'TrailRequest', request), suite };
  }

  /** @param kinds as signGrant @throws as signGrant */
  public async signRecordStatement(domain: Domain, value: unknown, kinds: readonly KindDefinition[] = []): Promise<RecordStatementEnvelope> {
    const statement = readableStatement('RecordStatement', value, kinds);
    return { domain, statement, signature: await this.sign(domain, 'RecordStatement', statement), suite };
  }

  /** @throws as signGrant */
  public async signKeyRotation(domain: Domain, value: unknown): Promise<KeyRotationEnvelope> {
    const rotation = readableStatement('KeyRotation', value);
    return { domain, rotation, signature: await this.sign(domain, 'KeyRotation', rotation), suite };
  }

  /** @throws as signGrant */
  public async signRecoveryObjection(domain: Domain, value: unknown): Promise<RecoveryObjectionEnvelope> {
    const objection = readableStatement('RecoveryObjection', value);
    return { domain, objection, signature: await this.sign(domain, 'RecoveryObjection', objection), suite };
  }

  private async sign(domain: Domain, name: TypedStructName, message: Readonly<Record<string, unknown>>): Promise<string> {
    await this.checkPin(domain);
    const fields = typedStructs[name].map((field) => ({ ...field }));
    const signature = canonicalSignature(await this.signer.signTypedData({ ...domain }, { [name]: fields }, { ...message }));
    // A signer elsewhere (hardware, a browser's extension) may show and sign other bytes than ours.
    if (recoverOwnerKey(typedDigest(domain, name, message), signature) !== (await this.key())) throw new ProtocolError('STATEMENT_BAD_SIGNATURE', { reason: 'signer' });
    return signature;
  }

  /** One after the other: two first uses at once may not pin two consortia. */
  private async checkPin(domain: Domain): Promise<void> {
    const turn = this.pinning.then(async () => {
      const { salt } = readDomain(domain);
      const pinned = await this.pin.read();
      if (pinned === undefined) await this.pin.write(salt);
      else if (pinned !== salt) throw new ProtocolError('WALLET_DOMAIN_CHANGED');
    });
    this.pinning = turn.catch(() => undefined);
    await turn;
  }
}

function readDomain(domain: Domain): Domain {
  try {
    return domainShape.read(domain);
  } catch {
    throw new ProtocolError('WALLET_UNREADABLE', { path: '/domain' });
  }
}

/** Order of secp256k1 (SEC 2 §2.4.1). */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/**
 * The one spelling the ledger takes: 65 bytes as lower-case hex, low s, v 27 or 28. Signers that answer v as 0 or 1, or
 * the high s of the same signature, are put right. @throws GRANT_NONCANONICAL_SIG
 */
function canonicalSignature(raw: string): string {
  const parts = /^0x([0-9a-f]{64})([0-9a-f]{64})([0-9a-f]{2})$/.exec(raw.toLowerCase());
  if (parts === null) throw new ProtocolError('GRANT_NONCANONICAL_SIG');
  const [, r = '', given = '', last = ''] = parts;
  const s = BigInt(`0x${given}`);
  const high = s > order / 2n;
  const recovery = Number.parseInt(last, 16) % 27;
  const signature = `0x${r}${(high ? order - s : s).toString(16).padStart(64, '0')}${(27 + (high ? 1 - recovery : recovery)).toString(16)}`;
  if (recovery > 1 || splitCanonicalSignature(signature) === undefined) throw new ProtocolError('GRANT_NONCANONICAL_SIG');
  return signature;
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
