// Kinds that a vote adopted and no release brought along: compiled, checked, published.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledKind, canonicalBytes, checkRecord, documentDigest, factsOf, GovernedCodes, importRow, kindFromDocument, parseCanonicalObject, proposalId, readDisclosure, type JsonObject, type JsonValue, type LedgerFunction, type LedgerState } from '@huilian/protocol';
import { ExaminingThreads } from '../src/adapters/threads/examining-threads.js';
import { systemClock } from '../src/adapters/system/system-clock.js';
import { AdoptedKinds } from '../src/core/catalog/adopted-kinds.js';
import { compileKind } from '../src/core/catalog/compile-kind.js';
import { CheckLinks } from '../src/core/links/check-links.js';
import { ViewOwner } from '../src/core/owner-view/view-owner.js';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { qualification } from './sample-lines.js';

const example = (name: string): JsonObject => JSON.parse(readFileSync(new URL(`../../examples/kinds/${name}`, import.meta.url), 'utf8')) as JsonObject;
const codes = { governed: new GovernedCodes([{ name: 'forest-type', version: 1, document: example('forest-type.json') }]), today: '2026-12-01' };

/** A field of a made-up kind: how it is described, and a value that fits. */
interface Field {
  readonly shape: JsonObject;
  readonly good: JsonValue;
  readonly bad: JsonValue;
}

const fields: fc.Arbitrary<Field> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 30 })).map(([least, more]): Field => ({ shape: { type: 'string', pattern: `^[a-z]{${String(least)},${String(least + more)}}$` }, good: 'a'.repeat(least), bad: '1' })),
  fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 5 }).map((values): Field => ({ shape: { type: 'string', enum: values }, good: values[0] ?? '', bad: 'NONE' })),
  fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat({ max: 1000 })).map(([minimum, span]): Field => ({ shape: { type: 'integer', minimum, maximum: minimum + span }, good: minimum, bad: minimum - 1 })),
  fc.constant<Field>({ shape: { type: 'boolean' }, good: true, bad: 'true' }),
  fc.constant<Field>({ shape: { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'x-code': 'date' }, good: '2024-02-29', bad: '2023-02-29' }),
  fc.integer({ min: 1, max: 4 }).map((most): Field => ({ shape: { type: 'array', maxItems: most, items: { type: 'string', pattern: '^[0-9]{1,3}$' } }, good: Array.from({ length: most }, () => '7'), bad: Array.from({ length: most + 1 }, () => '7') })),
);
const names = fc.stringMatching(/^[a-z][A-Za-z0-9]{1,14}$/).filter((name) => !(name in Object.prototype) && !['status', 'version', 'iss', 'sub', 'vct', 'nbf', 'exp', 'iat', 'cnf', 'aud', 'jti'].includes(name));
const claims = fc.uniqueArray(fc.tuple(names, fc.uniqueArray(fc.tuple(names, fields, fc.boolean()), { minLength: 1, maxLength: 6, selector: ([name]) => name })), { minLength: 1, maxLength: 5, selector: ([name]) => name });

/** A whole kind made of any claims, beside the one that says whose it is. */
function madeKind(parts: readonly (readonly [string, readonly (readonly [string, Field, boolean])[]])[], name: string): { readonly document: JsonObject; readonly data: Record<string, Record<string, JsonValue>>; readonly parts: typeof parts } {
  const titled = (shape: JsonObject): JsonObject => ({ ...shape, title: 'Invented', 'x-title-zh': '虚构' });
  const closed = (properties: JsonObject, required: readonly string[]): JsonObject => titled({ type: 'object', additionalProperties: false, properties, required });
  const whose = closed({ uscc: titled({ type: 'string', pattern: '^[0-9A-HJ-NPQRTUWXY]{18}$', 'x-code': 'uscc' }), number: titled({ type: 'string', pattern: '^[0-9]{1,9}$' }) }, ['uscc', 'number']);
  const own = parts.filter(([claim]) => claim !== 'whose');
  const properties = { whose, ...Object.fromEntries(own.map(([claim, of]) => [claim, closed(Object.fromEntries(of.map(([field, { shape }]) => [field, titled(shape)])), of.filter(([, , required]) => required).map(([field]) => field))])) };
  const words = Object.fromEntries(Object.keys(properties).map((claim) => [claim, { en: claim, zh: '数据项', personal: [] }]));
  const document: JsonObject = {
    $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Invented', 'x-title-zh': '虚构', type: 'object', additionalProperties: false, required: ['whose'], properties,
    'x-huilian': { kind: name, version: 1, title: { en: 'Invented', zh: '虚构' }, rights: ['owner'], defaultRights: 'owner', rightsWhen: [], naturalKey: ['whose.number'], subject: 'whose.uscc', owner: 'whose.uscc', sealed: false, claims: words, linkChecks: [], import: { NUMBER: { path: 'whose.number', transform: 'text' } } },
  };
  const data = { whose: { uscc: '91440105MA6NNHC07C', number: '1' }, ...Object.fromEntries(own.map(([claim, of]) => [claim, Object.fromEntries(of.map(([field, { good }]) => [field, good]))])) };
  return { document, data, parts: own };
}

