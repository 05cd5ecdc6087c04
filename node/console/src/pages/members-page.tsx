import type { Member } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { JoinRequests } from '../parts/join-requests.js';
import { List } from '../parts/list.js';
import { Mark } from '../parts/mark.js';
import { useMemberNames } from '../parts/member-name.js';
import { Moment } from '../parts/moment.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { PlainCode } from '../parts/code.js';
import { Answer, Empty } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** Who belongs to the consortium. */
export function MembersPage(): ReactNode {
  const { name, pick, t } = useWords();
  const node = useNode();
  const members = useQuery(queries.members(node));
  const overview = useQuery(queries.overview(node));
  const nameOf = useMemberNames();
  return (
    <>
      <PageHead lead={t('members.lead')} title={t('members.title')} />
      <Stack>
        <Panel>
          <Answer lines={6} of={members}>
            {(items) =>
              items.length === 0 ? <Empty next={t('members.emptyNext')} title={t('members.empty')} /> : (
                <List<Member>
                  columns={[
                    { label: t('members.name'), show: ({ document }) => <><Inline><strong>{pick(document.name)}</strong>{document.id === overview.data?.member ? <Mark tone="info">{t('members.self')}</Mark> : null}</Inline><br /><PlainCode text={document.id} /></> },
                    { label: t('members.kind'), show: ({ document }) => name('memberKind', document.kind) },
                    { label: t('members.status'), show: ({ status }) => <Mark tone={status === 'active' ? 'ok' : 'warn'}>{name('members', status)}</Mark> },
                    { label: t('members.host'), show: ({ document }) => (document.host === undefined ? t('members.ownNode') : nameOf(document.host)) },
                    { label: t('members.region'), show: ({ document }) => document.region },
                    { label: t('members.contact'), show: ({ document: { contact } }) => (contact.startsWith('http') ? <a href={contact} rel="noreferrer" target="_blank">{contact.replace(/^https?:\/\//, '')}</a> : <a href={contact}>{contact.replace(/^tel:/, '')}</a>) },
                    { label: t('members.admitted'), show: ({ admittedAt }) => <Moment at={admittedAt} /> },
                  ]}
                  items={[...items].sort((left, right) => order(left) - order(right))}
                  keyOf={({ document }) => document.id}
                  label={t('members.title')}
                />
              )
            }
          </Answer>
        </Panel>
        <JoinRequests own={overview.data?.member ?? ''} />
      </Stack>
    </>
  );
}

function order({ document }: Member): number {
  return ['centre', 'platform', 'institution', 'supervisor'].indexOf(document.kind);
}
