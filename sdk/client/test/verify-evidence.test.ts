import { createSign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, sha256Hex, stateKey, toBase64url, utf8, type JsonValue } from '@huilian/protocol';
import { EvidenceVerifier, ProtocolError, readEvidence, verifyEvidence, type Evidence, type EvidenceReport } from '../src/index.js';
import { certify, endorse, makeAccess, makeConsortium, proposalResponse, transaction, type Access, type EndorsedParts, type Endorser } from './mini-consortium.js';

let access: Access;
let stranger: Access;
beforeAll(async () => {
  access = await makeAccess(await makeConsortium());
  stranger = await makeAccess(await makeConsortium());
});

const verify = async (evidence: unknown, presentations?: readonly string[]): Promise<EvidenceReport> =>
  await verifyEvidence(evidence, { charterFingerprint: access.consortium.fingerprint, ...(presentations === undefined ? {} : { presentations }) });
const resultOf = (report: EvidenceReport, id: string): string => {
  const check = report.checks.find((one) => one.id === id);
  return `${check?.result ?? ''} ${check?.why ?? ''}`.trim();
};

/** What a verifier says of a file: `ok`, the failing checks, or the code it throws. */
async function verdict(evidence: unknown): Promise<string> {
  try {
    const { checks, ok } = await verify(evidence);
    return ok ? 'ok' : checks.filter(({ result }) => result === 'fails').map(({ id, why }) => `${id}: ${why ?? ''}`).join('; ');
  } catch (error) {
    return error instanceof ProtocolError ? error.code : `not a refusal: ${String(error)}`;
  }
}

describe('evidence that holds', () => {
  it('proves everything but what needs the ledger', async () => {
    const report = await verify(access.evidence, access.presentations);
    expect(report.checks.filter(({ result }) => result === 'fails')).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.checks.filter(({ result }) => result === 'holds').map(({ id }) => id)).toEqual(['charter', 'ticket', 'records', 'payloads', 'registration', 'grant', 'request', 'release', 'receipt']);
    expect(report.checks.filter(({ result }) => result === 'not-provable-yet').map(({ id }) => id)).toEqual(['validity', 'no-later-revocation']);
    for (const { en, zh } of report.checks) expect([en, zh].every((words) => words.length > 3)).toBe(true);
    expect(report).toMatchObject({ reader: 'sample-bank', publisher: 'heyuan', owner: 'org:91440105MA6NNHC07C', purpose: 'credit-check', claims: ['entry', 'score'], ticket: access.evidence.ticketId });
  });

  it('says nothing of content that is not given, and refuses other content', async () => {
    expect(resultOf(await verify(access.evidence), 'payloads')).toBe('');
    expect((await verify(access.evidence)).ok).toBe(true);
    const [first = '', second = ''] = access.presentations;
    expect(resultOf(await verify(access.evidence, [second, first]), 'payloads')).toMatch(/^fails PAYLOAD_DIGEST_MISMATCH/);
    expect(resultOf(await verify(access.evidence, [first]), 'payloads')).toMatch(/^fails EVIDENCE_INVALID/);
  });

  it('reads the file as text or bytes in the two spellings that are written', async () => {
    const pretty = `${JSON.stringify(access.evidence, null, 2)}\n`;
    for (const file of [JSON.stringify(access.evidence), pretty, new TextEncoder().encode(pretty)]) expect(await verdict(file)).toBe('ok');
    for (const file of [pretty.replace('\n', ' '), ` ${pretty}`, pretty.replace('"format"', '"\\u0066ormat"'), `{"format":"evidence/0",${JSON.stringify(access.evidence).slice(1)}`, '{', '']) {
      expect(await verdict(file)).toBe('EVIDENCE_MALFORMED');
    }
  });

  it('stands on the fingerprint alone: another consortium\'s evidence proves nothing', async () => {
    expect(await verdict(stranger.evidence)).toContain('charter: EVIDENCE_INVALID {"reason":"fingerprint"}');
    const report = await verify(stranger.evidence);
    expect(report.checks.filter(({ result }) => result === 'holds')).toEqual([]);
    expect(report.reader).toBe('');
  });

  it('under a policy says what is not in the file, and takes no grant beside it', async () => {
    const open = await makeAccess(access.consortium, { policy: 'c'.repeat(64) });
    const report = await verify(open.evidence);
    expect(report.ok).toBe(true);
    expect([resultOf(report, 'registration'), resultOf(report, 'grant'), resultOf(report, 'request')]).toEqual(['not-provable-yet policy', 'not-provable-yet policy', 'holds']);
    expect(await verdict({ ...open.evidence, grant: access.evidence.grant })).toContain('grant-surplus');
    expect(await verdict({ ...open.evidence, registration: access.evidence.registration })).toContain('registration-surplus');
  });

  it('refuses what is no evidence', async () => {
    for (const file of [undefined, null, 7, [], {}, { ...access.evidence, format: 'evidence/1' }, { ...access.evidence, more: true }]) expect(await verdict(file)).toBe('EVIDENCE_MALFORMED');
    expect(() => readEvidence({ ...access.evidence, records: [] })).toThrow(ProtocolError);
  });
});

