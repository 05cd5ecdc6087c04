import { readFileSync } from 'node:fs';
import type * as Protocol from '@huilian/protocol';

/**
 * Runs tests/vectors/{valid,invalid}/<item>.json against an implementation of the protocol: its sources, its compiled
 * package inside a CommonJS process, the copy the SDK depends on. One function per item says how an input is put to it.
 */
type Protocol = typeof Protocol;
type Call = (input: unknown) => unknown;

interface Vector {
  readonly name: string;
  readonly input: unknown;
  readonly expect?: unknown;
  readonly code?: string;
}

/** The test runner, or what stands in for it. */
export interface Runner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => void | Promise<void>): void;
  expect(actual: unknown): { toEqual(expected: unknown): void };
}

type Input = Readonly<Record<string, unknown>>;

function call<T>(take: (input: T) => unknown): Call {
  return (input) => take(input as T);
}

function plainItems(protocol: Protocol): Record<string, Call> {
  const { fromBase64url, fromHex, toHex, utf8 } = protocol;
  return {
    canonical: call(({ read, text, bytes }: { read: 'strict' | 'canonical'; text?: string; bytes?: string }) => {
      const source = text ?? fromBase64url(bytes ?? '');
      const value = read === 'strict' ? protocol.parseStrict(source) : protocol.parseCanonical(source);
      return { text: protocol.canonicalize(value), sha256: protocol.documentDigest(value) };
    }),
    'record-id': call((id: string) => protocol.parseRecordId(id)),
    'owner-id': call(({ id, uscc, publicKey }: { id?: unknown; uscc?: string; publicKey?: string }) => {
      if (publicKey !== undefined) return protocol.personId(fromHex(publicKey));
      return uscc === undefined ? protocol.ownerIdShape.read(id) : protocol.organisationId(uscc);
    }),
    'local-id': call(({ id, key, kind, naturalKey }: { id?: unknown; key?: string; kind: string; naturalKey: string }) =>
      key === undefined ? protocol.localIdShape.read(id) : protocol.localId(fromHex(key), kind, naturalKey),
    ),
    header: (input) => ({ leaf: toHex(protocol.headerLeaf(protocol.readHeader(input))) }),
    'batch-argument': call(({ bytes, repeat }: { bytes?: string; repeat?: { byte: number; times: number } }) => {
      const argument = repeat === undefined ? fromBase64url(bytes ?? '') : new Uint8Array(repeat.times).fill(repeat.byte);
      const { headers, previous, publisher, seq } = protocol.decodeBatchArgument(argument);
      return { publisher, seq, count: headers.length, previous: previous.length, root: protocol.batchRoot(headers) };
    }),
    merkle: call(({ leaves, ...proof }: { leaves?: string[]; leaf: string; index: number; size: number; path: string[]; root: string }) => {
      if (leaves !== undefined) {
        const hashes = leaves.map((data) => protocol.leafHash(fromBase64url(data)));
        const paths = hashes.length === 0 ? [] : hashes.map((_, index) => new protocol.MerkleTree(hashes).path(index));
        return { root: protocol.merkleRoot(hashes), paths };
      }
      protocol.checkMerklePath(fromHex(proof.leaf, 32), proof.index, proof.size, proof.path, proof.root);
      return true;
    }),
    payload: call(({ presentation, digest, key }: { presentation: string; digest: string; key: Protocol.Es256Key }) =>
      protocol.verifyPresentation(presentation, { digest, signingKey: key }),
    ),
    jws: call(({ compact, typ, key }: { compact: string; typ: string; key: Protocol.Es256Key }) => {
      const parsed = protocol.parseJws(compact, 'REQUEST_MALFORMED');
      const kid = protocol.checkJwsHeader(parsed, typ, 'REQUEST_MALFORMED');
      const [head = '', body = ''] = compact.split('.');
      if (!protocol.verifyEs256(key, utf8(`${head}.${body}`), parsed.signature)) throw new protocol.ProtocolError('REQUEST_BAD_SIGNATURE');
      return { kid, payload: parsed.payload };
    }),
    mapping: call(({ kind, mapping, row }: { kind: string; mapping: unknown; row?: Record<string, string> }) => {
      const definition = protocol.kindDefinition(kind, 1) as Protocol.KindDefinition;
      const plan = protocol.mappedPlan(definition, protocol.readMapping(definition, mapping));
      const { data, problems } = protocol.importRow(definition, row ?? {}, plan);
      return problems.length === 0 ? { data } : { problems: problems.map(({ code }) => code) };
    }),
    errors: call((message: string) => {
      const found = protocol.parseErrorMessage(message, ['ledger', 'protocol']);
      if (found === undefined) throw new protocol.ProtocolError('LEDGER_UNAVAILABLE');
      return { code: found.code, details: found.details, http: found.entry.http, stage: found.entry.stage };
    }),
  };
}

