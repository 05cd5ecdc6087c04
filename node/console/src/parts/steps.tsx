import type { NodeFinding } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { Icon, type IconName } from './icons.js';
import { Mark, type Tone } from './mark.js';
import styles from './parts.module.css';

const tones: Readonly<Record<NodeFinding['level'], Tone>> = { fail: 'fail', ok: 'ok', warn: 'warn' };
const signs: Readonly<Record<NodeFinding['level'], IconName>> = { fail: 'cross', ok: 'check', warn: 'deadLetters' };

/** Findings one below the other: how each thing is, and what to do where it is not well. */
export function Steps({ findings, ordered = false }: { readonly findings: readonly NodeFinding[]; readonly ordered?: boolean }): ReactNode {
  const Tag = ordered ? 'ol' : 'ul';
  return <Tag className={styles['steps']}>{findings.map((finding) => <Step finding={finding} key={finding.check} />)}</Tag>;
}

function Step({ finding }: { readonly finding: NodeFinding }): ReactNode {
  const { name, pick, t } = useWords();
  const tone = tones[finding.level];
  return (
    <li>
      <span className={`${styles['stepMark'] ?? ''} ${styles[tone] ?? ''}`}><Icon name={signs[finding.level]} size={15} /></span>
      <div>
        <div className={styles['inline']}>
          <span className={styles['stepTitle']}>{name('check', finding.check)}</span>
          {finding.level === 'ok' ? <span className="visually-hidden">{t('level.ok')}</span> : <Mark tone={tone}>{name('level', finding.level)}</Mark>}
        </div>
        <p className={styles['stepText']}>{pick(finding)}</p>
        {finding.next === undefined ? null : <p className={styles['stepText']}><strong>{t('state.next')}</strong>{' '}{pick(finding.next)}</p>}
      </div>
    </li>
  );
}
