import { Button, PasswordInput, TextInput } from '@mantine/core';
import { isErrorCode, ProtocolError } from '@huilian/sdk';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Notice } from '../parts/mark.js';
import { Failure } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { Choices } from '../shell/choices.js';
import { useWords } from '../words/use-words.js';
import styles from './sign-in-page.module.css';

/** Why the staff directory's sign-in came to nothing, as the node says in the page's address. */
function refusedByDirectory(): ProtocolError | undefined {
  const code = new URLSearchParams(location.search).get('refused') ?? '';
  return isErrorCode(code) ? new ProtocolError(code) : undefined;
}

/** Who comes without a session. */
export function SignInPage({ ended, onSignedIn }: { readonly ended: boolean; readonly onSignedIn: () => void }): ReactNode {
  const { t } = useWords();
  const node = useNode();
  const [account, setAccount] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({ mutationFn: async () => await node.signIn(account.trim(), password), onSuccess: onSignedIn });
  const methods = useQuery(queries.signInMethods(node));
  const refused = refusedByDirectory();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <div className={styles['page']}>
      <title>{`${t('sign.title')} · ${t('app.name')}`}</title>
      <header className={styles['top']}><Choices /></header>
      <main className={styles['card']}>
        <p className={styles['brand']}><img alt="" height="36" src="./icon.svg" width="36" />{t('app.name')}</p>
        <h1 className={styles['title']}>{t('sign.title')}</h1>
        <p className={styles['lead']}>{t('sign.lead')}</p>
        {ended && signIn.isIdle && refused === undefined ? <Notice tone="info"><p>{t('sign.ended')}</p></Notice> : null}
        {refused !== undefined && signIn.isIdle ? <Failure error={refused} /> : null}
        {signIn.error === null ? null : <Failure error={signIn.error} />}
        <form className={styles['form']} onSubmit={submit}>
          <TextInput autoCapitalize="none" autoComplete="username" autoFocus label={t('sign.name')} onChange={(event) => { setAccount(event.currentTarget.value); }} required spellCheck={false} value={account} withAsterisk={false} />
          <PasswordInput autoComplete="current-password" label={t('sign.password')} onChange={(event) => { setPassword(event.currentTarget.value); }} required value={password} withAsterisk={false} />
          <Button fullWidth loading={signIn.isPending} type="submit">{t('sign.submit')}</Button>
        </form>
        {methods.data?.directory === true ? <Button component="a" fullWidth href="/v1/session/directory" variant="default">{t('sign.directory')}</Button> : null}
        <p className={styles['help']}>{t('sign.help')}</p>
      </main>
    </div>
  );
}
