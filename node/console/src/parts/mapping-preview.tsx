import type { MappingPreview } from '@huilian/sdk';
import type { ReactNode } from 'react';
import { useWords } from '../words/use-words.js';
import { PlainCode } from './code.js';
import { Facts } from './facts.js';
import styles from './mapping-preview.module.css';
import { Mark, Notice } from './mark.js';
import { Stack } from './panel.js';
import { ProblemList } from './problems.js';

/** Each row twice: its cells as they came, and the fields that they become. */
export function PreviewedRows({ preview }: { readonly preview: MappingPreview }): ReactNode {
  const { number, pick, t } = useWords();
  return (
    <Stack>
      {preview.mappingProblems.map((problem) => <Notice key={`${problem.path} ${problem.code}`} tone="fail"><p><PlainCode text={problem.path} /> {pick(problem)}</p></Notice>)}
      <Notice tone={preview.refused > 0 ? 'warn' : 'ok'}><p>{t('mappings.summary', { ok: number(preview.ok), refused: number(preview.refused) })}</p></Notice>
      {preview.rows.map((row, index) => (
        <article aria-label={t('mappings.row', { n: index + 1 })} className={styles['row']} key={index}>
          <div className={styles['head']}><strong>{t('mappings.row', { n: index + 1 })}</strong><Mark tone={row.ok ? 'ok' : 'warn'}>{t(row.ok ? 'mappings.fits' : 'mappings.refusedRow')}</Mark></div>
          <div className={styles['sides']}>
            <div>
              <h3 className={styles['side']}>{t('mappings.cells')}</h3>
              <Facts facts={row.cells.map(({ cell, column, fields }) => [column, <>{cell === '' ? '—' : cell}<span className={styles['to']}>{fields.length === 0 ? t('mappings.ignored') : `→ ${fields.join(', ')}`}</span></>])} />
            </div>
            <div>
              <h3 className={styles['side']}>{t('mappings.fields')}</h3>
              <Facts facts={fieldsOf(row.fields)} />
              <ProblemList problems={row.problems} />
              <ProblemList problems={row.warnings} />
            </div>
          </div>
        </article>
      ))}
    </Stack>
  );
}

function fieldsOf(fields: Readonly<Record<string, unknown>>): readonly (readonly [string, ReactNode])[] {
  return Object.entries(fields).flatMap(([claim, values]) => (typeof values === 'object' && values !== null && !Array.isArray(values) ? Object.entries(values).map(([field, value]) => [`${claim}.${field}`, textOf(value)] as const) : [[claim, textOf(values)] as const]));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
