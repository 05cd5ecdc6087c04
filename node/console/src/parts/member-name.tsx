import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** Names of members by id; the id where a name is not known yet. */
export function useMemberNames(): (id: string) => string {
  const { data } = useQuery(queries.members(useNode()));
  const { pick } = useWords();
  return (id) => {
    const found = data?.find(({ document }) => document.id === id);
    return found === undefined ? id : pick(found.document.name);
  };
}

/** A member by its name; its id for who points at it. */
export function MemberName({ id }: { readonly id: string }): ReactNode {
  const nameOf = useMemberNames();
  return <span title={id}>{nameOf(id)}</span>;
}
