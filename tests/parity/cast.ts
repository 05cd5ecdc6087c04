import { webcrypto } from 'node:crypto';
import { issueIdentity } from '@huilian/embedded-ledger';
import { issue, pemOf } from '../../chaincode/test/consortium.js';
import type { strangers } from './schedule.js';
import type { Identity } from './signed-proposal.js';

type Stranger = (typeof strangers)[number];

/** Who acts: a client of each organisation, and identities that no engine may admit. */
export class Cast {
  private constructor(
    private readonly clients: ReadonlyMap<string, Identity>,
    private readonly others: ReadonlyMap<string, Identity>,
    private readonly strange: ReadonlyMap<string, Identity>,
  ) {}

  /** `dir` is the state folder of an embedded ledger that holds the organisations' authorities. */
  public static async assemble(dir: string, clients: readonly Identity[]): Promise<Cast> {
    const day = 86_400_000;
    const others = new Map<string, Identity>();
    const strange = new Map<string, Identity>();
    const issued = await issue({ subject: 'CN=Stranger (invented), OU=client', from: Math.floor(Date.now() / 1000) - 3600, until: Math.floor(Date.now() / 1000) + 86_400 });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', issued.keys.privateKey)).toString('base64');
    const stranger = { certificate: pemOf(issued), key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n` };
    for (const { mspId } of clients) {
      const give = async (name: string, request: Omit<Parameters<typeof issueIdentity>[2], 'name' | 'role'> & { role?: 'client' | 'peer' }): Promise<Identity> =>
        await issueIdentity(dir, mspId, { name, role: 'client', ...request });
      others.set(mspId, await give('another', {}));
      const far = clients.find((client) => client.mspId !== mspId);
      const kinds: Readonly<Record<Stranger, Identity | undefined>> = {
        'unknown organisation': { mspId: 'StrangerMSP', ...stranger },
        'unknown issuer': { mspId, ...stranger },
        'wrong organisation': far && { ...far, mspId },
        'no role': await give('no-role', { ou: [] }),
        peer: await give('a-peer', { role: 'peer' }),
        expired: await give('expired', { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) }),
        'signed with another key': undefined,
      };
      for (const [kind, identity] of Object.entries(kinds)) if (identity !== undefined) strange.set(`${mspId} ${kind}`, identity);
    }
    return new Cast(new Map(clients.map((client) => [client.mspId, client])), others, strange);
  }

  public client(mspId: string): Identity {
    const client = this.clients.get(mspId);
    if (client === undefined) throw new Error(`no client of ${mspId}`);
    return client;
  }

  /** Another client of the same organisation. */
  public other(mspId: string): Identity {
    return this.others.get(mspId) ?? this.client(mspId);
  }

  public actor(mspId: string, stranger: Stranger | undefined): { readonly identity: Identity; readonly signingKey: string } {
    const identity = this.strange.get(`${mspId} ${String(stranger)}`) ?? this.client(mspId);
    return { identity, signingKey: stranger === 'signed with another key' ? this.other(mspId).key : identity.key };
  }
}
