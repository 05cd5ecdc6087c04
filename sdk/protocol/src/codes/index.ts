export type { CodeCheck } from './code-check.js';
export { checkIdNumber, checkOrganisationCode, checkUscc } from './entity-codes.js';
export { checkRegion } from './region-codes.js';
export {
  checkAnyProjectCode,
  checkCurrency,
  checkIndustry,
  checkInvestmentProjectCode,
  checkProjectCode,
  checkSectionCode,
  checkTenderProjectCode,
  checkUnifiedTransactionCode,
} from './trade-codes.js';
