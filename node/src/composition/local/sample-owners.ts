import { createPrivateKey, sign, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Wallet } from 'ethers';
import { ProtocolError, toBase64url, type Domain, type SignedStatement } from '@huilian/protocol';
import { OwnerWallet, registrationBytes, type DomainPin } from '@huilian/sdk';
import type { NodeApi } from '../../adapters/cli/node-api.js';
import type { SampleCa } from './sample-ca.js';

export interface SampleBidder {
  readonly uscc: string;
  readonly name: string;
  readonly centre: string;
}

const statementSeconds = 3600;

/** A fictional bidder with its wallet. The key file is for this sample only: a real owner's key is encrypted and its own. */
export class SampleOwner {
  public readonly wallet: OwnerWallet;

  private constructor(
    public readonly bidder: SampleBidder,
    private readonly signer: Wallet,
    folder: string,
  ) {
    this.wallet = new OwnerWallet(signer, filePin(path.join(folder, 'domain-pin')));
  }

  /** Opens the owner's wallet in a folder, making its key first where there is none. */
  public static open(bidder: SampleBidder, owners: string): SampleOwner {
    const folder = path.join(owners, bidder.uscc);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, 'key.txt');
    if (!existsSync(file)) writeFileSync(file, Wallet.createRandom().privateKey, { mode: 0o600 });
    return new SampleOwner(bidder, new Wallet(readFileSync(file, 'utf8').trim()), folder);
  }

  public get id(): string {
    return `org:${this.bidder.uscc}`;
  }

  /** Registers the owner's key with a certificate of the sample CA; registered before is as good. */
  public async register(api: NodeApi, domain: Domain, ca: SampleCa): Promise<void> {
    const certified = await ca.certify(this.bidder.uscc, this.bidder.name);
    const statement = { expires: Math.floor(Date.now() / 1000) + statementSeconds, key: this.signer.address.toLowerCase(), owner: this.id, salt: domain.salt };
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', certified.privateKey));
    const signature = sign('sha256', registrationBytes(statement), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    const signed: SignedStatement = { algorithm: 'ecdsa-sha256', signature: toBase64url(signature), statement };
    try {
      await api.post('/v1/owners', { chain: [certified.certificate, ca.base64], statement: signed });
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== 'OWNER_EXISTS') throw error;
    }
  }
}

function filePin(file: string): DomainPin {
  return {
    read: () => Promise.resolve(existsSync(file) ? readFileSync(file, 'utf8') : undefined),
    write: (salt) => {
      writeFileSync(file, salt, { mode: 0o600 });
      return Promise.resolve();
    },
  };
}
