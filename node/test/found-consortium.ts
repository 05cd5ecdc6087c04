import { bundledKinds, canonicalBytes, parseCanonicalObject, proposalId, type LedgerFunction } from '@huilian/protocol';
import type { Ledger } from '../src/core/ports.js';
import type { NodeIdentity } from '../src/adapters/keys/node-keys.js';

/** A centre that founds, and its client of the ledger. */
export interface Founder {
  readonly centre: string;
  readonly organisation: string;
  /** PEM of the authority of its peers. */
  readonly caCertificate: string;
  readonly identity: NodeIdentity;
  readonly ledger: Ledger;
}

/** Founds an invented consortium and adopts kinds by vote, on any engine by any client. */
export async function foundConsortium(channel: string, founders: readonly Founder[], kinds: readonly string[]): Promise<void> {
  const charter = {
    chaincode: 'huilian',
    channel,
    founders: founders.map((founder) => ({ caCertificate: founder.caCertificate, member: memberDocument(founder) })),
    name: { en: 'Invented consortium', zh: '虚构联盟' },
    values: { offerSeconds: 60, ticketSeconds: 900 },
  };
  const submit = async (at: number, name: LedgerFunction, argument: unknown): Promise<unknown> => {
    const submission = await (founders[at] as Founder).ledger.submit(name, canonicalBytes(argument));
    await submission.committed();
    for (const { ledger } of founders) await whenKnown(ledger, submission.transactionId);
    return parseCanonicalObject(submission.response);
  };
  for (const [at, { centre }] of founders.entries()) await submit(at, 'found', { charter, founder: centre });
  for (const { document } of bundledKinds().filter(({ kind }) => kinds.includes(kind))) {
    const proposal = { action: 'publish-schema', content: { document }, round: 1 } as const;
    await submit(0, 'propose', proposal);
    await submit(1, 'approve', { proposal: proposalId(proposal) });
  }
}

/** The next founder's peer may lag behind the one that committed. */
async function whenKnown(ledger: Ledger, transactionId: string): Promise<void> {
  // Each look waits a second where the peer has not seen it.
  for (let looks = 0; looks < 30; looks += 1) if ((await ledger.transactionCode(transactionId)) === 'VALID') return;
  throw new Error(`a founder's peer does not learn of ${transactionId}`);
}

function memberDocument({ centre, identity: { encryptionKey, peerId, signingKey }, organisation }: Founder): object {
  return {
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
    contact: 'https://centre.example.invalid',
    encryptionKey,
    id: centre,
    kind: 'centre',
    name: { en: `${centre} trading centre (invented)`, zh: '虚构交易中心' },
    organisation,
    peerId,
    region: '440100',
    signingKey,
  };
}
