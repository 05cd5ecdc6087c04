import { ProtocolError, type StaffRole, type StaffSession } from '@huilian/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback, useEffect, type ReactNode } from 'react';
import { Failure, Loading } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { SignInPage } from './sign-in-page.js';

export interface SignedIn extends StaffSession {
  /** Whether the role may do this; what may not be done is not offered. The node decides in the end. */
  may(act: Act): boolean;
  signOut(): Promise<void>;
}

/** What the console offers to some roles only. */
export type Act = 'accounts' | 'audit-log' | 'change-accounts' | 'correct' | 'sync' | 'vote';

const allowed: Readonly<Record<Act, readonly StaffRole[]>> = {
  accounts: ['administrator', 'auditor'],
  'audit-log': ['administrator', 'auditor'],
  'change-accounts': ['administrator'],
  correct: ['administrator', 'operator'],
  sync: ['administrator', 'operator'],
  vote: ['administrator'],
};
const SessionContext = createContext<SignedIn | undefined>(undefined);

export function useSession(): SignedIn {
  const session = use(SessionContext);
  if (session === undefined) throw new Error('nobody is signed in');
  return session;
}

/** The codes by which a node says that nobody is signed in. */
function isSignedOut(error: unknown): boolean {
  return error instanceof ProtocolError && ['SESSION_ENDED', 'TOKEN_INVALID'].includes(error.code);
}

/** The page for who is signed in; the sign-in for who is not. */
export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const node = useNode();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(queries.session(node));
  const signOut = useCallback(async (): Promise<void> => {
    await node.signOut().catch(() => undefined);
    // Nothing of this person is left for the next one.
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
    await client.resetQueries({ queryKey: ['session'] });
  }, [client, node]);
  useEffect(() => {
    // A session may end while a page is open: whatever call hears of it first, the sign-in comes.
    return client.getQueryCache().subscribe(({ query, type }) => {
      if (type === 'updated' && query.queryKey[0] !== 'session' && isSignedOut(query.state.error)) void client.resetQueries({ queryKey: ['session'] });
    });
  }, [client]);
  if (isSignedOut(error)) return <SignInPage ended={(error as ProtocolError).code === 'SESSION_ENDED'} onSignedIn={() => void client.resetQueries({ queryKey: ['session'] })} />;
  if (data !== undefined) return <SessionContext value={{ ...data, may: (act) => allowed[act].includes(data.role), signOut }}>{children}</SessionContext>;
  return <div className="alone">{error === null ? <Loading lines={3} /> : <Failure error={error} onRetry={() => void refetch()} />}</div>;
}
