import { readFile, rename, writeFile } from 'node:fs/promises';
import { Wallet } from 'ethers';
import { OwnerWallet, ProtocolError, type DomainPin } from '@huilian/sdk';

/**
 * The bidder's wallet on disk: whose key it is, and the key in an encrypted keystore (Web3 secret storage, as ethers
 * writes it). `unprotectedTestKey` holds a bare private key instead: for tests and demonstrations with invented owners.
 */
interface WalletFile {
  readonly format: 'huilian-wallet/1';
  readonly owner: string;
  readonly keystore?: unknown;
  readonly unprotectedTestKey?: string;
}

export interface OpenedWallet {
  readonly owner: string;
  readonly wallet: OwnerWallet;
}

/** @throws BAD_FIELD where the file is none, or the password does not open it */
export async function openWallet(path: string, password: string | undefined): Promise<OpenedWallet> {
  const file = JSON.parse(await readFile(path, 'utf8')) as WalletFile;
  if (file.format !== 'huilian-wallet/1' || !/^org:[0-9A-Z]{18}$/.test(file.owner)) throw new ProtocolError('BAD_FIELD', { path: '/wallet', reason: 'format' });
  return { owner: file.owner, wallet: new OwnerWallet(await openKey(file, password), filePin(`${path}.domain`)) };
}

async function openKey({ keystore, unprotectedTestKey }: WalletFile, password: string | undefined): Promise<Wallet> {
  if (unprotectedTestKey !== undefined) return new Wallet(unprotectedTestKey);
  if (password === undefined) throw new ProtocolError('BAD_FIELD', { path: '/password', reason: 'missing' });
  const opened = await Wallet.fromEncryptedJson(JSON.stringify(keystore), password).catch(() => {
    throw new ProtocolError('BAD_FIELD', { path: '/password', reason: 'does-not-open' });
  });
  return new Wallet(opened.privateKey);
}

/** Makes a new key for an owner; never overwrites. Returns the key id to register on the ledger. */
export async function createWallet(path: string, owner: string, password: string): Promise<string> {
  const key = Wallet.createRandom();
  const file: WalletFile = { format: 'huilian-wallet/1', owner, keystore: JSON.parse(await key.encrypt(password)) as unknown };
  await writeFile(path, `${JSON.stringify(file, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  return key.address.toLowerCase();
}

/** Remembers beside the wallet which consortium it signs for: the salt it first met. */
function filePin(path: string): DomainPin {
  return {
    read: async () => {
      try {
        return (await readFile(path, 'utf8')).trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write: async (salt) => {
      await writeFile(`${path}.new`, `${salt}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}
