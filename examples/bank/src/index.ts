export { runBank, type BankResult, type BankTerms } from './run-bank.js';
