import type { SyncRun } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { Below } from './below.js';
import { Mark, type Tone } from './mark.js';
import { Inline } from './panel.js';

const tones: Readonly<Record<SyncRun['state'], Tone>> = { done: 'ok', failed: 'fail', interrupted: 'warn', running: 'info', stopped: 'neutral' };

/** How a run stands; its code where it failed. */
export function RunState({ run }: { readonly run: SyncRun | undefined }): ReactNode {
  const { name, t } = useWords();
  if (run === undefined) return <Mark>{t('sources.never')}</Mark>;
  const { dryRun, error, share, state } = run;
  return (
    <>
      <Inline><Mark tone={tones[state]}>{name('runState', state)}</Mark>{dryRun ? <Mark>{t('sources.dryRun')}</Mark> : null}</Inline>
      {state === 'running' && share !== undefined ? <Below>{`${String(Math.round(share * 100))} %`}</Below> : null}
      {error === undefined ? null : <Below>{error.code}</Below>}
    </>
  );
}

/** Rows of a run, by what became of them. */
export function RunCounts({ run }: { readonly run: SyncRun | undefined }): ReactNode {
  const { number, t } = useWords();
  if (run === undefined) return '';
  const { accepted, refused, rows, unchanged } = run;
  return <>{t('sources.rows', { rows: number(rows) })}<Below>{t('sources.outcome', { accepted: number(accepted), unchanged: number(unchanged), refused: number(refused) })}</Below></>;
}