describe('any valid schema is compiled by a node', () => {
  it('takes what fits, and refuses each field that does not', () => {
    fc.assert(fc.property(claims, (parts) => {
      const { data, document, parts: own } = madeKind(parts, 'invented-kind');
      const kind = compileKind(document);
      expect(checkRecord(kind, data).problems).toEqual([]);
      expect(checkRecord(kind, { ...data, unknownClaim: {} }).ok).toBe(false);
      expect(factsOf(kind, data)).toMatchObject({ rights: 'owner', subject: 'org:91440105MA6NNHC07C', naturalKey: '["1"]' });
      for (const [claim, of] of own) for (const [field, { bad }] of of) {
        const spoilt = { ...data, [claim]: { ...data[claim], [field]: bad } };
        expect(checkRecord(kind, spoilt).problems.some(({ path }) => path.startsWith(`/${claim}/${field}`)), `${claim}.${field}`).toBe(true);
      }
    }), { numRuns: 60, seed: 20261201 });
  });

  it('the bundled kinds come out as they were compiled ahead of time', () => {
    const bundled = bundledKind('qualification', 1);
    if (bundled === undefined) throw new Error('bundled');
    const compiled = compileKind(bundled.document);
    for (const data of [qualification(1), { ...qualification(1), unknown: {} }, { holder: {} }, qualification(1, { level: '123' }), null, []]) expect(checkRecord(compiled, data)).toEqual(checkRecord(bundled, data));
  });

  it('rows of an export file become its records', () => {
    const kind = compileKind(example('forest-right-1.json'));
    const [header = '', ...rows] = readFileSync(new URL('../../examples/kinds/forest-right.csv', import.meta.url), 'utf8').trim().split('\n');
    const outcomes = rows.map((row) => {
      const cells = row.split(',');
      const { data, problems } = importRow(kind, Object.fromEntries(header.split(',').map((column, at) => [column, cells[at] ?? ''])));
      return [...problems, ...(data === undefined ? [] : checkRecord(kind, data, codes).problems)].map(({ code, path }) => `${path} ${code}`);
    });
    expect(outcomes).toEqual([[], [], ['/parcel/forestType forest-type-given-no-more'], ['/right/end required']]);
  });
});

describe('which version of a kind a new record follows', () => {
  const schema = (version: number, term: object): LedgerState['schema'] => {
    const document = example(`forest-right-${String(version)}.json`);
    return { digest: documentDigest(document), document, kind: 'forest-right', proposal: 'a'.repeat(64), version, ...term };
  };
  const at = (seconds: number, ...schemas: readonly LedgerState['schema'][]): AdoptedKinds =>
    new AdoptedKinds({ codeSet: () => undefined, height: () => 1, schema: (kind, version) => schemas.find((entry) => entry.kind === kind && entry.version === version) }, { now: () => seconds * 1000, sleep: () => Promise.resolve() });
  const codeOf = (act: () => unknown): unknown => { try { act(); return undefined; } catch (error) { const { code, details } = error as { code: string; details: Record<string, unknown> }; return `${code} ${String(details['reason'] ?? '')}`.trim(); } };

  it('the newest in force, by the clock', () => {
    const versions = [schema(1, { retires: 300 }), schema(2, { effective: 100 })];
    expect(at(99, ...versions).find('forest-right').version).toBe(1);
    expect(at(100, ...versions).find('forest-right').version).toBe(2);
    expect(at(100, ...versions).find('forest-right', 1).version).toBe(1);
    expect(codeOf(() => at(99, ...versions).find('forest-right', 2))).toBe('SCHEMA_UNKNOWN not-effective');
    expect(codeOf(() => at(300, ...versions).find('forest-right', 1))).toBe('SCHEMA_RETIRED');
    expect(at(300, ...versions).adopted('forest-right', 1).version).toBe(1);
    expect(at(300, ...versions).terms().newest['forest-right']).toBeUndefined();
  });

  it('none where none is in force, and it says which of the reasons', () => {
    expect(codeOf(() => at(1).find('forest-right'))).toBe('SCHEMA_UNKNOWN not-adopted');
    expect(codeOf(() => at(1, schema(1, { effective: 5 })).find('forest-right'))).toBe('SCHEMA_UNKNOWN not-effective');
    expect(codeOf(() => at(9, schema(1, { retires: 5 })).find('forest-right'))).toBe('SCHEMA_RETIRED');
    expect(codeOf(() => at(9, { ...schema(1, {}), document: {} }).find('forest-right'))).toBe('SCHEMA_UNKNOWN not-usable');
  });

  it("the ledger's document, also where this software brings another of that name along", () => {
    const own = bundledKind('qualification', 1)?.document as JsonObject;
    const document = { ...own, title: 'Another document' };
    const adopted = { digest: documentDigest(document), document, kind: 'qualification', proposal: 'a'.repeat(64), version: 1 };
    expect(at(1, adopted).find('qualification').document['title']).toBe('Another document');
    expect([...at(1, adopted).terms().documents.keys()]).toEqual(['qualification/1']);
    expect([...at(1, { ...adopted, document: own, digest: documentDigest(own) }).terms().documents.keys()]).toEqual([]);
  });
});

