import { checkMapping, checkRecord, importRow, mappingShape, planOf, spellingOf, type CodesInUse, type CompiledKind, type ImportPlan, type JsonObject, type KindDefinition, type MappingDocument, type MappingProblem, type RecordProblem } from '@huilian/protocol';
import { planFor } from './held-mappings.js';
import { columnsTo, fieldOf, suggestCorrection, type Suggestion } from './suggest-correction.js';

type Row = Readonly<Record<string, string>>;

interface PreviewedCell {
  readonly column: string;
  readonly cell: string;
  /** Fields that the column leads to; none where it is ignored, or only helps others. */
  readonly fields: readonly string[];
}

interface PreviewedProblem extends RecordProblem {
  readonly columns: readonly string[];
  readonly suggestion: Suggestion;
}

export interface PreviewedRow {
  readonly cells: readonly PreviewedCell[];
  /** What could be read, by claim and field, whatever else is wrong. */
  readonly fields: JsonObject;
  readonly ok: boolean;
  readonly problems: readonly PreviewedProblem[];
  readonly warnings: readonly RecordProblem[];
}

export interface Preview {
  /** What is wrong with the mapping itself. */
  readonly mappingProblems: readonly MappingProblem[];
  readonly rows: readonly PreviewedRow[];
  readonly ok: number;
  readonly refused: number;
}

/** Rows beside what a mapping makes of them. Nothing is kept. @throws BAD_FIELD, UNKNOWN_FIELD for a document that is no mapping */
export function previewRows(kind: CompiledKind, document: unknown, rows: readonly Row[], codes?: CodesInUse): Preview {
  const mapping = document === undefined ? undefined : mappingShape.read(document);
  const mappingProblems = mapping === undefined ? [] : checkMapping(kind, mapping);
  // A mapping with faults is shown as far as it goes, but for one of another kind, which says nothing here.
  if (mappingProblems.some(({ code }) => code === 'other-kind' || code === 'other-version')) return { mappingProblems, rows: [], ok: 0, refused: 0 };
  const plan = planOfPreview(kind, mapping);
  const previewed = rows.map((row) => previewRow(kind, plan, row, codes));
  const ok = previewed.filter((row) => row.ok).length;
  return { mappingProblems, rows: previewed, ok, refused: previewed.length - ok };
}

function planOfPreview(kind: KindDefinition, mapping: MappingDocument | undefined): ImportPlan {
  return mapping === undefined ? planOf(kind) : planFor(kind, mapping);
}

function previewRow(kind: CompiledKind, plan: ImportPlan, row: Row, codes: CodesInUse | undefined): PreviewedRow {
  const { data, fields, problems: unread } = importRow(kind, row, plan);
  const check = data === undefined ? undefined : checkRecord(kind, data, codes);
  const problems = check?.problems ?? unread;
  return {
    cells: Object.entries(row).map(([column, cell]) => ({ column, cell, fields: fieldsOf(plan, column) })),
    fields,
    ok: data !== undefined && problems.length === 0,
    problems: problems.map((problem) => ({ ...problem, columns: columnsTo({ plan, row }, fieldOf(problem)), suggestion: suggestCorrection({ code: 'RECORD_INVALID', plan, problem, row }) })),
    warnings: check?.warnings ?? [],
  };
}

/** Fields that a column leads to, by itself, in parts, or joined with others. */
function fieldsOf(plan: ImportPlan, column: string): readonly string[] {
  const { cell, split } = plan.columns.get(spellingOf(plan, column)) ?? {};
  const joins = plan.joins.filter(({ columns }) => columns.includes(column)).map((join) => join.cell);
  return [...(cell === undefined ? [] : [cell]), ...(split?.parts ?? []), ...joins].flatMap((to) => (to === undefined ? [] : [`${to.claim}.${to.field}`]));
}
