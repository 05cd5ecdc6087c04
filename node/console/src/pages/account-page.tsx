import type { OpenSession } from '@huilian/sdk';
import { Button, PasswordInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { List } from '../parts/list.js';
import { Mark } from '../parts/mark.js';
import { Moment } from '../parts/moment.js';
import { Columns, Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer, Failure } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';

/** One's own password and sessions. */
export function AccountPage(): ReactNode {
  const { name, t } = useWords();
  const { account, role } = useSession();
  return (
    <>
      <PageHead lead={t('app.account', { account, role: name('role', role) })} title={t('account.title')} />
      <Columns><Sessions /><Password /></Columns>
    </>
  );
}

function Sessions(): ReactNode {
  const { name, t } = useWords();
  const { role } = useSession();
  const node = useNode();
  const client = useQueryClient();
  const sessions = useQuery(queries.sessions(node));
  const end = useMutation({ mutationFn: async (handle: string) => { await node.endSession(handle); }, onSuccess: async () => { await client.invalidateQueries({ queryKey: ['sessions'] }); } });
  return (
    <Panel title={t(role === 'administrator' ? 'account.sessionsAll' : 'account.sessions')}>
      <Stack>
        {end.error === null ? null : <Failure error={end.error} />}
        <Answer of={sessions}>
          {(items) => (
            <List<OpenSession>
              columns={[
                { label: t('accounts.name'), show: (session) => <Inline><strong>{session.account}</strong>{session.current ? <Mark tone="info">{t('account.current')}</Mark> : <span>{name('role', session.role)}</span>}</Inline> },
                { label: t('account.began'), show: ({ began }) => <Moment at={began} /> },
                { label: t('account.used'), show: ({ used }) => <Moment at={used} /> },
                { label: t('account.ends'), show: ({ ends }) => (ends === undefined ? '' : <Moment at={ends} />) },
                { label: t('accounts.actions'), show: ({ account, current, handle }) => (current ? '' : <Button aria-label={`${t('account.end')} ${account}`} loading={end.isPending && end.variables === handle} onClick={() => { end.mutate(handle); }} size="compact-sm" variant="default">{t('account.end')}</Button>) },
              ]}
              items={items}
              keyOf={({ handle }) => handle}
              label={t('account.sessions')}
            />
          )}
        </Answer>
      </Stack>
    </Panel>
  );
}

function Password(): ReactNode {
  const { t } = useWords();
  const { source } = useSession();
  const node = useNode();
  const client = useQueryClient();
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  const change = useMutation({ mutationFn: async () => { await node.changePassword(old, password); }, onSuccess: async () => { await client.resetQueries({ queryKey: ['session'] }); } });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate();
  };
  if (source !== 'local') return <Panel title={t('account.password')}><p>{t(source === 'machine' ? 'account.machine' : 'account.fromDirectory')}</p></Panel>;
  return (
    <Panel lead={t('account.passwordLead')} title={t('account.password')}>
      <form onSubmit={submit}>
        <Stack>
          <PasswordInput autoComplete="current-password" label={t('account.old')} onChange={(event) => { setOld(event.currentTarget.value); }} required value={old} />
          <PasswordInput autoComplete="new-password" description={t('accounts.passwordHint')} label={t('account.new')} onChange={(event) => { setPassword(event.currentTarget.value); }} required value={password} />
          {change.error === null ? null : <Failure error={change.error} />}
          <Inline><Button loading={change.isPending} type="submit">{t('account.change')}</Button></Inline>
        </Stack>
      </form>
    </Panel>
  );
}