describe('evidence with parts exchanged', () => {
  const fields: readonly (keyof Evidence)[] = ['batches', 'charter', 'founding', 'grant', 'jweDigest', 'readerKey', 'receipt', 'records', 'registration', 'release', 'request', 'ticket', 'ticketId'];
  it.each(fields)('refuses %s of another access', async (field) => {
    const other = field === 'ticketId' ? `${sha256Hex(utf8('other'))}/0` : field === 'founding' ? sha256Hex(utf8('other')) : stranger.evidence[field];
    expect(other).not.toEqual(access.evidence[field]);
    expect(await verdict({ ...access.evidence, [field]: other })).not.toBe('ok');
  });

  it('refuses a missing grant or registration, a batch too many, records in another order', async () => {
    const { grant: _grant, ...withoutGrant } = access.evidence;
    expect(await verdict(withoutGrant)).toContain('grant-missing');
    const { registration: _registration, ...withoutRegistration } = access.evidence;
    expect(await verdict(withoutRegistration)).toContain('registration-missing');
    expect(await verdict({ ...access.evidence, batches: [...access.evidence.batches, ...access.evidence.batches] })).toContain('batch-surplus');
    expect(await verdict({ ...access.evidence, records: [...access.evidence.records].reverse() })).toContain('records');
  });
});

