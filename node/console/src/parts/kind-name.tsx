import { bundledKinds, describeClaim } from '@huilian/sdk';
import { useWords } from '../words/use-words.js';

/** Titles of kinds and claims in the language chosen; what is not known by its own name. */
export function useKindNames(): { readonly kindName: (kind: string) => string; readonly claimName: (kind: string, claim: string) => string; readonly kinds: readonly string[] } {
  const { pick } = useWords();
  const known = bundledKinds();
  return {
    kinds: [...new Set(known.map(({ kind }) => kind))],
    kindName: (kind) => {
      const found = known.findLast((one) => one.kind === kind);
      return found === undefined ? kind : pick(found.title);
    },
    claimName: (kind, claim) => {
      const found = describeClaim(kind, claim);
      return found === undefined ? claim : pick(found);
    },
  };
}
