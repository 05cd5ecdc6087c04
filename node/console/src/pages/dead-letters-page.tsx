import type { DeadLetter } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { PlainCode } from '../parts/code.js';
import { useKindNames } from '../parts/kind-name.js';
import { PagedList } from '../parts/list.js';
import { Moment } from '../parts/moment.js';
import { PageHead, Panel } from '../parts/panel.js';
import { Problems } from '../parts/problems.js';
import { usePages } from '../parts/use-pages.js';
import { fetchDeadLetters, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';

/** Rows that were refused, and why. */
export function DeadLettersPage(): ReactNode {
  const { t } = useWords();
  const { kindName } = useKindNames();
  const pages = usePages<DeadLetter>(['dead-letters'], fetchDeadLetters(useNode(), {}));
  return (
    <>
      <PageHead lead={t('dead.lead')} title={t('dead.title')} />
      <Panel>
        <PagedList<DeadLetter>
          columns={[
            { label: t('dead.source'), show: (letter) => <Source letter={letter} /> },
            { label: t('dead.kind'), show: ({ kind, recordId }) => kindName(kind ?? recordId?.split('/')[1] ?? '') },
            { label: t('dead.reason'), show: (letter) => <Problems letter={letter} /> },
            { label: t('dead.at'), show: ({ at }) => <Moment at={at} /> },
          ]}
          empty={{ title: t('dead.empty'), next: t('dead.emptyNext') }}
          keyOf={({ file, line, recordId, version }) => `${file ?? ''} ${String(line ?? '')} ${recordId ?? ''} ${String(version ?? '')}`}
          label={t('dead.title')}
          pages={pages}
        />
      </Panel>
    </>
  );
}

function Source({ letter: { file, line, recordId } }: { readonly letter: DeadLetter }): ReactNode {
  const { number, t } = useWords();
  if (file === undefined) return recordId === undefined ? '' : <Link to={`/records/${recordId}`}><PlainCode short text={recordId} /></Link>;
  return <><PlainCode text={file.split('/').at(-1) ?? file} />{line === undefined ? '' : ` · ${t('dead.line', { n: number(line) })}`}</>;
}
