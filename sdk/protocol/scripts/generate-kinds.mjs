// Turns kinds/<kind>/<version>/schema.json into src/generated/: the documents as a module and their validators compiled
// ahead of time, so that the protocol needs no `new Function` in a browser and no file access anywhere.
import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const kindsDir = path.join(root, 'kinds');
const outDir = path.join(root, 'src', 'generated');

const documents = readdirSync(kindsDir).sort().flatMap((kind) =>
  readdirSync(path.join(kindsDir, kind)).sort((a, b) => Number(a) - Number(b)).map((version) => ({
    id: `${kind}_${version}`.replaceAll('-', '_'),
    key: `${kind}/${version}`,
    document: JSON.parse(readFileSync(path.join(kindsDir, kind, version, 'schema.json'), 'utf8')),
  })),
);

const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: true, code: { source: true, esm: true, lines: true } });
for (const { document } of documents) ajv.addSchema(withoutWords(document));
const exported = Object.fromEntries(documents.map(({ id, document }) => [id, document.$id]));
const code = (standalone.default ?? standalone)(ajv, exported);
// Run-time helpers of ajv would be CommonJS requires; the kinds keep to keywords that need none.
if (code.includes('require(')) throw new Error('a kind uses a keyword that needs an ajv run-time helper (uniqueItems, minLength, maxLength, format): use a bounded pattern');

const table = documents.map(({ id, key }) => `  ['${key}', ${id}],`).join('\n');
write('validators.js', `${code}\nexport const validators = new Map([\n${table}\n]);\n`);
write('validators.d.ts', `export interface SchemaFault { readonly instancePath: string; readonly keyword: string; readonly params: Readonly<Record<string, unknown>> }
export interface Validator { (data: unknown): boolean; errors?: readonly SchemaFault[] | null }
export declare const validators: ReadonlyMap<string, Validator>;\n`);
write('documents.js', `export const documents = ${JSON.stringify(documents.map(({ document }) => document))};\n`);
write('documents.d.ts', `import type { JsonObject } from '../canonical.js';\nexport declare const documents: readonly JsonObject[];\n`);
// tsc copies no .js of its own accord; dist needs them beside the compiled files.
const dist = path.join(root, 'dist', 'generated');
for (const name of ['validators.js', 'validators.d.ts', 'documents.js', 'documents.d.ts']) copy(name);

/** What a validator needs of a document: ajv writes the rest into its code, where it is only bytes to download. */
function withoutWords(value) {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (value === null || typeof value !== 'object') return value;
  const { 'x-huilian': _facts, 'x-title-zh': _zh, 'x-code': _code, 'x-code-when': _when, properties, ...rest } = value;
  // A field may be called `title`; the keyword is the text beside it.
  if (typeof rest.title === 'string') delete rest.title;
  const parts = properties && Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, withoutWords(part)]));
  return { ...Object.fromEntries(Object.entries(rest).map(([keyword, part]) => [keyword, withoutWords(part)])), ...(parts && { properties: parts }) };
}

function write(name, text) {
  mkdirSync(outDir, { recursive: true });
  const file = path.join(outDir, name);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

function copy(name) {
  mkdirSync(dist, { recursive: true });
  writeFileSync(path.join(dist, name), readFileSync(path.join(outDir, name)));
}
