import { useQuery } from '@tanstack/react-query';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** Titles of kinds and claims in the language chosen, as votes adopted them; what is not known by its own name. */
export function useKindNames(): { readonly kindName: (kind: string) => string; readonly claimName: (kind: string, claim: string) => string; readonly kinds: readonly string[] } {
  const { pick } = useWords();
  const { data } = useQuery(queries.catalogue(useNode()));
  const known = data?.kinds ?? [];
  const find = (kind: string): (typeof known)[number] | undefined => known.find((one) => one.kind === kind);
  return {
    kinds: known.map(({ kind }) => kind),
    kindName: (kind) => {
      const found = find(kind);
      return found === undefined ? kind : pick(found.title);
    },
    claimName: (kind, claim) => {
      const found = find(kind)?.claims.find((one) => one.claim === claim);
      return found === undefined ? claim : pick(found);
    },
  };
}
