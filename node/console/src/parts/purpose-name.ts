import { purposes, type Purpose } from '@huilian/sdk';
import { useWords } from '../words/use-words.js';

/** Names of purposes in the language chosen. */
export function usePurposeName(): (purpose: string) => string {
  const { pick } = useWords();
  return (purpose) => (Object.hasOwn(purposes, purpose) ? pick(purposes[purpose as Purpose]) : purpose);
}
