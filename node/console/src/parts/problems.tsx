import type { DeadLetter, RowProblem } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { PlainCode } from './code.js';
import { Mark } from './mark.js';
import styles from './problems.module.css';

/** Why a row was refused: each field with its reason and what to do. */
export function Problems({ letter: { code, problems = [], version } }: { readonly letter: DeadLetter }): ReactNode {
  const { t } = useWords();
  return (
    <>
      <Mark tone="warn">{code}</Mark>
      {problems.length === 0 && version !== undefined ? <p className={styles['line']}>{t('dead.byLedger', { version })}</p> : null}
      <ProblemList problems={problems} />
    </>
  );
}

export function ProblemList({ problems }: { readonly problems: readonly RowProblem[] }): ReactNode {
  const { pick } = useWords();
  return problems.map((problem) => (
    <div className={styles['line']} key={`${problem.path} ${problem.code}`}>
      <PlainCode text={problem.path} />{' '}{pick(problem)}
      {problem.suggestion === undefined ? null : <p className={styles['suggestion']}>{pick(problem.suggestion)}</p>}
    </div>
  ));
}
