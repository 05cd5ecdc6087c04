import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { Facts } from './facts.js';
import styles from './parts.module.css';
import { Empty, Failure, Loading } from './states.js';
import type { Pages } from './use-pages.js';

interface Column<Item> {
  readonly label: string;
  readonly show: (item: Item) => ReactNode;
}

interface ListProps<Item> {
  readonly items: readonly Item[];
  readonly columns: readonly Column<Item>[];
  readonly keyOf: (item: Item) => string;
  /** What the table is about, for who cannot see where it stands. */
  readonly label: string;
}

const narrow = '(max-width: 56em)';

/** Rows as a table; where there is no room for one, as cards: the first column is their title. */
export function List<Item>({ columns, items, keyOf, label }: ListProps<Item>): ReactNode {
  const asCards = useMediaQuery(narrow, false, { getInitialValueInEffect: false });
  const [first, ...others] = columns;
  if (asCards) {
    return (
      <ul aria-label={label} className={styles['cards']}>
        {items.map((item) => (
          <li key={keyOf(item)}>
            <div className={styles['cardTitle']}>{first?.show(item)}</div>
            <Facts facts={others.map((column) => [column.label, column.show(item)])} />
          </li>
        ))}
      </ul>
    );
  }
  return (
    <div aria-label={label} className={styles['tableRegion']} role="group" tabIndex={0}>
      <table className={styles['table']}>
        <thead>
          <tr>{columns.map((column) => <th key={column.label} scope="col">{column.label}</th>)}</tr>
        </thead>
        <tbody>
          {items.map((item) => <tr key={keyOf(item)}>{columns.map((column) => <td key={column.label}>{column.show(item)}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}

interface PagedListProps<Item> extends Omit<ListProps<Item>, 'items'> {
  readonly pages: Pages<Item>;
  readonly empty: { readonly title: string; readonly next?: string };
}

/** A list that the node gives page by page. */
export function PagedList<Item>({ empty, pages, ...list }: PagedListProps<Item>): ReactNode {
  const { number, t } = useWords();
  const { error, hasMore, isMoreComing, items, more, refetch } = pages;
  if (items === undefined) return error === null ? <Loading lines={6} /> : <Failure error={error} onRetry={refetch} />;
  if (items.length === 0 && !hasMore) return <Empty {...empty} />;
  const count = number(items.length);
  return (
    <>
      {items.length === 0 ? null : <List items={items} {...list} />}
      {error === null ? null : <Failure error={error} onRetry={more} />}
      <div aria-live="polite" className={styles['listEnd']}>
        <span>{hasMore ? t(items.length === 0 ? 'state.searchOn' : 'state.shown', { n: count }) : t('state.allShown', { n: count })}</span>
        {hasMore ? <Button loading={isMoreComing} onClick={more} size="xs" variant="default">{t('state.more')}</Button> : null}
      </div>
    </>
  );
}
