import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { bundledKinds, importRow, kindDefinition, mappedPlan, mappingSchema, mappingShape, ProtocolError, readMapping, type ColumnRule, type KindDefinition, type MappingDocument } from '@huilian/protocol';

const data = new URL('../../network-config/local/data/', import.meta.url);

type Row = Record<string, string>;

interface SampleFile {
  readonly name: string;
  readonly kind: KindDefinition;
  readonly rows: readonly Row[];
}

const files: readonly SampleFile[] = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.csv')).map((name) => {
  const kind = bundledKinds().find((definition) => (name.split(/[\\/]/)[1] ?? '').startsWith(definition.kind));
  if (kind === undefined) throw new Error(`no kind of ${name}`);
  return { name, kind, rows: parse(readFileSync(new URL(name, data)), { bom: true, columns: true, relax_column_count: true }) as Row[] };
});

function mapping(kind: KindDefinition, columns: Record<string, ColumnRule>): MappingDocument {
  return { format: 'mapping/1', kind: kind.kind, schema: kind.version, columns };
}

/** Columns that the kind knows; rows with others are refused either way. */
function knownColumns({ kind, rows }: SampleFile): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((column) => Object.hasOwn(kind.import, column));
}

describe('a mapping equal to the import rules of a kind reads every sample row as they do', () => {
  it('has rows of every kind to show it with', () => {
    expect(new Set(files.map(({ kind }) => kind.kind)).size).toBe(bundledKinds().length);
    expect(files.reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThan(300);
  });

  it.each(files.map((file) => [file.name, file] as const))('%s, each column as itself', (_name, file) => {
    const plan = mappedPlan(file.kind, mapping(file.kind, Object.fromEntries(knownColumns(file).map((column) => [column, { as: column }]))));
    for (const row of file.rows) expect(importRow(file.kind, row, plan)).toEqual(importRow(file.kind, row));
  });

  it.each(files.map((file) => [file.name, file] as const))('%s, each column under a name of the platform', (_name, file) => {
    const columns = knownColumns(file);
    const local = (column: string): string => `平台列 ${String(columns.indexOf(column) + 1)}`;
    const plan = mappedPlan(file.kind, mapping(file.kind, Object.fromEntries(columns.map((column) => [local(column), { as: column }]))));
    for (const row of file.rows) {
      const renamed = Object.fromEntries(Object.entries(row).map(([column, cell]) => [columns.includes(column) ? local(column) : column, cell]));
      const { data: record, problems } = importRow(file.kind, row);
      const mapped = importRow(file.kind, renamed, plan);
      expect(mapped.data).toEqual(record);
      expect(mapped.problems).toEqual(problems);
    }
  });

  it.each(files.filter(({ kind }) => kind.importFill.length === 0).map((file) => [file.name, file] as const))('%s, each field written out', (_name, file) => {
    const rules = knownColumns(file).map((column): readonly [string, ColumnRule] => {
      const { path, transform, unit } = file.kind.import[column] ?? { path: '', transform: 'ignore' };
      if (path === '') return [column, transform === 'unit' ? { isUnit: true } : { ignore: true }];
      return [column, { to: path, transform: transform as 'text', ...(unit === undefined ? {} : { unitColumns: unit }) }];
    });
    const plan = mappedPlan(file.kind, mapping(file.kind, Object.fromEntries(rules)));
    for (const row of file.rows) expect(importRow(file.kind, row, plan)).toEqual(importRow(file.kind, row));
  });
});

describe('the schema of mappings', () => {
  const schemaFile = new URL('../../sdk/protocol/mappings/mapping-1.schema.json', import.meta.url);
  const vectors = (side: string): { name: string; input: { mapping: unknown }; code?: string }[] =>
    (JSON.parse(readFileSync(new URL(`../../tests/vectors/${side}/mapping.json`, import.meta.url), 'utf8')) as { cases: { name: string; input: { mapping: unknown } }[] }).cases;

  it('is published for editors as the reader has it', () => {
    expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(JSON.parse(JSON.stringify(mappingSchema())));
  });

  it('says to an editor what the reader says', () => {
    const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
    for (const { input, name } of vectors('valid')) expect([name, validate(input.mapping)]).toEqual([name, true]);
    for (const { code, input, name } of vectors('invalid')) expect([name, validate(input.mapping)]).toEqual([name, code === 'MAPPING_INVALID']);
  });

  it('bounds what it takes', () => {
    const columns = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`列${String(index)}`, { ignore: true as const }]));
    expect(() => mappingShape.read({ format: 'mapping/1', kind: 'credit', schema: 1, columns })).toThrow(ProtocolError);
  });
});

it('a mapping that loses a required field is refused with the field named', () => {
  const kind = kindDefinition('qualification', 1);
  if (kind === undefined) throw new Error('no kind');
  const columns = Object.fromEntries(['LEGAL_CODE', 'QUAL_NAME', 'QUAL_TYPE', 'QUAL_CERT_NO', 'QUAL_CERT_END_DATE'].map((column) => [column, { as: column }]));
  expect(() => readMapping(kind, mapping(kind, columns))).toThrow(expect.objectContaining({ code: 'MAPPING_INVALID', details: { path: '', reason: 'required-field-lost', field: 'qualification.level', problems: 1 } }) as Error);
});
