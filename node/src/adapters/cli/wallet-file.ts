import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { BaseWallet } from 'ethers';
import { ProtocolError, type Domain } from '@huilian/protocol';
import type { DomainPin, OwnerWallet } from '@huilian/sdk';
import { readText } from './command-files.js';
import { walletPassword } from './terminal.js';

export interface OpenedWallet {
  readonly wallet: OwnerWallet;
  /** Key id as the ledger registers it. */
  readonly key: string;
  /** Refuses another consortium than the wallet first met. @throws WALLET_DOMAIN_CHANGED */
  readonly keepTo: (domain: Domain) => Promise<void>;
}

/**
 * Opens a wallet: an encrypted keystore (Web3 secret storage), or a bare private key as the sample data's invented owners
 * have it. Which consortium it signs for is remembered beside it. @throws BAD_FIELD
 */
export async function openWalletFile(file: string): Promise<OpenedWallet> {
  const text = readText(file).trim();
  const signer = /^0x[0-9a-f]{64}$/i.test(text) ? await bareKey(file, text) : await decrypt(file, text);
  const { OwnerWallet } = await import('@huilian/sdk');
  const pin = filePin(`${file}.domain`);
  return { wallet: new OwnerWallet(signer, pin), key: signer.address.toLowerCase(), keepTo: async (domain) => { await keepTo(pin, domain); } };
}

/** Makes an owner's key in an encrypted keystore; never overwrites. Answers the key id. @throws BAD_FIELD */
export async function createWalletFile(file: string): Promise<string> {
  if (existsSync(file)) throw new ProtocolError('BAD_FIELD', { path: file, reason: 'exists already; a key is never overwritten' });
  const password = await walletPassword(true);
  const { Wallet } = await import('ethers');
  const wallet = Wallet.createRandom();
  const keystore = await wallet.encrypt(password);
  try {
    writeFileSync(file, `${keystore}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: `cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
  return wallet.address.toLowerCase();
}

async function bareKey(file: string, key: string): Promise<BaseWallet> {
  process.stderr.write(`${file}: the key is not encrypted; for invented sample owners only / 私钥未加密，仅限虚构样例\n`);
  const { Wallet } = await import('ethers');
  return new Wallet(key);
}

async function decrypt(file: string, keystore: string): Promise<BaseWallet> {
  const { isKeystoreJson, Wallet } = await import('ethers');
  if (!isKeystoreJson(keystore)) throw new ProtocolError('BAD_FIELD', { path: file, reason: 'not a wallet: make one with huilian owner key' });
  const password = await walletPassword(false);
  try {
    return new Wallet((await Wallet.fromEncryptedJson(keystore, password)).privateKey);
  } catch {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: 'the password does not open it' });
  }
}

function filePin(file: string): DomainPin {
  return {
    read: () => Promise.resolve(existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined),
    write: (salt) => {
      writeFileSync(file, `${salt}\n`, { mode: 0o600 });
      return Promise.resolve();
    },
  };
}

async function keepTo(pin: DomainPin, { salt }: Domain): Promise<void> {
  const pinned = await pin.read();
  if (pinned === undefined) await pin.write(salt);
  else if (pinned !== salt) throw new ProtocolError('WALLET_DOMAIN_CHANGED');
}