function ownerItems(protocol: Protocol): Record<string, Call> {
  const statements = {
    KeyRotation: [protocol.keyRotationEnvelopeShape, 'rotation'],
    RecordStatement: [{ read: protocol.readRecordStatement }, 'statement'],
    RecoveryObjection: [protocol.recoveryObjectionEnvelopeShape, 'objection'],
    TrailRequest: [protocol.trailRequestEnvelopeShape, 'request'],
  } as const;
  return {
    grant: call(({ domain, envelope }: { domain: Protocol.Domain; envelope: unknown }) => {
      const { digest, key } = protocol.verifyGrantSignature(protocol.readGrantEnvelope(envelope), protocol.domainShape.read(domain));
      return { digest, key };
    }),
    revocation: call(({ domain, envelope }: { domain: Protocol.Domain; envelope: unknown }) => {
      const { digest, key } = protocol.verifyRevocationSignature(protocol.revocationEnvelopeShape.read(envelope), protocol.domainShape.read(domain));
      return { digest, key };
    }),
    'owner-statement': call(({ domain, struct, envelope }: { domain: Protocol.Domain; struct: keyof typeof statements; envelope: unknown }) => {
      const [shape, field] = statements[struct];
      const read = shape.read(envelope) as unknown as Protocol.TrailRequestEnvelope & Input;
      return { key: protocol.verifyOwnerStatement(read, struct, read[field] as Input, protocol.domainShape.read(domain)) };
    }),
    'registration-statement': (input) => ({ digest: protocol.documentDigest(protocol.signedStatementShape.read(input).statement) }),
  };
}

function viewItems(protocol: Protocol): Record<string, Call> {
  return {
    'field-map': call(({ map, records }: { map: unknown; records?: readonly unknown[] }) => {
      if (records === undefined) return { fields: Object.keys(protocol.readFieldMap(map).fields) };
      const { fields, report, tables } = protocol.prefill(protocol.mergeRecords(records), map);
      const told = ({ alsoBy, disputed, from, value }: Protocol.PrefilledValue): object => ({ value, centre: from.centre, path: from.path, alsoBy, disputed });
      const all = (row: Readonly<Record<string, Protocol.PrefilledValue>>): object => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, told(value)]));
      const choices = report.choices.map(({ chosen, field, readings, rule, why }) => ({ field, why, rule, chosen: chosen?.value ?? null, readings: readings.map(({ value }) => value) }));
      return { fields: all(fields), tables: Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, rows.map(all)])), report: { ...report, choices } };
    }),
    'merge-records': call((records: readonly unknown[]) => protocol.mergeRecords(records)),
  };
}

function accessItems(protocol: Protocol): Record<string, Call> {
  const digested = (read: (input: unknown) => unknown): Call => (input) => ({ digest: protocol.documentDigest(read(input)) });
  return {
    'access-request': call(({ jws, key }: { jws: string; key: Protocol.Es256Key }) => {
      const signed = protocol.readRequest(jws);
      protocol.verifyRequest(signed, key);
      return { digest: signed.digest };
    }),
    offer: call(({ jws, request, key }: { jws: string; request: string; key: Protocol.Es256Key }) => protocol.verifyOffer(jws, protocol.readRequest(request), key)),
    'ticket-shape': digested((input) => protocol.ticketShape.read(input)),
    release: call(({ envelope, ...expected }: { envelope: unknown; ticket: string; publisher: string; key: Protocol.Es256Key }) =>
      protocol.verifyRelease(protocol.releaseEnvelopeShape.read(envelope), expected),
    ),
    receipt: call(({ jws, ...expected }: { jws: string; ticket: string; reader: string; key: Protocol.Es256Key }) => protocol.verifyReceipt(jws, expected)),
    policy: digested((input) => protocol.policyShape.read(input)),
    charter: digested((input) => protocol.readCharter(input)),
    member: digested((input) => protocol.readMemberDocument(input)),
    'proposal-id': (input) => ({ id: protocol.proposalId(protocol.proposeArgumentShape.read(input)) }),
  };
}

/** How each item's input is put to the protocol. What is refused throws a ProtocolError. */
export function vectorItems(protocol: Protocol): Record<string, Call> {
  return { ...plainItems(protocol), ...ownerItems(protocol), ...accessItems(protocol), ...viewItems(protocol) };
}

function casesOf(folder: URL, side: 'valid' | 'invalid', item: string): readonly Vector[] {
  const file = JSON.parse(readFileSync(new URL(`${side}/${item}.json`, folder), 'utf8')) as { item: string; cases: readonly Vector[] };
  if (file.item !== item) throw new Error(`${side}/${item}.json is about ${file.item}`);
  return file.cases;
}

/** The answer, or the code of the refusal; anything that is thrown and is no ProtocolError goes through. */
export function outcomeOf(put: Call, input: unknown): { readonly expect?: unknown; readonly code?: string } {
  try {
    return { expect: put(input) };
  } catch (error) {
    if (error instanceof Error && error.name === 'ProtocolError' && 'code' in error) return { code: String(error.code) };
    throw error;
  }
}

/** Registers one test per vector of an item. `answer` gives the outcome that a vector is compared with. */
export function runFiles(item: string, folder: URL, { describe, it, expect }: Runner, answer: (input: unknown) => unknown): { readonly valid: number; readonly invalid: number } {
  const [valid, invalid] = (['valid', 'invalid'] as const).map((side) => {
    const cases = casesOf(folder, side, item);
    const least = side === 'valid' ? 5 : 10;
    describe(`${side} ${item}`, () => {
      it(`has at least ${String(least)} cases`, () => expect(cases.length >= least).toEqual(true));
      for (const { name, input, ...expected } of cases) it(name, async () => expect(await answer(input)).toEqual(expected));
    });
    return cases.length;
  });
  return { valid: valid ?? 0, invalid: invalid ?? 0 };
}

/** Registers every item of the protocol and answers how many vectors there are. `folder` is tests/vectors/, with the slash. */
export function runVectors(protocol: Protocol, runner: Runner, folder: URL): { readonly valid: number; readonly invalid: number } {
  const count = { valid: 0, invalid: 0 };
  for (const [item, put] of Object.entries(vectorItems(protocol))) {
    const { valid, invalid } = runFiles(item, folder, runner, (input) => outcomeOf(put, input));
    count.valid += valid;
    count.invalid += invalid;
  }
  return count;
}
