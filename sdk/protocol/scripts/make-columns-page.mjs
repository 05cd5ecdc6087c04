// Writes docs/protocol/columns.md from the kinds' documents: node sdk/protocol/scripts/make-columns-page.mjs (after a build).
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { bundledKinds } from '@huilian/protocol';

const page = new URL('../../../docs/protocol/columns.md', import.meta.url);

/** @typedef {{ title?: string, 'x-title-zh'?: string, 'x-code'?: string, properties?: Record<string, Shape>, items?: Shape, required?: string[], enum?: string[] }} Shape */

/** Whether a row must fill the field: always, or only where it fills anything of the claim. @param {Shape} document @param {string} claim @param {string} field */
function needed(document, claim, field) {
  const shape = document.properties?.[claim];
  if (!(shape?.items ?? shape)?.required?.includes(field)) return '';
  return document.required?.includes(claim) ? '必填 required' : `有 ${claim} 时必填 required with ${claim}`;
}

/** What a cell must look like. @param {Shape | undefined} shape @param {{ transform: string, unit?: readonly string[] }} rule */
function cell(shape, { transform, unit }) {
  const code = shape?.['x-code'];
  const values = shape?.enum?.map((value) => `\`${value}\``).join(', ');
  const units = unit?.filter((name) => /^[A-Z]/.test(name)).join(', ');
  return [transform, units === undefined ? undefined : `unit in ${units}`, code === undefined ? undefined : `code \`${code}\``, transform === 'text' ? values : undefined].filter((part) => part !== undefined && part !== '').join('; ');
}

/** @param {import('@huilian/protocol').KindDefinition} definition */
function kindSection({ document, import: rules, kind, title, version }) {
  const shape = /** @type {Shape} */ (document);
  /** @type {Map<string, string[]>} */
  const columns = new Map();
  for (const [name, { path, transform }] of Object.entries(rules)) {
    const place = path === '' ? transform : path;
    columns.set(place, [...(columns.get(place) ?? []), name]);
  }
  const lines = [...columns].map(([place, names]) => {
    const [claim = '', field = ''] = place.split('.');
    const rule = rules[names[0] ?? ''];
    if (rule === undefined || rule.path === '') return `| ${names.join(', ')} | | ${place} | |`;
    const of = shape.properties?.[claim];
    return `| ${names.join(', ')} | \`${place}\` | ${cell((of?.items ?? of)?.properties?.[field], rule)} | ${needed(shape, claim, field)} |`;
  });
  return `## ${kind} ${title.zh}, version ${version}\n\n| 列 columns | field | 单元格 cell | |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** The page as text. @returns {string} */
export function columnsPage() {
  return `# Columns

列名一览：平台导出或视图中的列怎样叫、含义和必填。What the columns of an export or a view are called, by kind: national field names (GB), Chinese titles, known misspellings. Written by
\`sdk/protocol/scripts/make-columns-page.mjs\` from the bundled [kinds](kinds.md); a test compares the two. Any of the names on one line will do; capital or small letters are the same.
*field* is what they fill ([claims](claims.md)), *cell* the transform by which a cell is read ([import of rows](kinds.md#import-of-rows)) and the [code](codes.md) or words it must be.
A required field may also be said by another column: that of an entry code says the category. More is needed by some categories ([the seven kinds](kinds.md#the-seven-kinds)).
*ignore* is read and not kept, *unit* is the unit of an amount. Other names need a [mapping](../operations/mapping.md), or a view that renames them.

${bundledKinds().map(kindSection).join('\n')}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const before = readFileSync(page, { encoding: 'utf8', flag: 'a+' });
  const after = columnsPage();
  writeFileSync(page, after);
  console.log(before === after ? 'columns.md is as it was' : 'columns.md written');
}
