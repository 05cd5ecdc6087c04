import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { useWords } from '../words/use-words.js';
import styles from './parts.module.css';

export interface Filter {
  /** Name of the parameter in the page's address. */
  readonly name: string;
  readonly label: string;
  /** A choice; a text where absent. */
  readonly choices?: readonly { readonly value: string; readonly label: string }[];
  readonly placeholder?: string;
}

/** Filters of a list. They stand in the page's address, so that a question can be kept and sent on. */
export function Filters({ filters, label }: { readonly filters: readonly Filter[]; readonly label: string }): ReactNode {
  const { t } = useWords();
  const [search, setSearch] = useSearchParams();
  const given = Object.fromEntries(filters.map(({ name }) => [name, search.get(name) ?? '']));
  // What is typed holds for the address it was typed at; another address says itself what is asked for.
  const [typing, setTyping] = useState({ at: search.toString(), values: given });
  const typed = typing.at === search.toString() ? typing.values : given;
  const ask = (values: Readonly<Record<string, string>>): void => {
    setSearch(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    ask(typed);
  };
  const change = (name: string, value: string, now: boolean): void => {
    const next = { ...typed, [name]: value.trim() };
    setTyping({ at: search.toString(), values: next });
    if (now) ask(next);
  };
  return (
    <form aria-label={label} className={styles['filters']} onSubmit={submit} role="search">
      {filters.map(({ choices, label: name, name: key, placeholder }) =>
        choices === undefined ? (
          <TextInput key={key} label={name} onChange={(event) => { change(key, event.currentTarget.value, false); }} placeholder={placeholder} size="sm" value={typed[key] ?? ''} />
        ) : (
          <NativeSelect data={[...choices]} key={key} label={name} onChange={(event) => { change(key, event.currentTarget.value, true); }} size="sm" value={typed[key] ?? ''} />
        ),
      )}
      <div className={styles['filterActions']}>
        <Button size="sm" type="submit">{t('records.search')}</Button>
        {Object.values(given).some((value) => value !== '') ? <Button onClick={() => { ask({}); }} size="sm" variant="default">{t('records.clear')}</Button> : null}
      </div>
    </form>
  );
}
