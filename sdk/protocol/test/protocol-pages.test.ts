import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { id, TypedDataEncoder, type TypedDataField } from 'ethers';
import { describe, expect, it } from 'vitest';
import { errorCatalogue, limits, purposeNames } from '@huilian/protocol';
import { claimsPage } from '../scripts/make-claims-page.mjs';
import { columnsPage } from '../scripts/make-columns-page.mjs';
import { errorPage } from '../scripts/make-error-page.mjs';
import { vectorFiles } from '../scripts/make-vectors.mjs';

const docs = new URL('../../../docs/protocol/', import.meta.url);
const vectors = new URL('../../../tests/vectors/', import.meta.url);
const page = (name: string): string => readFileSync(new URL(name, docs), 'utf8');

/** Everything that the vectors say, also what is inside their base64url: tokens, disclosures. */
const known = (() => {
  const files = ['valid', 'invalid'].flatMap((side) => readdirSync(new URL(`${side}/`, vectors)).map((name) => readFileSync(new URL(`${side}/${name}`, vectors), 'utf8')));
  const text = files.filter((file) => file.length < 500_000).join('\n');
  const inside = [...new Set(text.match(/[A-Za-z0-9_-]{40,}/g) ?? [])].map((token) => Buffer.from(token, 'base64url').toString('utf8'));
  return `${text}\n${inside.join('\n')}`;
})();

/** Steps of the worked example that no vector holds, computed by ethers. */
function ethersSteps(): string {
  const [{ input }] = (JSON.parse(readFileSync(new URL('valid/grant.json', vectors), 'utf8')) as { cases: [{ input: { domain: object; envelope: { grant: object } } }] }).cases;
  const fields = (/^Grant\((.*)\)$/m.exec(page('grants.md'))?.[1] ?? '').split(',').map((field): TypedDataField => {
    const [type = '', name = ''] = field.split(' ');
    return { name, type };
  });
  const types = { Grant: fields };
  return [
    id('EIP712Domain(string name,string version,bytes32 salt)'),
    TypedDataEncoder.hashDomain(input.domain),
    id(TypedDataEncoder.from(types).encodeType('Grant')),
    TypedDataEncoder.hashStruct('Grant', types, input.envelope.grant),
    TypedDataEncoder.hash(input.domain, types, input.envelope.grant),
  ].join('\n');
}

interface VectorFile {
  readonly cases: readonly { readonly input: { readonly bytes?: string } }[];
}

/** Another version of zlib compresses otherwise and is as right, so of batches it is compared what is inside. */
function comparable(url: URL, text: string): unknown {
  if (!url.href.endsWith('/batch-argument.json')) return text;
  return (JSON.parse(text) as VectorFile).cases.map(({ input, ...rest }) => ({ ...rest, inside: url.href.includes('/valid/') ? inflateRawSync(Buffer.from(input.bytes ?? '', 'base64url')).toString('utf8') : '' }));
}

describe('the vectors', () => {
  it.each(vectorFiles().map(({ url, text }) => [url.href.split('/vectors/')[1], url, text] as const))('%s is what its script writes', (_, url, text) => {
    expect(isDeepStrictEqual(comparable(url, readFileSync(url, 'utf8')), comparable(url, text))).toBe(true);
  });
});

describe('the pages of the protocol', () => {
  const facts = '{"chaincode":"huilian","channel":"huilian","charter":"42c86642904d8a0a638b8d08effa3330f1260e77a65b425dee068985176ddc80","founding":"89904c5736140259c09c239544dca5cc4444e9b4ac1b833bf71129aa09ec9a79"}';
  const steps = ethersSteps();

  it.each(readdirSync(docs))('%s shows only values that the vectors hold or ethers computes', (name) => {
    const values = page(name).match(/\b(?:0x)?[0-9a-f]{40,}\b|\b[A-Za-z0-9_-]{43,}\b|\b[a-z2-7]{26}\b/g) ?? [];
    expect(values.filter((value) => !known.includes(value) && !steps.includes(value) && !facts.includes(value))).toEqual([]);
  });

  it('shows a domain whose salt is that of the vectors', () => {
    expect(page('grants.md')).toContain(facts);
    expect(known).toContain(id(facts));
  });

  it('has the page of errors that the catalogue makes', () => {
    expect(page('errors.md')).toBe(errorPage());
  });

  it('has the page of claims that the kinds make', () => {
    expect(page('claims.md')).toBe(claimsPage());
  });

  it('has the page of columns that the kinds make', () => {
    expect(page('columns.md')).toBe(columnsPage());
  });

  it('names every bound with its value, and no other', () => {
    const rows = [...page('limits.md').matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name = '', value]) => [name, Number(value)]);
    expect(Object.fromEntries(rows)).toEqual({ ...limits });
    expect(rows).toHaveLength(Object.keys(limits).length);
  });

  it('names every purpose', () => {
    for (const purpose of purposeNames) expect(page('grants.md')).toContain(`\`${purpose}\``);
  });

  it('names only codes of the catalogue', () => {
    for (const name of readdirSync(docs)) {
      const codes = page(name).match(/`[A-Z][A-Z0-9]*_[A-Z0-9_]+`/g) ?? [];
      const names = codes.map((code) => code.slice(1, -1)).filter((code) => !code.startsWith('HUILIAN_')); // settings of the environment
      expect(names.filter((code) => !Object.hasOwn(errorCatalogue, code)), name).toEqual([]);
    }
  });
});
