import { Command, Option, SubCommand } from './declared-commands.js';
import { ownerIdShape, ownerKeyShape, ProtocolError, type Domain, type OwnerState } from '@huilian/protocol';
import type { OwnerClient, Rendering, renderStatement as Render } from '@huilian/sdk';
import { given, HuilianCommand, NodeCommand, nodeUrl, StateCommand, stateFolder, type CommandResult, type NodeOptions, type OutputOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { confirm } from './terminal.js';
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

interface RecoverOptions extends StateOptions {
  readonly owner?: string;
  readonly key?: string;
  readonly certificate?: string;
  readonly certificateKey?: string;
}

@SubCommand({
  name: 'recover',
  description:
    "approve as a centre that a lost key is replaced; the second centre's approval starts 72 hours in which the old key may object / 密钥恢复。Example: huilian owner recover --state ./state --owner org:91440105MA6NNHC07C --key 0x2c7536e3605d9c16a7a3d7b1898e529396a65c23 --certificate chain.pem --certificate-key key.pem",
})
export class RecoverOwnerCommand extends StateCommand<RecoverOptions> {
  protected async act(_args: readonly string[], options: RecoverOptions): Promise<CommandResult> {
    const owner = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const key = ownerKeyShape.read(given(options.key, '--key').toLowerCase(), '--key');
    const { certificateChain, certificateKey, signStatement } = await import('./certified-statement.js');
    const privateKey = certificateKey(given(options.certificateKey, '--certificate-key'));
    const chain = certificateChain(given(options.certificate, '--certificate'), privateKey);
    const api = NodeApi.open(stateFolder(options));
    const { domain } = (await api.get('/v1/consortium')) as { domain: Domain };
    const statement = signStatement({ expires: Math.floor(Date.now() / 1000) + statementSeconds, key, owner, salt: domain.salt }, privateKey);
    const answer = (await api.post('/v1/owner-keys/recover', { chain, statement })) as RecoveryAnswer;
    return { json: answer, text: describeRecovery(answer.response) };
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--key <id>', description: "the owner's new key, as huilian owner key printed it / 新密钥" })
  public parseKey(value: string): string {
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

interface RecoveryAnswer {
  readonly response: { readonly approvals: readonly string[]; readonly effectiveAt: number; readonly key: string; readonly owner: string };
}

function describeRecovery({ approvals, effectiveAt, key, owner }: RecoveryAnswer['response']): string {
  const when = effectiveAt === 0 ? 'waits for a second centre / 尚待另一中心批准' : `effective at 生效时间 ${new Date(effectiveAt * 1000).toISOString()}, unless the old key objects / 除非原密钥反对`;
  return `${owner}\nnew key 新密钥 ${key}\napproved by 已批准 ${approvals.join(', ')}\n${when}`;
}

interface ChangeOptions extends NodeOptions {
  readonly owner?: string;
  readonly wallet?: string;
  readonly yes?: boolean;
}

/** A statement of the owner about its key: said in words, confirmed, signed by the wallet, brought to a node. */
abstract class OwnerStatementCommand<Options extends ChangeOptions> extends NodeCommand<Options> {
  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--wallet <file>', description: "the owner's wallet; its password in HUILIAN_WALLET_PASSWORD or typed / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--yes', description: 'sign without asking / 不再询问' })
  public parseYes(): boolean {
    return true;
  }

  /** The owner's client once the owner said yes to the words; undefined where it did not. */
  protected async agreed(options: Options, say: (owner: string, renderStatement: typeof Render) => Rendering): Promise<OwnerClient | undefined> {
    const owner = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const [file, url] = [given(options.wallet, '--wallet'), nodeUrl(options)];
    const { OwnerClient, renderStatement } = await import('@huilian/sdk');
    const { en, zh } = say(owner, renderStatement);
    process.stderr.write(`${[...zh, '', ...en].join('\n')}\n`);
    if (!(await confirm('sign this? 签署以上声明？', options.yes === true))) return undefined;
    const { wallet } = await openWalletFile(file);
    return OwnerClient.connect(url, owner, wallet);
  }
}

const notSigned: CommandResult = { json: { signed: false }, text: 'not signed / 未签署', failed: true };

interface RotateOptions extends ChangeOptions {
  readonly newWallet?: string;
}

@SubCommand({
  name: 'rotate',
  description:
    "change to the key of another wallet; every grant of the old key ends / 更换权属人密钥。Example: huilian owner rotate --owner org:91440105MA6NNHC07C --wallet wallet.json --new-wallet new.json --node https://node.example.org",
})
export class RotateOwnerCommand extends OwnerStatementCommand<RotateOptions> {
  protected async act(_args: readonly string[], options: RotateOptions): Promise<CommandResult> {
    // Opened, not only read: a key that nobody can use must not be registered.
    const { key } = await openWalletFile(given(options.newWallet, '--new-wallet'));
    const now = Math.floor(Date.now() / 1000);
    const client = await this.agreed(options, (owner, render) => render('KeyRotation', { owner, newKey: key, expires: now + statementSeconds }));
    if (client === undefined) return notSigned;
    const { transactionId } = await client.rotateKey(key);
    return { json: { signed: true, key, owner: client.owner, transactionId }, text: `${client.owner}\nkey 密钥 ${key}\nchanged; sign the grants again that should go on / 已更换，需继续的授权请重新签署` };
  }

  @Option({ flags: '--new-wallet <file>', description: 'wallet with the new key, made by huilian owner key, under the same password where it comes from HUILIAN_WALLET_PASSWORD / 新钱包文件' })
  public parseNewWallet(value: string): string {
    return value;
  }
}

@SubCommand({
  name: 'object',
  description:
    'end a recovery that is under way, with the old key / 反对密钥恢复。Example: huilian owner object --owner org:91440105MA6NNHC07C --wallet wallet.json --node https://node.example.org',
})
export class ObjectRecoveryCommand extends OwnerStatementCommand<ChangeOptions> {
  protected async act(_args: readonly string[], options: ChangeOptions): Promise<CommandResult> {
    const { HttpDoor } = await import('@huilian/sdk');
    const id = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const { recovery } = await new HttpDoor(nodeUrl(options)).get<OwnerState>(`/v1/owners/${encodeURIComponent(id)}`);
    if (recovery === undefined) throw new ProtocolError('RECOVERY_UNKNOWN', { owner: id });
    const client = await this.agreed(options, (owner, render) => render('RecoveryObjection', { owner, newKey: recovery.key }));
    if (client === undefined) return notSigned;
    const { transactionId } = await client.objectRecovery(recovery.key);
    return { json: { signed: true, key: recovery.key, owner: id, transactionId }, text: `${id}\nthe recovery to ${recovery.key} is ended / 该恢复已终止` };
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
  description: "owners' keys: make, register, change, recover / 权属人密钥。Example: huilian owner key --wallet wallet.json",
  subCommands: [OwnerKeyCommand, RegisterOwnerCommand, RotateOwnerCommand, RecoverOwnerCommand, ObjectRecoveryCommand],
})
export class OwnerCommand extends HuilianCommand<OutputOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'one of key, register, rotate, recover, object' }));
  }
}
