import { Command, Option, SubCommand } from 'nest-commander';
import { ownerIdShape, ProtocolError, type Domain } from '@huilian/protocol';
import { given, HuilianCommand, StateCommand, stateFolder, type CommandResult, type OutputOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { createWalletFile, openWalletFile } from './wallet-file.js';

/** How long the certificate's word on the key may wait on its way to the ledger. */
const statementSeconds = 3600;

interface RegisterOptions extends StateOptions {
  readonly owner?: string;
  readonly wallet?: string;
  readonly certificate?: string;
  readonly certificateKey?: string;
}

@SubCommand({
  name: 'register',
  description:
    "register an owner's key with its certificate / 用数字证书登记权属人密钥。Example: huilian owner register --state ./state --owner org:91440105MA6NNHC07C --wallet wallet.json --certificate chain.pem --certificate-key key.pem",
})
export class RegisterOwnerCommand extends StateCommand<RegisterOptions> {
  protected async act(_args: readonly string[], options: RegisterOptions): Promise<CommandResult> {
    const owner = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const { certificateChain, certificateKey, signStatement } = await import('./certified-statement.js');
    const privateKey = certificateKey(given(options.certificateKey, '--certificate-key'));
    const chain = certificateChain(given(options.certificate, '--certificate'), privateKey);
    const { keepTo, key } = await openWalletFile(given(options.wallet, '--wallet'));
    const api = NodeApi.open(stateFolder(options));
    const { domain } = (await api.get('/v1/consortium')) as { domain: Domain };
    await keepTo(domain);
    const statement = signStatement({ expires: Math.floor(Date.now() / 1000) + statementSeconds, key, owner, salt: domain.salt }, privateKey);
    const answer = (await api.post('/v1/owners', { chain, statement })) as object;
    return { json: { ...answer, key, owner }, text: `${owner}\nkey 密钥 ${key}\nregistered / 已登记` };
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--wallet <file>', description: "the owner's wallet; its password in HUILIAN_WALLET_PASSWORD or typed / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--certificate <file>', description: "PEM of the entity's certificate and those above it / 证书链" })
  public parseCertificate(value: string): string {
    return value;
  }

  @Option({ flags: '--certificate-key <file>', description: "PEM of the certificate's private key, ECDSA P-256 or RSA / 证书私钥" })
  public parseCertificateKey(value: string): string {
    return value;
  }
}

interface KeyOptions extends OutputOptions {
  readonly wallet?: string;
}

@SubCommand({
  name: 'key',
  description: "make an owner's key in an encrypted wallet file / 生成加密钱包。Example: huilian owner key --wallet wallet.json",
})
export class OwnerKeyCommand extends HuilianCommand<KeyOptions> {
  protected async act(_args: readonly string[], options: KeyOptions): Promise<CommandResult> {
    const file = given(options.wallet, '--wallet');
    const key = await createWalletFile(file);
    return { json: { key, wallet: file }, text: `key 密钥 ${key}\nkeep ${file} and its password: nobody else has them / 请妥善保管钱包文件与口令，他人无法找回` };
  }

  @Option({ flags: '--wallet <file>', description: 'file to make; never overwritten / 新钱包文件' })
  public parseWallet(value: string): string {
    return value;
  }
}

@Command({
  name: 'owner',
  description: "owners' keys: make, register / 权属人密钥。Example: huilian owner key --wallet wallet.json",
  subCommands: [RegisterOwnerCommand, OwnerKeyCommand],
})
export class OwnerCommand extends HuilianCommand<OutputOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: 'owner', reason: 'one of register, key' }));
  }
}
