export { bundledKinds, describeClaim, kindDefinition } from './bundled-kinds.js';
export { checkMapping, fieldSchema, readMapping, type MappingProblem } from './check-mapping.js';
export { mappedPlan, planOf, type CellPlan, type ColumnPlan, type ImportPlan } from './import-plan.js';
export { importRow, spellingOf, textOf, type ImportedRow } from './import-row.js';
export { mappingNameShape, mappingSchema, mappingShape, type CellRule, type ColumnRule, type MappingDocument } from './mapping-document.js';
export { kindFromDocument, valueAt, type ClaimDefinition, type ImportFill, type ImportRule, type KindDefinition, type LinkCheck, type RightsClass, type Title } from './kind-definition.js';
export { recordFacts, validateRecord, type RecordCheck, type RecordFacts, type RecordProblem } from './validate-record.js';
