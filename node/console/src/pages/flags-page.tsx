import { flagCodes, type FlagCode, type LinkFlags } from '@huilian/sdk';
import { Button, NativeSelect } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { PagedList } from '../parts/list.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel, Stack } from '../parts/panel.js';
import { Failure } from '../parts/states.js';
import { usePages } from '../parts/use-pages.js';
import { fetchFlags, useNode } from '../queries.js';
import { useSession } from '../session/session.js';
import { useWords } from '../words/use-words.js';

type Found = LinkFlags['items'][number];

/** Records of this centre that its link checks say to look at. */
export function FlagsPage(): ReactNode {
  const { pick, t } = useWords();
  const node = useNode();
  const [code, setCode] = useState<FlagCode>();
  const pages = usePages<Found>(['flags', code], fetchFlags(node, code === undefined ? {} : { code }));
  const reasons = Object.entries(flagCodes).map(([value, words]) => ({ value, label: pick(words) }));
  return (
    <>
      <PageHead actions={<Again />} lead={t('flags.lead')} title={t('flags.title')} />
      <Panel>
        <Stack>
          <NativeSelect data={[{ value: '', label: t('flags.all') }, ...reasons]} label={t('flags.reason')} onChange={(event) => { setCode(event.currentTarget.value === '' ? undefined : (event.currentTarget.value as FlagCode)); }} value={code ?? ''} />
          <PagedList<Found>
            columns={[
              { label: t('flags.reason'), show: (flag) => pick(flag) },
              { label: t('flags.records'), show: ({ recordIds }) => recordIds.map((record) => <div key={record}><Link to={`/records/${record}`}>{record}</Link></div>) },
              { label: t('flags.since'), show: ({ since }) => <Moment at={since} /> },
            ]}
            empty={{ title: t('flags.none') }}
            keyOf={(flag) => `${flag.code} ${flag.recordIds.join()}`}
            label={t('flags.title')}
            pages={pages}
          />
        </Stack>
      </Panel>
    </>
  );
}

function Again(): ReactNode {
  const { t } = useWords();
  const { may } = useSession();
  const node = useNode();
  const client = useQueryClient();
  const again = useMutation({ mutationFn: async () => await node.recheckLinks(), onSuccess: async () => { await client.invalidateQueries({ queryKey: ['flags'] }); } });
  if (!may('correct')) return null;
  return (
    <>
      <Button loading={again.isPending} onClick={() => { again.mutate(); }} size="sm" variant="default">{t('flags.again')}</Button>
      {again.error === null ? null : <Failure error={again.error} />}
    </>
  );
}
