export { bundledKinds, describeClaim, kindDefinition } from './bundled-kinds.js';
export { importRow, type ImportedRow } from './import-row.js';
export { kindFromDocument, valueAt, type ClaimDefinition, type ImportFill, type ImportRule, type KindDefinition, type LinkCheck, type RightsClass, type Title } from './kind-definition.js';
export { recordFacts, validateRecord, type RecordCheck, type RecordFacts, type RecordProblem } from './validate-record.js';
