import { comparedThings, statementReasons, verdictWords } from '@huilian/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import { Below } from './below.js';
import { Mark, type Tone } from './mark.js';
import { MemberName } from './member-name.js';
import { Moment } from './moment.js';
import { Inline, Panel } from './panel.js';
import styles from './parts.module.css';
import { Answer, Empty } from './states.js';

const tones: Readonly<Record<string, Tone>> = { agrees: 'ok', confirm: 'ok', differs: 'warn', dispute: 'fail', withdraw: 'neutral', withdrawn: 'neutral' };

/** What other centres attested of a record, and what its owner said of it. */
export function RecordWords({ id }: { readonly id: string }): ReactNode {
  const { name, pick, t } = useWords();
  const words = useQuery(queries.recordWords(useNode(), id));
  return (
    <Panel lead={t('record.wordsLead')} title={t('record.words')}>
      <Answer lines={3} of={words}>
        {({ attestations, statements }) =>
          attestations.length + statements.length === 0 ? <Empty title={t('record.wordsNone')} /> : (
            <ul className={styles['cards']}>
              {attestations.map(({ attestedAt, attester, compared, outcome, version }) => (
                <li key={`${attester} ${String(version)}`}>
                  <Inline><MemberName id={attester} /><Mark tone={tones[outcome] ?? 'neutral'}>{name('verdict', outcome)}</Mark><span>{t('record.versionN', { n: version })}</span></Inline>
                  <Below>{compared.map((one) => pick(comparedThings[one as keyof typeof comparedThings])).join(', ')}{' '}<Moment at={attestedAt} /></Below>
                </li>
              ))}
              {statements.map(({ statedAt, statement: { claims, owner, reason, verdict, version } }) => (
                <li key={`${owner} ${String(version)} ${claims.join()}`}>
                  <Inline><span>{t('accesses.owner')}</span><Mark tone={tones[verdict] ?? 'neutral'}>{pick(verdictWords[verdict])}</Mark><span>{t('record.versionN', { n: version })}</span></Inline>
                  <Below>{pick(statementReasons[reason])}{' '}<Moment at={statedAt} /></Below>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}
