import { fillForm, MemberClient, ProtocolError, referenceOf, type Ask, type FilledForm, type FormMap, type FoundRecord, type MemberKeys } from '@huilian/sdk';

/** This platform's own registration form: each field, and the verified claim it comes from (`kind/claim.field`). */
const registrationForm: FormMap = {
  companyName: 'entity/identity.name',
  companyCode: 'entity/identity.uscc',
  legalForm: 'entity/identity.legalType',
  division: 'entity/identity.region',
  licenceNumber: 'entity/registration.licenceNumber',
  licenceValidUntil: 'entity/registration.licenceEnd',
  registeredCapitalFen: 'entity/registration.capital',
  contactPerson: 'entity/contact.person',
  contactPhone: 'entity/contact.phone',
  postalAddress: 'entity/contact.address',
};
// Asking for exactly the groups that the form needs: nobody grants what no field uses.
const claims = [...new Set(Object.values(registrationForm).map((source) => source.split('.')[0] ?? ''))].sort();
const dayInSeconds = 86_400;

export interface PlatformTerms {
  /** HTTP address of the node that serves this platform. */
  readonly nodeUrl: string;
  readonly keys: MemberKeys;
  /** Unified social credit code of the bidder who wants to register here. */
  readonly uscc: string;
  /** Told once the request waits for the bidder: pass its id on, as a link to the bidder's page. */
  readonly onAsk: (ask: Ask) => void | Promise<void>;
  /** How long the bidder may take; 600 where absent. */
  readonly waitSeconds?: number;
}

export interface PlatformResult extends FilledForm {
  /** The record that filled the form, and who checked it. */
  readonly recordId: string;
  readonly publisher: string;
  /** Proof of the access on the ledger. */
  readonly ticket: string;
}

/**
 * Registers a bidder who is registered elsewhere: nothing is typed again, and every field says where it was verified.
 * @throws RECORD_UNKNOWN where no centre has registered it, GRANT_REQUIRED where no grant came in time, the coded refusal
 */
export async function runPlatform(terms: PlatformTerms): Promise<PlatformResult> {
  const client = await MemberClient.connect(terms.nodeUrl, terms.keys);
  const { recordId } = await findRegistration(client, `org:${terms.uscc}`);

  const now = Math.floor(Date.now() / 1000);
  const ask = await client.ask({
    owner: `org:${terms.uscc}`,
    claims,
    purpose: 'registration',
    // No project is behind a registration; the salt keeps the word from being guessed.
    reference: referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'registration'),
    notBefore: now,
    expires: now + 7 * dayInSeconds,
    maxUses: 1,
  });
  await terms.onAsk(ask);
  const grant = await client.whenGranted(ask, { seconds: terms.waitSeconds ?? 600 });

  const access = await client.open({ recordIds: [recordId], claims: claims.map((claim) => claim.split('/')[1] ?? ''), purpose: 'registration', grant });
  const records = await client.read(access);
  await client.receipt(access);
  return { ...fillForm(registrationForm, records), recordId, publisher: access.state.publisher, ticket: access.ticket };
}

/** The registration that any centre published, as the consortium knows it: its header, no content. */
async function findRegistration(client: MemberClient, subject: string): Promise<FoundRecord> {
  for await (const record of client.query({ subject, kind: 'entity', status: 'active' })) {
    if (!record.contested) return record;
  }
  throw new ProtocolError('RECORD_UNKNOWN', { subject });
}