describe('a node publishes kinds that came by vote alone', () => {
  let consortium: Consortium;
  let node: PublishingNode;
  let threads: ExaminingThreads | undefined;
  let examined = 0;
  const ledgers: GatewayLedger[] = [];
  const folder = mkdtempSync(path.join(tmpdir(), 'huilian-kinds-'));

  async function adopt(action: string, content: object): Promise<void> {
    const proposal = { action, content, round: 1 };
    const calls: readonly (readonly [LedgerFunction, unknown])[] = [['propose', proposal], ['approve', { proposal: proposalId(proposal as never) }]];
    for (const [at, [name, argument]] of calls.entries()) {
      const submission = await (ledgers[at] as GatewayLedger).submit(name, canonicalBytes(argument));
      await submission.committed();
      parseCanonicalObject(submission.response);
    }
    await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  }

  beforeAll(async () => {
    consortium = await startConsortium(folder);
    for (const centre of ['river', 'hill'] as const) ledgers.push(await GatewayLedger.open(consortium.connectionFile(centre), 'huilian'));
    node = await PublishingNode.open({
      stateDir: consortium.stateDir('river'),
      connectionFile: consortium.connectionFile('river'),
      examiner: ({ localIdKey, memberId }) => {
        threads = new ExaminingThreads(new URL('../dist/composition/examine-thread.js', import.meta.url), 1, { localIdKey, memberId }, (error) => { throw error; });
        return { examine: async (lines, terms) => { const found = (await threads?.examine(lines, terms)) ?? []; examined += found.filter((line) => line !== undefined).length; return found; } };
      },
    });
    node.start();
    await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  }, 60_000);
  afterAll(async () => {
    await threads?.close();
    for (const ledger of ledgers) await ledger.close();
    await node.close();
    await consortium.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const publish = async (lines: readonly object[]): Promise<unknown[]> => (await node.publish((async function* together() { await Promise.resolve(); yield lines.map((line) => `${JSON.stringify(line)}\n`).join(''); })())).filter((answer) => !('acknowledged' in answer)).map((answer) => ('refused' in answer ? answer.refused.map(({ code }) => code).join() : 'ok'));
  const forest = (number: number, change: Record<string, JsonValue> = {}): JsonObject => ({
    holder: { uscc: '91440105MA6NNHC07C', name: '广州溪午示例园林有限公司' },
    certificate: { number: `LQ-440105-${String(number).padStart(6, '0')}`, issued: '2021-03-16' },
    parcel: { code: `440105JC${String(number).padStart(5, '0')}`, region: '440105', area: '12.50', forestType: '120', ...change },
    right: { type: 'ownership' },
  });

  it('whatever they look like: before the vote refused, after it published, also by threads', async () => {
    const { data, document } = madeKind(fc.sample(claims, { numRuns: 1, seed: 7 })[0] ?? [], 'made-up');
    const lines = (from: number, to: number): object[] => Array.from({ length: to - from }, (_, index) => ({ kind: 'made-up', data: { ...data, whose: { ...data['whose'], number: String(from + index) } } }));
    expect(await publish(lines(0, 1))).toEqual(['not-adopted']);
    await adopt('publish-schema', { document });
    expect(await publish(lines(0, 10))).toEqual(Array.from({ length: 10 }, () => 'ok'));
    const before = examined;
    expect(await publish(lines(10, 60))).toEqual(Array.from({ length: 50 }, () => 'ok'));
    expect(examined - before).toBe(50);
    expect(await publish([{ kind: 'made-up', data: { ...data, extra: {} } }])).toEqual(['unknown-field']);
    await node.drained();
    const { items } = await node.readModel.records({ kind: 'made-up', limit: 100 });
    expect(items).toHaveLength(60);
    const [first] = items;
    const { disclosures } = node.vault.open(first?.recordId ?? '', 1);
    expect(Object.fromEntries(Object.values(disclosures).map(readDisclosure))).toMatchObject(Object.fromEntries(Object.entries(data).filter(([claim]) => claim !== 'whose')));
  }, 60_000);

  it('with codes that a vote adopted, and a next version of them', async () => {
    await adopt('code-set', { document: example('forest-type.json'), name: 'forest-type', version: 1 });
    await adopt('publish-schema', { document: example('forest-right-1.json') });
    expect(await publish([{ kind: 'forest-right', data: forest(1) }, { kind: 'forest-right', data: forest(2, { forestType: '160' }) }])).toEqual(['ok', 'forest-type-unlisted']);
    const listed = example('forest-type.json')['codes'] as JsonObject;
    await adopt('code-set', { document: { codes: { ...listed, 160: '竹林' } }, name: 'forest-type', version: 2, effective: 1_600_000_000 });
    expect(await publish(Array.from({ length: 20 }, (_, index) => ({ kind: 'forest-right', data: forest(10 + index, { forestType: index % 2 === 0 ? '160' : '170' }) })))).toEqual(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'ok' : 'forest-type-unlisted')));
    await node.drained();
  }, 60_000);

  it('and leaves the region table to the vote: an addition is taken', async () => {
    expect(await publish([{ kind: 'forest-right', data: forest(40, { region: '440198' }) }])).toEqual(['region-unknown-region']);
    await adopt('code-set', { document: { codes: { 440198: '示例新区' } }, name: 'region', version: 1 });
    expect(await publish([{ kind: 'forest-right', data: forest(40, { region: '440198' }) }])).toEqual(['ok']);
    await node.drained();
    expect(node.alarms).toEqual([]);
  }, 60_000);

  it('are held against each other and shown in one view like those that came along, and fill forms', async () => {
    const [company, other] = ['91440105MA6NNHC07C', '91440106MABAY5U732'];
    const number = 'LQ-440105-000090';
    const held = (uscc: string, parcel: string): JsonObject => { const base = forest(90, { code: parcel }); return { ...base, holder: { uscc, name: '虚构单位' }, certificate: { number, issued: '2021-03-16' } }; };
    expect(await publish([{ kind: 'forest-right', data: held(company, '440105JC00090') }, { kind: 'forest-right', data: held(other, '440105JC00091') }])).toEqual(['ok', 'ok']);
    await node.drained();
    const { readModel, store, vault } = node;
    const kinds = new AdoptedKinds(readModel, systemClock);
    const links = new CheckLinks({ clock: systemClock, find: kinds.known.bind(kinds), keys: { localIdKey: new Uint8Array(32).fill(7), memberId: 'river' }, onFault: (error) => { throw error; }, readModel, store, vault, waiting: () => Promise.resolve(0) });
    while (await links.step()) { /* goes on where it stopped */ }
    const view = new ViewOwner(readModel, vault, 'river', kinds.known.bind(kinds), links, systemClock);
    const { flags, things } = await view.view(`org:${other}`);
    expect(flags.map(({ code, recordIds }) => [code, recordIds.length])).toEqual([['certificate-under-two-holders', 2]]);
    expect(things.map(({ key, kind }) => [kind, key])).toEqual([['forest-right', { 'certificate.number': number, 'parcel.code': '440105JC00091' }]]);
    const map = { format: 'field-map/1', form: 'invented', fields: { parcel: { from: ['forest-right/parcel.code'] }, issued: { from: ['forest-right/certificate.issued'], transform: 'date-zh' } } };
    const { fields, report } = await view.prefill(`org:${other}`, map);
    expect([fields['parcel']?.value, fields['issued']?.value, report.byKind]).toEqual(['440105JC00091', '2021年3月16日', { 'forest-right': 2 }]);
    await expect(view.prefill(`org:${other}`, { ...map, fields: { depth: { from: ['forest-right/parcel.depth'] } } })).rejects.toMatchObject({ code: 'BAD_FIELD', details: { reason: 'no-such-field' } });
    await expect(view.prefill(`org:${other}`, { ...map, fields: { x: { from: ['no-such-kind/parcel.code'] } } })).rejects.toMatchObject({ code: 'BAD_FIELD', details: { reason: 'kind-unknown' } });
  }, 60_000);

  it('declare how their records fit together: one value where another is shared', async () => {
    const { data, document } = madeKind([], 'paired');
    const declared = { code: 'across-one-value', paths: ['whose.uscc', 'whose.number'], zh: '一家单位一个编号', en: 'one number for one company', severity: 'across' };
    await adopt('publish-schema', { document: { ...document, 'x-huilian': { ...(document['x-huilian'] as JsonObject), linkChecks: [declared] } } });
    const numbered = (number: string, uscc: string): object => ({ kind: 'paired', data: { ...data, whose: { number, uscc } } });
    expect(await publish([numbered('1', '91440105MA6NNHC07C'), numbered('2', '91440105MA6NNHC07C'), numbered('3', '91440106MABAY5U732')])).toEqual(['ok', 'ok', 'ok']);
    await node.drained();
    const { readModel, store, vault } = node;
    const kinds = new AdoptedKinds(readModel, systemClock);
    const links = new CheckLinks({ clock: systemClock, find: kinds.known.bind(kinds), keys: { localIdKey: new Uint8Array(32).fill(7), memberId: 'river' }, onFault: (error) => { throw error; }, readModel, store, vault, waiting: () => Promise.resolve(0) });
    while (await links.step()) { /* goes on where it stopped */ }
    const found: string[][] = [];
    for await (const [, { recordIds }] of links.flags({ code: 'declared-values-differ' })) found.push([...recordIds]);
    expect(found.map((recordIds) => recordIds.map((id) => readModel.record(id)?.header.subject))).toEqual([['org:91440105MA6NNHC07C', 'org:91440105MA6NNHC07C']]);
  }, 60_000);

  it('versions come one after the other, and end by a vote', async () => {
    const refused = async (action: string, content: object): Promise<unknown> => { try { await adopt(action, content); return undefined; } catch (error) { return `${(error as { code: string }).code} ${String((error as { details: Record<string, unknown> }).details['reason'])}`; } };
    const third = { ...example('forest-right-2.json'), 'x-huilian': { ...(example('forest-right-2.json')['x-huilian'] as JsonObject), version: 3 } };
    expect(await refused('publish-schema', { document: third })).toBe('PROPOSAL_INVALID version-order');
    expect(await refused('publish-schema', { document: example('forest-right-2.json'), retires: 1_600_000_000 })).toBe('PROPOSAL_INVALID term');
    expect(await refused('retire', { of: 'schema', id: 'nothing', version: 1, retires: 1_600_000_000 })).toBe('PROPOSAL_INVALID unknown-document');
    const tomorrow = Math.floor(Date.now() / 1000) + 86_400;
    await adopt('publish-schema', { document: example('forest-right-2.json'), effective: tomorrow });
    expect(await publish([{ kind: 'forest-right', schema: 2, data: forest(50) }, { kind: 'forest-right', data: forest(50) }])).toEqual(['not-effective', 'ok']);
    await adopt('retire', { of: 'schema', id: 'forest-right', version: 1, retires: 1_600_000_000 });
    expect(await publish([{ kind: 'forest-right', schema: 1, data: forest(51) }, { kind: 'forest-right', data: forest(51) }])).toEqual(['SCHEMA_RETIRED', 'not-effective']);
    expect(await refused('retire', { of: 'schema', id: 'forest-right', version: 1, retires: tomorrow })).toBe('PROPOSAL_INVALID retired-already');
    await node.drained();
  }, 60_000);

  it('a document that no kind can be is refused by the ledger', async () => {
    const hostile = structuredClone(example('forest-right-1.json')) as { properties: Record<string, { properties: Record<string, object> }> };
    Object.assign(hostile.properties['parcel']?.properties['place'] as object, { pattern: '^(a{1,99}){1,99}$' });
    await expect(adopt('publish-schema', { document: hostile })).rejects.toMatchObject({ code: 'SCHEMA_INVALID', details: { reason: 'pattern' } });
    expect(kindFromDocument(example('forest-right-2.json')).version).toBe(2);
  });
});
