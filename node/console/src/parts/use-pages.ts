import type { Page } from '@huilian/sdk';
import { useInfiniteQuery } from '@tanstack/react-query';

export interface Pages<Item> {
  /** Of all pages that came; undefined before the first. */
  readonly items: readonly Item[] | undefined;
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly isMoreComing: boolean;
  more(): void;
  refetch(): void;
}

/** A list that the node gives in pages, each by the cursor of the one before; not asked for yet where it is not enabled. */
export function usePages<Item>(key: readonly unknown[], fetchPage: (cursor: string | undefined) => Promise<Page<Item>>, enabled = true): Pages<Item> {
  const { data, error, fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    enabled,
    queryKey: key,
    queryFn: async ({ pageParam }) => await fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ cursor }) => cursor,
  });
  return {
    items: data?.pages.flatMap(({ items }) => items),
    error,
    hasMore: hasNextPage,
    isMoreComing: isFetchingNextPage,
    more: () => void fetchNextPage(),
    refetch: () => void refetch(),
  };
}
