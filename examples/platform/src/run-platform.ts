import { MemberClient, ProtocolError, referenceOf, type Ask, type FieldMap, type FoundRecord, type MemberKeys, type PrefilledForm, type ReadRecord } from '@huilian/sdk';

/**
 * This platform's own registration form as a field map: each field, and the verified claim it comes from. Where centres disagree the
 * newest counts, and the report says so.
 */
const registrationForm = {
  format: 'field-map/1',
  form: '平台注册表 / registration',
  prefer: { rule: 'newest' },
  fields: {
    companyName: { from: ['entity/identity.name'] },
    companyCode: { from: ['entity/identity.uscc'] },
    legalForm: { from: ['entity/identity.legalType'] },
    division: { from: ['entity/identity.region'] },
    licenceNumber: { from: ['entity/registration.licenceNumber'] },
    licenceValidUntil: { from: ['entity/registration.licenceEnd'], transform: 'date-zh' },
    registeredCapital: { from: ['entity/registration.capital'], transform: 'wan-yuan' },
    contactPerson: { from: ['entity/contact.person'] },
    contactPhone: { from: ['entity/contact.phone'] },
    postalAddress: { from: ['entity/contact.address'] },
  },
} as const satisfies FieldMap;
// Asking for exactly the groups that the form needs: nobody grants what no field uses.
const claims = [...new Set(Object.values(registrationForm.fields).flatMap(({ from }) => from.map((source) => source.split('.')[0] ?? '')))].sort();
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

/** The form with the record behind each field, and how much of it was reused from where. */
export interface PlatformResult extends PrefilledForm {
  /** Proofs of the accesses on the ledger. */
  readonly tickets: readonly string[];
}

/**
 * Registers a bidder who is registered elsewhere: nothing is typed again, and every field says where it was verified.
 * @throws RECORD_UNKNOWN where no centre has registered it, GRANT_REQUIRED where no grant came in time, the coded refusal
 */
export async function runPlatform(terms: PlatformTerms): Promise<PlatformResult> {
  const client = await MemberClient.connect(terms.nodeUrl, terms.keys);
  const owner = `org:${terms.uscc}`;
  const registrations = await findRegistrations(client, owner);

  const now = Math.floor(Date.now() / 1000);
  const ask = await client.ask({
    owner,
    claims,
    purpose: 'registration',
    // No project is behind a registration; the salt keeps the word from being guessed.
    reference: referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'registration'),
    notBefore: now,
    expires: now + 7 * dayInSeconds,
    // One use for each centre: a request names records of one publisher.
    maxUses: registrations.length,
  });
  await terms.onAsk(ask);
  const grant = await client.whenGranted(ask, { seconds: terms.waitSeconds ?? 600 });

  const reads: ReadRecord[] = [];
  const tickets: string[] = [];
  for (const { recordId } of registrations) {
    const access = await client.open({ recordIds: [recordId], claims: claims.map((claim) => claim.split('/')[1] ?? ''), purpose: 'registration', grant });
    reads.push(...(await client.read(access)));
    await client.receipt(access);
    tickets.push(access.ticket);
  }
  return { ...(await client.prefill(owner, reads, registrationForm)), tickets };
}

/** The registrations that centres published, as the consortium knows them: headers, no content. */
async function findRegistrations(client: MemberClient, subject: string): Promise<readonly FoundRecord[]> {
  const found: FoundRecord[] = [];
  for await (const record of client.query({ subject, kind: 'entity', status: 'active' })) if (!record.contested) found.push(record);
  if (found.length === 0) throw new ProtocolError('RECORD_UNKNOWN', { subject });
  return found;
}
