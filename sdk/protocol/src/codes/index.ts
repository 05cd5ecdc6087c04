export type { CodeCheck } from './code-check.js';
export { checkCurrency, currencyCode } from './currency-codes.js';
export { checkIdNumber, checkOrganisationCode, checkUscc } from './entity-codes.js';
export { checkRegion, regionName } from './region-codes.js';
export {
  checkAnyProjectCode,
  checkIndustry,
  checkInvestmentProjectCode,
  checkProjectCode,
  checkSectionCode,
  checkTenderProjectCode,
  checkUnifiedTransactionCode,
} from './trade-codes.js';
