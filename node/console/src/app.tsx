import { MantineProvider } from '@mantine/core';
import { OperatorClient } from '@huilian/sdk';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { createHashRouter, useRouteError, type RouteObject } from 'react-router';
import { RouterProvider } from 'react-router/dom';
import { theme } from './look/theme.js';
import { PageHead } from './parts/panel.js';
import { Failure, Loading } from './parts/states.js';
import { NodeContext } from './queries.js';
import { SessionGate } from './session/session.js';
import { Shell } from './shell/shell.js';
import { useWords, WordsProvider } from './words/use-words.js';

/** Each page is fetched when it is first opened. */
const pages: readonly RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import('./pages/overview-page.js')).OverviewPage }) },
  { path: 'records', lazy: async () => ({ Component: (await import('./pages/records-page.js')).RecordsPage }) },
  { path: 'records/:publisher/:kind/:localId', lazy: async () => ({ Component: (await import('./pages/record-page.js')).RecordPage }) },
  { path: 'accesses', lazy: async () => ({ Component: (await import('./pages/accesses-page.js')).AccessesPage }) },
  { path: 'dead-letters', lazy: async () => ({ Component: (await import('./pages/dead-letters-page.js')).DeadLettersPage }) },
  { path: 'mappings', lazy: async () => ({ Component: (await import('./pages/mappings-page.js')).MappingsPage }) },
  { path: 'completeness', lazy: async () => ({ Component: (await import('./pages/completeness-page.js')).CompletenessPage }) },
  { path: 'months', lazy: async () => ({ Component: (await import('./pages/months-page.js')).MonthsPage }) },
  { path: 'catalogue', lazy: async () => ({ Component: (await import('./pages/catalogue-page.js')).CataloguePage }) },
  { path: 'sources', lazy: async () => ({ Component: (await import('./pages/sources-page.js')).SourcesPage }) },
  { path: 'sources/:source', lazy: async () => ({ Component: (await import('./pages/source-page.js')).SourcePage }) },
  { path: 'owners', lazy: async () => ({ Component: (await import('./pages/owner-page.js')).OwnerPage }) },
  { path: 'owners/:owner', lazy: async () => ({ Component: (await import('./pages/owner-page.js')).OwnerPage }) },
  { path: 'flags', lazy: async () => ({ Component: (await import('./pages/flags-page.js')).FlagsPage }) },
  { path: 'members', lazy: async () => ({ Component: (await import('./pages/members-page.js')).MembersPage }) },
  { path: 'proposals', lazy: async () => ({ Component: (await import('./pages/proposals-page.js')).ProposalsPage }) },
  { path: 'health', lazy: async () => ({ Component: (await import('./pages/health-page.js')).HealthPage }) },
  { path: 'accounts', lazy: async () => ({ Component: (await import('./pages/accounts-page.js')).AccountsPage }) },
  { path: 'audit-log', lazy: async () => ({ Component: (await import('./pages/audit-log-page.js')).AuditLogPage }) },
  { path: 'account', lazy: async () => ({ Component: (await import('./pages/account-page.js')).AccountPage }) },
  { path: '*', Component: UnknownPage },
];

const node = new OperatorClient(location.origin);
const client = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false, staleTime: 5000 } } });
const router = createHashRouter([
  { path: '/', element: <SessionGate><Shell /></SessionGate>, errorElement: <BrokenPage />, HydrateFallback: Loading, children: [{ errorElement: <BrokenPage />, children: [...pages] }] },
]);

export function App(): ReactNode {
  return (
    <MantineProvider defaultColorScheme="auto" theme={theme} withCssVariables={false} withGlobalClasses={false}>
      <WordsProvider>
        <NodeContext value={node}>
          <QueryClientProvider client={client}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </NodeContext>
      </WordsProvider>
    </MantineProvider>
  );
}

function UnknownPage(): ReactNode {
  const { t } = useWords();
  return <PageHead lead={t('app.pageUnknownNext')} title={t('app.pageUnknown')} />;
}

function BrokenPage(): ReactNode {
  return <div className="alone"><Failure error={useRouteError()} onRetry={() => { location.reload(); }} /></div>;
}