describe('endorsements', () => {
  const ticketParts = (): EndorsedParts => {
    const { opened, evidence } = access;
    return { transactionId: evidence.ticket.transactionId, writes: { [stateKey('ticket', evidence.ticketId)]: opened.state } };
  };
  const withTicket = (parts: Partial<EndorsedParts>, endorsers?: readonly Endorser[]): Evidence => ({ ...access.evidence, ticket: transaction(access.consortium, { ...ticketParts(), ...parts }, endorsers) });

  it('are needed of more than half of the charter\'s centres', async () => {
    const [first, second] = access.consortium.centres;
    if (first === undefined || second === undefined) throw new Error('two centres');
    expect(await verdict(withTicket({}, [first, second]))).toBe('ok');
    expect(await verdict(withTicket({}, [first]))).toContain('"no-majority"');
    expect(await verdict(withTicket({}, [first, first, first]))).toContain('"no-majority"');
  });

  it('count only by a peer\'s certificate of the centre\'s own CA', async () => {
    const [first, second] = access.consortium.centres;
    if (first === undefined || second === undefined) throw new Error('two centres');
    const ca = { pem: second.caPem, keys: second.caKeys };
    const organisation = second.organisation;
    const impostors: Record<string, Endorser> = {
      'endorser-certificate': { organisation, peer: await certify(ca, 'a client', { units: ['client'] }) },
      'another CA': { organisation, peer: await certify({ pem: second.caPem, keys: first.caKeys }, 'signed by a stranger') },
      'another curve': { organisation, peer: await certify(ca, 'a P-384 key', { curve: 'P-384' }) },
    };
    for (const [what, impostor] of Object.entries(impostors)) expect(await verdict(withTicket({}, [first, impostor])), what).toContain('"endorser-certificate"');
    expect(await verdict(withTicket({}, [first, { organisation: first.organisation, peer: second.peer }]))).toContain('"endorser-certificate"');
    expect(await verdict(withTicket({}, [first, { organisation: 'OtherMSP', peer: second.peer }]))).toContain('"endorser-organisation"');
  });

  it('must verify each: a wrong one beside enough right ones is refused', async () => {
    const [first, second, third] = access.consortium.centres;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three centres');
    const payload = proposalResponse(ticketParts());
    const endorsements = [...endorse(payload, [first, second]), { ...endorse(payload, [third])[0], signature: toBase64url(createSign('sha256').update('other').sign(third.peer.key)) }];
    expect(await verdict({ ...access.evidence, ticket: { ...access.evidence.ticket, proposalResponse: toBase64url(payload), endorsements } })).toContain('"endorsement-signature"');
  });

  it('speak of this chaincode, a success, this transaction and this key', async () => {
    expect(await verdict(withTicket({ chaincode: 'other' }))).toContain('"chaincode"');
    expect(await verdict(withTicket({ status: 500 }))).toContain('"chaincode"');
    expect(await verdict(withTicket({ eventId: sha256Hex(utf8('other')) }))).toContain('"transaction-id"');
    expect(await verdict(withTicket({ namespace: 'other' }))).toContain('"no-ticket-write"');
    expect(await verdict(withTicket({ deleted: true }))).toContain('"no-ticket-write"');
    expect(await verdict(withTicket({ writes: { [stateKey('ticket', access.evidence.ticketId)]: { ...access.opened.state, more: 1 } } }))).toContain('UNKNOWN_FIELD');
  });

  it('of another grant, reader, term or count do not fit the rest', async () => {
    const { state } = access.opened;
    const changes: Record<string, object> = {
      reader: { reader: 'other-bank' },
      owner: { owner: 'org:91440106MABAY5U732' },
      term: { openedAt: state.openedAt + 2000 },
      count: { slot: 3 },
      claims: { claims: ['entry', 'finding', 'score'] },
      purpose: { purpose: 'supervision' },
      request: { request: sha256Hex(utf8('other')) },
      'reader key': { readerKey: 'A'.repeat(43) },
      publisher: { publisher: 'qingyuan' },
    };
    for (const [what, change] of Object.entries(changes)) {
      expect(await verdict(withTicket({ writes: { [stateKey('ticket', access.evidence.ticketId)]: { ...state, ...change } } })), what).not.toBe('ok');
    }
  });
});

/** Every leaf of a JSON value by its path. */
function leaves(value: JsonValue, path: readonly (string | number)[] = []): { path: readonly (string | number)[]; leaf: string | number | boolean | null }[] {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).flatMap((entry, index) => leaves(entry, [...path, index]));
  if (isJsonObject(value)) return Object.entries(value).flatMap(([name, entry]) => leaves(entry, [...path, name]));
  return [{ path, leaf: value as string | number | boolean | null }];
}

function changed(value: JsonValue, [step, ...rest]: readonly (string | number)[], leaf: JsonValue): JsonValue {
  if (step === undefined) return leaf;
  const copy: Record<string | number, JsonValue> | JsonValue[] = Array.isArray(value) ? [...(value as readonly JsonValue[])] : { ...(value as Record<string, JsonValue>) };
  (copy as Record<string | number, JsonValue>)[step] = changed((value as Record<string | number, JsonValue>)[step] as JsonValue, rest, leaf);
  return copy as JsonValue;
}

/** The string with one character replaced by another of the same sort, so that grammars are still met. */
function nudged(text: string, at: number): string {
  const character = text[at] ?? '';
  const next = /[0-8]/.test(character) ? String(Number(character) + 1) : /[a-eA-E]/.test(character) ? String.fromCharCode(character.charCodeAt(0) + 1) : character === '9' ? '0' : character === 'a' ? 'b' : 'a';
  return `${text.slice(0, at)}${next}${text.slice(at + 1)}`;
}

