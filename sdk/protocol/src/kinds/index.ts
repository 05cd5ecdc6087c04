export { amendableCodes, GovernedCodes, needsCodeSet, readCodes, type CodeEntry, type CodeSetVersion } from './code-sets.js';
export { bundledKinds, describeClaim, kindDefinition, kindOfClaim } from './bundled-kinds.js';
export { checkMapping, fieldSchema, readMapping, type MappingProblem } from './check-mapping.js';
export { checkMigration, migrateData, readMigration, type Migration } from './migration.js';
export { mappedPlan, planOf, type CellPlan, type ColumnPlan, type ImportPlan } from './import-plan.js';
export { importRow, spellingOf, textOf, type ImportedRow } from './import-row.js';
export { mappingNameShape, mappingSchema, mappingShape, type CellRule, type ColumnRule, type MappingDocument } from './mapping-document.js';
export { checkUsableKind, kindFromDocument, namedCodes, valueAt, type ClaimDefinition, type ImportFill, type ImportRule, type KindDefinition, type LinkCheck, type RightsClass, type Title } from './kind-definition.js';
export { bundledKind, checkRecord, factsOf, recordFacts, validateRecord, type CodesInUse, type CompiledKind, type RecordCheck, type RecordFacts, type RecordProblem, type SchemaValidator } from './validate-record.js';
