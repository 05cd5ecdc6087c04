import type { StaffAccount, StaffRole } from '@huilian/sdk';
import { Button, Modal, NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { List } from '../parts/list.js';
import { Mark, Notice } from '../parts/mark.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { Answer, Empty, Failure } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';

const roles: readonly StaffRole[] = ['operator', 'auditor', 'administrator'];

/** The centre's own people, for who oversees them; an administrator changes them. */
export function AccountsPage(): ReactNode {
  const { name, t } = useWords();
  const { may } = useSession();
  const accounts = useQuery(queries.accounts(useNode()));
  const [open, setOpen] = useState<StaffAccount | 'new'>();
  const close = (): void => { setOpen(undefined); };
  return (
    <>
      <PageHead actions={may('change-accounts') ? <Button onClick={() => { setOpen('new'); }} size="sm">{t('accounts.add')}</Button> : undefined} lead={t('accounts.lead')} title={t('accounts.title')} />
      <Panel>
        <Answer lines={5} of={accounts}>
          {(items) =>
            items.length === 0 ? <Empty next={t('accounts.emptyNext')} title={t('accounts.empty')} /> : (
              <List<StaffAccount>
                columns={[
                  { label: t('accounts.name'), show: (account) => <strong>{account.name}</strong> },
                  { label: t('accounts.role'), show: ({ role }) => name('role', role) },
                  { label: t('accounts.state'), show: (account) => <AccountState account={account} /> },
                  { label: t('accounts.source'), show: ({ source }) => name('accounts', source) },
                  { label: t('accounts.lastSignIn'), show: ({ signedInAt }) => (signedInAt === undefined ? t('accounts.never') : <Moment at={signedInAt} />) },
                  ...(may('change-accounts') ? [{ label: t('accounts.actions'), show: (account: StaffAccount) => <Button aria-label={`${t('accounts.change')} ${account.name}`} onClick={() => { setOpen(account); }} size="compact-sm" variant="default">{t('accounts.change')}</Button> }] : []),
                ]}
                items={items}
                keyOf={(account) => account.name}
                label={t('accounts.title')}
              />
            )
          }
        </Answer>
      </Panel>
      {open === 'new' ? <NewAccount onClose={close} /> : null}
      {open === undefined || open === 'new' ? null : <ChangeAccount account={accounts.data?.find((one) => one.name === open.name) ?? open} onClose={close} />}
    </>
  );
}

function AccountState({ account: { disabled, lockedUntil } }: { readonly account: StaffAccount }): ReactNode {
  const { t, time } = useWords();
  if (disabled) return <Mark tone="neutral">{t('accounts.disabled')}</Mark>;
  return lockedUntil * 1000 > Date.now() ? <Mark tone="warn">{t('accounts.locked', { time: time(lockedUntil) })}</Mark> : <Mark tone="ok">{t('accounts.usable')}</Mark>;
}

function NewAccount({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { name: nameOf, t } = useWords();
  const node = useNode();
  const [name, setName] = useState('');
  const [role, setRole] = useState<StaffRole>('operator');
  const [password, setPassword] = useState('');
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: async () => await node.addAccount(name, role, password),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['accounts'] });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Modal closeButtonProps={{ 'aria-label': t('app.close') }} onClose={onClose} opened title={t('accounts.add')}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput autoCapitalize="none" autoComplete="off" data-autofocus description={t('accounts.nameHint')} label={t('accounts.name')} onChange={(event) => { setName(event.currentTarget.value); }} pattern="[a-z][a-z0-9._\-]{1,31}" required value={name} />
          <NativeSelect data={roles.map((one) => ({ value: one, label: nameOf('role', one) }))} label={t('accounts.role')} onChange={(event) => { setRole(event.currentTarget.value as StaffRole); }} value={role} />
          <PasswordInput autoComplete="new-password" description={t('accounts.passwordHint')} label={t('accounts.password')} onChange={(event) => { setPassword(event.currentTarget.value); }} required value={password} />
          {add.error === null ? null : <Failure error={add.error} />}
          <Inline><Button loading={add.isPending} type="submit">{t('accounts.add')}</Button><Button onClick={onClose} variant="default">{t('state.cancel')}</Button></Inline>
        </Stack>
      </form>
    </Modal>
  );
}

function ChangeAccount({ account, onClose }: { readonly account: StaffAccount; readonly onClose: () => void }): ReactNode {
  const { name: nameOf, t } = useWords();
  const node = useNode();
  const client = useQueryClient();
  const [role, setRole] = useState(account.role);
  const [password, setPassword] = useState('');
  const change = useMutation({
    mutationFn: async (act: () => Promise<unknown>) => await act(),
    onSuccess: async () => {
      setPassword('');
      await client.invalidateQueries({ queryKey: ['accounts'] });
    },
  });
  const { name } = account;
  const run = (act: () => Promise<unknown>): void => { change.mutate(act); };
  return (
    <Modal closeButtonProps={{ 'aria-label': t('app.close') }} onClose={onClose} opened title={t('accounts.changeTitle', { name })}>
      <Stack>
        <Inline><AccountState account={account} /><span>{nameOf('role', account.role)}</span></Inline>
        <Notice tone="info"><p>{t(account.source === 'directory' ? 'accounts.ofDirectory' : 'accounts.sessionsEnd')}</p></Notice>
        {account.source === 'directory' ? null : (
          <>
            <form onSubmit={(event) => { event.preventDefault(); run(async () => await node.setRole(name, role)); }}>
              <Inline><NativeSelect aria-label={t('accounts.role')} data={roles.map((one) => ({ value: one, label: nameOf('role', one) }))} onChange={(event) => { setRole(event.currentTarget.value as StaffRole); }} value={role} /><Button disabled={role === account.role} type="submit" variant="default">{t('accounts.saveRole')}</Button></Inline>
            </form>
            <form onSubmit={(event) => { event.preventDefault(); run(async () => await node.setPassword(name, password)); }}>
              <Stack><PasswordInput autoComplete="new-password" description={t('accounts.passwordHint')} label={t('accounts.password')} onChange={(event) => { setPassword(event.currentTarget.value); }} required value={password} /><Inline><Button type="submit" variant="default">{t('accounts.savePassword')}</Button></Inline></Stack>
            </form>
          </>
        )}
        {change.error === null ? null : <Failure error={change.error} />}
        {change.isSuccess ? <Notice tone="ok"><p>{t('accounts.saved')}</p></Notice> : null}
        <Inline>
          <Button loading={change.isPending} onClick={() => { run(async () => await node.changeAccount(name, account.disabled ? 'enable' : 'disable')); }} variant="default">{t(account.disabled ? 'accounts.enable' : 'accounts.disable')}</Button>
          {account.lockedUntil * 1000 > Date.now() ? <Button onClick={() => { run(async () => await node.changeAccount(name, 'unlock')); }} variant="default">{t('accounts.unlock')}</Button> : null}
        </Inline>
      </Stack>
    </Modal>
  );
}