describe('one byte changed', () => {
  it('in any value is refused', async () => {
    const whole = JSON.parse(JSON.stringify(access.evidence)) as JsonValue;
    const survivors: string[] = [];
    let tried = 0;
    for (const { leaf, path } of leaves(whole)) {
      const variants = typeof leaf === 'number' ? [leaf + 1] : typeof leaf === 'string' ? [...new Set([0, Math.floor(leaf.length / 2), leaf.length - 1])].map((at) => nudged(leaf, at)) : [];
      for (const variant of variants.filter((value) => value !== leaf)) {
        tried += 1;
        if ((await verdict(changed(whole, path, variant))) === 'ok') survivors.push(`${path.join('/')} ${String(variant).slice(0, 40)}`);
      }
    }
    expect(tried).toBeGreaterThan(250);
    expect(survivors).toEqual([]);
  });

  it('anywhere in the file is refused', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(access.evidence, null, 2));
    const survivors: string[] = [];
    for (let round = 0; round < 120; round += 1) {
      const at = Math.floor((round * bytes.length) / 120);
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) ^ (1 << (round % 7));
      const said = await verdict(copy);
      if (said === 'ok' || said.startsWith('not a refusal')) survivors.push(`${String(at)} ${said}`);
    }
    expect(survivors).toEqual([]);
  });
});

describe('a verifier that remembers', () => {
  const knowing = new EvidenceVerifier();
  const says = async (file: unknown, fingerprint = access.consortium.fingerprint): Promise<string> =>
    await knowing.verify(file, fingerprint).then(({ checks, ok }) => (ok ? 'ok' : checks.filter(({ result }) => result === 'fails').map(({ id }) => id).join(' ')), (error: unknown) => (error instanceof ProtocolError ? error.code : String(error)));

  it('refuses one byte changed in a file that it proved, each time', async () => {
    const whole = new TextEncoder().encode(JSON.stringify(access.evidence));
    const survivors: string[] = [];
    for (let round = 0; round < 60; round += 1) {
      expect(await says(whole)).toBe('ok');
      const at = Math.floor((round * whole.length) / 60);
      const copy = whole.slice();
      copy[at] = (copy[at] ?? 0) ^ 1;
      for (const once of [await says(copy), await says(copy), await says(new TextDecoder().decode(copy))]) if (once === 'ok') survivors.push(String(at));
      // The bytes a caller handed in stay the caller's: changed in place they are another file.
      whole[at] = (whole[at] ?? 0) ^ 1;
      if ((await says(whole)) === 'ok') survivors.push(`${String(at)} in place`);
      whole[at] = (whole[at] ?? 0) ^ 1;
    }
    expect(survivors).toEqual([]);
  });

  it('takes no object for what it was before', async () => {
    const evidence = JSON.parse(JSON.stringify(access.evidence)) as { receipt: string; ticket: { proposalResponse: string } };
    const { receipt } = evidence;
    expect(await says(evidence)).toBe('ok');
    evidence.receipt = nudged(receipt, receipt.length - 20);
    expect(await says(evidence)).toBe('receipt');
    evidence.receipt = receipt;
    expect(await says(evidence)).toBe('ok');
    evidence.ticket.proposalResponse = nudged(evidence.ticket.proposalResponse, 200);
    expect(await says(evidence)).toContain('ticket');
  });

  it('stands on the fingerprint that is given, not on the one of before', async () => {
    const file = JSON.stringify(access.evidence);
    expect(await says(file)).toBe('ok');
    expect(await says(file, stranger.consortium.fingerprint)).toContain('charter ticket');
    expect(await says(file)).toBe('ok');
  });

  it('takes no text for another that has the same bytes', async () => {
    const file = JSON.stringify(access.evidence);
    const { en } = access.evidence.charter.name;
    expect(await says(file.replace(en, `${en}\ufffd`))).toContain('charter');
    expect(await says(file.replace(en, `${en}\ud800`))).toBe('EVIDENCE_MALFORMED');
  });
});
