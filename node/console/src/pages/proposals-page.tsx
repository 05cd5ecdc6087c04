import { rejectionReasons, type Proposal } from '@huilian/sdk';
import { Button, Modal, NativeSelect } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Code } from '../parts/code.js';
import { Facts } from '../parts/facts.js';
import { Mark, Notice } from '../parts/mark.js';
import { MemberName } from '../parts/member-name.js';
import { Inline, PageHead, Panel, Stack } from '../parts/panel.js';
import { contentOf, useProposalTitle } from '../parts/proposal-words.js';
import { Answer, Empty, Failure } from '../parts/states.js';
import { queries, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';
import styles from './proposals-page.module.css';

type Choice = 'approve' | 'reject';

/** What the centres vote on. */
export function ProposalsPage(): ReactNode {
  const { t } = useWords();
  const node = useNode();
  const proposals = useQuery(queries.proposals(node));
  const members = useQuery(queries.members(node));
  const overview = useQuery(queries.overview(node));
  const centres = (members.data ?? []).filter(({ document, status }) => document.kind === 'centre' && status === 'active').map(({ document }) => document.id);
  return (
    <>
      <PageHead lead={t('proposals.lead')} title={t('proposals.title')} />
      <Answer lines={8} of={proposals}>
        {(items) => {
          const newest = items.toSorted((left, right) => right.proposedAt - left.proposedAt);
          const open = newest.filter(({ status }) => status === 'open');
          const closed = newest.filter(({ status }) => status !== 'open');
          return (
            <Stack>
              <Panel title={t('proposals.open')}>
                {open.length === 0 ? <Empty next={t('proposals.noneOpenNext')} title={t('proposals.noneOpen')} /> : open.map((proposal) => <OpenProposal centres={centres} key={proposal.id} own={overview.data?.member ?? ''} proposal={proposal} />)}
              </Panel>
              <Panel title={t('proposals.closed')}>
                {closed.length === 0 ? <Empty title={t('proposals.noneClosed')} /> : closed.map((proposal) => <ClosedProposal key={proposal.id} proposal={proposal} />)}
              </Panel>
            </Stack>
          );
        }}
      </Answer>
    </>
  );
}

function OpenProposal({ centres, own, proposal }: { readonly proposal: Proposal; readonly centres: readonly string[]; readonly own: string }): ReactNode {
  const { t } = useWords();
  const { may } = useSession();
  const [choice, choose] = useState<Choice>();
  const titleOf = useProposalTitle();
  const mine = proposal.approvals.includes(own) ? 'proposals.youApproved' : proposal.rejections.includes(own) ? 'proposals.youRejected' : undefined;
  const waiting = centres.filter((centre) => !proposal.approvals.includes(centre) && !proposal.rejections.includes(centre));
  return (
    <article className={styles['proposal']}>
      <div className={styles['head']}>
        <h3 className={styles['title']}>{titleOf(proposal)}</h3>
        {mine === undefined && may('vote') ? (
          <div className={styles['votes']}>
            <Button onClick={() => { choose('approve'); }} size="xs">{t('proposals.approve')}</Button>
            <Button onClick={() => { choose('reject'); }} size="xs" variant="default">{t('proposals.reject')}</Button>
          </div>
        ) : <Mark tone={mine === 'proposals.youApproved' ? 'ok' : 'neutral'}>{t(mine ?? 'proposals.onlyOperators')}</Mark>}
      </div>
      <Facts
        facts={[
          [t('proposals.approvals'), <Centres ids={proposal.approvals} key="for" of={centres.length} />],
          [t('proposals.rejections'), <Centres ids={proposal.rejections} key="against" of={centres.length} />],
          [t('proposals.waiting'), waiting.length === 0 ? undefined : <Centres ids={waiting} key="waiting" of={centres.length} />],
        ]}
      />
      <Particulars proposal={proposal} />
      {choice === undefined ? null : <Vote choice={choice} onClose={() => { choose(undefined); }} proposal={proposal} />}
    </article>
  );
}

function Centres({ ids, of }: { readonly ids: readonly string[]; readonly of: number }): ReactNode {
  const { t } = useWords();
  if (ids.length === 0) return t('state.none');
  return <Inline><span>{`${String(ids.length)} / ${String(of)}`}</span>{ids.map((id) => <Mark key={id}><MemberName id={id} /></Mark>)}</Inline>;
}

function ClosedProposal({ proposal }: { readonly proposal: Proposal }): ReactNode {
  const { name, time } = useWords();
  const titleOf = useProposalTitle();
  return (
    <details className={styles['closed']}>
      <summary>
        <h3 className={styles['title']}>{titleOf(proposal)}</h3>
        <span className={styles['when']}>{time(proposal.proposedAt).slice(0, 10)}</span>
        <Mark tone={proposal.status === 'adopted' ? 'ok' : 'neutral'}>{name('proposals', proposal.status)}</Mark>
      </summary>
      <ProposalFacts proposal={proposal} />
    </details>
  );
}

function Particulars({ proposal }: { readonly proposal: Proposal }): ReactNode {
  const { t } = useWords();
  return <details className={styles['particulars']}><summary>{t('proposals.content')}</summary><ProposalFacts proposal={proposal} /></details>;
}

function ProposalFacts({ proposal }: { readonly proposal: Proposal }): ReactNode {
  const { pick, t, time } = useWords();
  const votes = proposal.approvals.length + proposal.rejections.length;
  return (
    <Facts
      facts={[
        [t('proposals.proposer'), <MemberName id={proposal.proposer} key="proposer" />],
        [t('proposals.at'), `${time(proposal.proposedAt)} · ${t('proposals.round', { n: proposal.round })}`],
        [t('proposals.approvals'), <Centres ids={proposal.approvals} key="for" of={votes} />],
        [t('proposals.rejections'), proposal.rejections.length === 0 ? undefined : <Centres ids={proposal.rejections} key="against" of={votes} />],
        ...contentOf(proposal).map(([label, value]) => [pick(label), typeof value === 'string' ? value : pick(value)] as const),
        [t('proposals.id'), <Code key="id" label={t('proposals.id')} text={proposal.id} />],
      ]}
    />
  );
}

function Vote({ choice, onClose, proposal }: { readonly choice: Choice; readonly proposal: Proposal; readonly onClose: () => void }): ReactNode {
  const { pick, t } = useWords();
  const node = useNode();
  const client = useQueryClient();
  const titleOf = useProposalTitle();
  const [reason, setReason] = useState('');
  const vote = useMutation({
    mutationFn: async () => await node.vote(choice, proposal.id, reason === '' ? undefined : reason),
    onSuccess: async () => {
      await Promise.all([client.invalidateQueries({ queryKey: ['proposals'] }), client.invalidateQueries({ queryKey: ['overview'] })]);
      onClose();
    },
  });
  return (
    <Modal closeButtonProps={{ 'aria-label': t('app.close') }} onClose={onClose} opened title={t(choice === 'approve' ? 'proposals.approveTitle' : 'proposals.rejectTitle')}>
      <Stack>
        <strong>{titleOf(proposal)}</strong>
        <Notice tone="info"><p>{t('proposals.voteLead')}</p></Notice>
        {choice === 'reject' ? <NativeSelect data={[{ value: '', label: t('proposals.noReason') }, ...Object.entries(rejectionReasons).map(([code, words]) => ({ value: code, label: pick(words) }))]} label={t('proposals.reason')} onChange={(event) => { setReason(event.currentTarget.value); }} value={reason} /> : null}
        {vote.error === null ? null : <Failure error={vote.error} />}
        <div className={styles['votes']}>
          <Button color={choice === 'approve' ? 'blue' : 'red.9'} loading={vote.isPending} onClick={() => { vote.mutate(); }}>{t(choice === 'approve' ? 'proposals.approve' : 'proposals.reject')}</Button>
          <Button onClick={onClose} variant="default">{t('state.cancel')}</Button>
        </div>
      </Stack>
    </Modal>
  );
}
