import type { DeadLetter, OpenedDeadLetter } from '@huilian/sdk';
import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import styles from './correct-letter.module.css';
import { Notice } from './mark.js';
import { Inline, Stack } from './panel.js';
import { Problems } from './problems.js';
import { Answer, Failure } from './states.js';

/** One refused row with its cells, to be corrected and tried again, or taken off the list. */
export function CorrectLetter({ letter, onClose }: { readonly letter: DeadLetter; readonly onClose: () => void }): ReactNode {
  const { number, t } = useWords();
  const opened = useQuery(queries.deadLetter(useNode(), letter.id));
  const place = letter.file === undefined ? (letter.recordId ?? '') : `${letter.file} ${letter.line === undefined ? '' : t('dead.line', { n: number(letter.line) })}`;
  return (
    <Modal closeButtonProps={{ 'aria-label': t('app.close') }} onClose={onClose} opened size="44rem" title={t('dead.correctTitle', { place })}>
      <Answer lines={6} of={opened}>{(found) => <Cells letter={found} onClose={onClose} />}</Answer>
    </Modal>
  );
}

function Cells({ letter, onClose }: { readonly letter: OpenedDeadLetter; readonly onClose: () => void }): ReactNode {
  const { t } = useWords();
  const node = useNode();
  const client = useQueryClient();
  const [row, setRow] = useState<Readonly<Record<string, string>>>(letter.row ?? {});
  const [data, setData] = useState(letter.data === undefined ? '' : JSON.stringify(letter.data, null, 2));
  const refresh = async (): Promise<void> => {
    await Promise.all([client.invalidateQueries({ queryKey: ['dead-letters'] }), client.invalidateQueries({ queryKey: ['overview'] })]);
  };
  const retry = useMutation({
    mutationFn: async () => await node.correctDeadLetter(letter.id, letter.row === undefined ? { data: JSON.parse(data) as Readonly<Record<string, unknown>> } : { row }),
    onSuccess: async ({ outcome }) => {
      await refresh();
      if (outcome === 'accepted' || outcome === 'unchanged') onClose();
      else await client.invalidateQueries({ queryKey: ['dead-letter', letter.id] });
    },
  });
  const drop = useMutation({
    mutationFn: async () => { await node.dropDeadLetter(letter.id); },
    onSuccess: async () => {
      await refresh();
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    retry.mutate();
  };
  const kept = letter.row !== undefined || letter.data !== undefined;
  return (
    <form onSubmit={submit}>
      <Stack>
        <div><Problems letter={letter} /></div>
        {kept ? null : <Notice tone="info"><p>{t('dead.notKept')}</p></Notice>}
        {letter.row === undefined ? null : <Columns letter={letter} onChange={setRow} row={row} />}
        {letter.data === undefined ? null : <Textarea autosize label={t('dead.data')} maxRows={20} minRows={6} onChange={(event) => { setData(event.currentTarget.value); }} value={data} />}
        {retry.error === null ? null : <Failure error={retry.error} />}
        {drop.error === null ? null : <Failure error={drop.error} />}
        {retry.data?.outcome === 'refused' ? <Notice tone="warn"><p>{t('dead.refusedAgain')}</p></Notice> : null}
        <Inline>
          {kept ? <Button loading={retry.isPending} type="submit">{t('dead.retry')}</Button> : null}
          <Button loading={drop.isPending} onClick={() => { drop.mutate(); }} variant="default">{t('dead.drop')}</Button>
        </Inline>
      </Stack>
    </form>
  );
}

/** The cells of a row; those that the reasons are about come first. */
function Columns({ letter, onChange, row }: { readonly letter: OpenedDeadLetter; readonly row: Readonly<Record<string, string>>; readonly onChange: (row: Readonly<Record<string, string>>) => void }): ReactNode {
  const { t } = useWords();
  const reading = useQuery({ ...queries.letterReading(useNode(), letter), enabled: letter.kind !== undefined });
  const named = new Set((reading.data?.rows[0]?.problems ?? []).flatMap(({ columns = [] }) => columns));
  const columns = Object.keys(letter.row ?? {}).sort((left, right) => Number(named.has(right)) - Number(named.has(left)));
  return (
    <div className={styles['cells']}>
      {columns.map((column) => (
        <TextInput {...(named.has(column) ? { description: t('dead.lookHere') } : {})} key={column} label={column} onChange={(event) => { onChange({ ...row, [column]: event.currentTarget.value }); }} size="sm" value={row[column] ?? ''} />
      ))}
    </div>
  );
}
