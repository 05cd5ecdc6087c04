import { rejectionReasons, type JoinRequest } from '@huilian/sdk';
import { Button, Modal, NativeSelect, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { queries, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';
import { PlainCode } from './code.js';
import { List } from './list.js';
import { Mark, Notice, type Tone } from './mark.js';
import { MemberName, useMemberNames } from './member-name.js';
import { Moment } from './moment.js';
import { Inline, Panel, Stack } from './panel.js';
import { Answer, Empty, Failure } from './states.js';

const tones: Readonly<Record<JoinRequest['status'], Tone>> = { admitted: 'ok', received: 'info', refused: 'warn', 'turned-away': 'neutral', voting: 'info' };
type Step = 'propose' | 'turn-away';

/** Who asks to join, at every centre, and what became of it. */
export function JoinRequests({ own }: { readonly own: string }): ReactNode {
  const { name, pick, t } = useWords();
  const nameOf = useMemberNames();
  const joins = useQuery(queries.joins(useNode()));
  return (
    <Panel lead={t('joins.lead')} title={t('joins.title')}>
      <Answer lines={3} of={joins}>
        {({ items, missing }) => (
          <Stack>
            {missing.length === 0 ? null : <Notice tone="warn"><p>{t('joins.missing', { names: missing.map(nameOf).join(', ') })}</p></Notice>}
            {items.length === 0 ? <Empty next={t('joins.noneNext')} title={t('joins.none')} /> : (
              <List<JoinRequest>
                columns={[
                  { label: t('members.name'), show: ({ document }) => <><strong>{pick(document.name)}</strong><br /><PlainCode text={document.id} /></> },
                  { label: t('members.kind'), show: ({ document }) => name('memberKind', document.kind) },
                  { label: t('joins.at'), show: ({ askedAt, centre }) => <><Moment at={askedAt} /><br /><MemberName id={centre} /></> },
                  { label: t('members.status'), show: (join) => <Outcome join={join} /> },
                  { label: t('joins.next'), show: (join) => <Steps join={join} own={own} /> },
                ]}
                items={items}
                keyOf={({ centre, id }) => `${centre} ${id}`}
                label={t('joins.title')}
              />
            )}
          </Stack>
        )}
      </Answer>
    </Panel>
  );
}

/** How it stands; where it was refused, why, as the applicant reads it. */
function Outcome({ join: { answer, reasons = {}, status } }: { readonly join: JoinRequest }): ReactNode {
  const { name, pick } = useWords();
  const nameOf = useMemberNames();
  const said = [...Object.entries(reasons).map(([centre, reason]) => `${nameOf(centre)}: ${pick(rejectionReasons[reason])}`), ...(answer?.reason === undefined ? [] : [pick(rejectionReasons[answer.reason])]), ...(answer?.note === undefined ? [] : [answer.note])];
  return <><Mark tone={tones[status]}>{name('joinState', status)}</Mark>{said.map((text) => <div key={text}>{text}</div>)}</>;
}

function Steps({ join, own }: { readonly join: JoinRequest; readonly own: string }): ReactNode {
  const { t } = useWords();
  const { may } = useSession();
  const [step, choose] = useState<Step>();
  if (!may('vote') || join.status === 'admitted' || join.status === 'voting') return t('state.none');
  return (
    <Inline>
      <Button onClick={() => { choose('propose'); }} size="xs">{t('joins.propose')}</Button>
      {join.centre === own && join.status === 'received' ? <Button onClick={() => { choose('turn-away'); }} size="xs" variant="default">{t('joins.turnAway')}</Button> : null}
      {step === undefined ? null : <Confirm join={join} onClose={() => { choose(undefined); }} step={step} />}
    </Inline>
  );
}

function Confirm({ join, onClose, step }: { readonly join: JoinRequest; readonly step: Step; readonly onClose: () => void }): ReactNode {
  const { pick, t } = useWords();
  const node = useNode();
  const client = useQueryClient();
  const [reason, setReason] = useState<keyof typeof rejectionReasons>('documents-incomplete');
  const [note, setNote] = useState('');
  const act = useMutation({
    mutationFn: async () => (step === 'propose' ? await node.proposeJoin(join.id) : await node.answerJoin(join.id, { reason, ...(note.trim() === '' ? {} : { note: note.trim() }) })),
    onSuccess: async () => {
      await Promise.all(['joins', 'overview', 'proposals'].map(async (key) => { await client.invalidateQueries({ queryKey: [key] }); }));
      onClose();
    },
  });
  const isProposal = step === 'propose';
  return (
    <Modal closeButtonProps={{ 'aria-label': t('app.close') }} onClose={onClose} opened title={t(isProposal ? 'joins.proposeTitle' : 'joins.turnAwayTitle')}>
      <Stack>
        <strong>{pick(join.document.name)}</strong>
        <Notice tone="info"><p>{t(isProposal ? 'joins.proposeLead' : 'joins.turnAwayLead')}</p></Notice>
        {isProposal ? null : <NativeSelect data={Object.entries(rejectionReasons).map(([code, words]) => ({ value: code, label: pick(words) }))} label={t('joins.reason')} onChange={(event) => { setReason(event.currentTarget.value as typeof reason); }} value={reason} />}
        {isProposal ? null : <Textarea autosize label={t('joins.note')} maxLength={500} onChange={(event) => { setNote(event.currentTarget.value); }} value={note} />}
        {act.error === null ? null : <Failure error={act.error} />}
        <Inline>
          <Button color={isProposal ? 'blue' : 'red.9'} loading={act.isPending} onClick={() => { act.mutate(); }}>{t(isProposal ? 'joins.propose' : 'joins.turnAway')}</Button>
          <Button onClick={onClose} variant="default">{t('state.cancel')}</Button>
        </Inline>
      </Stack>
    </Modal>
  );
}
