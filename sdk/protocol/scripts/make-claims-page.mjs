// Writes docs/protocol/claims.md from the kinds' documents: node sdk/protocol/scripts/make-claims-page.mjs (after a build).
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { bundledKinds } from '@huilian/protocol';

const page = new URL('../../../docs/protocol/claims.md', import.meta.url);

/** @typedef {{ type?: string, title?: string, 'x-title-zh'?: string, properties?: Record<string, Shape>, items?: Shape, required?: string[], enum?: string[] }} Shape */

/** How a value looks in a claim that was read. @param {Shape} shape */
function form(shape) {
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${value}\``).join(', ');
  return shape.type === 'array' ? 'list' : (shape.type ?? 'text').replace('string', 'text');
}

/** @param {string} name @param {Shape} shape @param {readonly string[]} personal @param {readonly string[]} required */
function fieldLine(name, shape, personal, required) {
  const marks = [required.includes(name) ? '必填 required' : '', personal.includes(name) ? '个人信息 personal' : ''].filter((mark) => mark !== '').join('; ');
  return `| \`${name}\` | ${shape['x-title-zh'] ?? ''} ${shape.title ?? ''} | ${form(shape)} | ${marks} |`;
}

/** @param {import('@huilian/protocol').KindDefinition} definition @param {string} claim */
function claimSection({ claims, document, kind }, claim) {
  const properties = /** @type {Record<string, Shape>} */ (document['properties']);
  const shape = /** @type {Shape} */ (properties[claim]);
  const fields = shape.items ?? shape;
  const about = claims[claim];
  const lines = Object.entries(fields.properties ?? {}).map(([name, field]) => fieldLine(name, field, about?.personal ?? [], fields.required ?? []));
  const listed = shape.type === 'array' ? ', a list of' : '';
  return `### \`${kind}/${claim}\` ${about?.zh ?? ''} ${about?.en ?? ''}${listed}\n\n| field | 名称 | value | |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** The page as text. @returns {string} */
export function claimsPage() {
  const sections = bundledKinds().map((definition) => {
    const { claims, kind, title, version } = definition;
    return `## ${kind} ${title.zh}, version ${version}\n\n${Object.keys(claims).map((claim) => claimSection(definition, claim)).join('\n')}`;
  });
  return `# Claims

What can be asked for, granted and read, by kind: a grant names \`kind/claim\`, a read answers the claim's fields. Written by \`sdk/protocol/scripts/make-claims-page.mjs\`
from the bundled [kinds](kinds.md); a test compares the two. Money is integer fen as text, dates are \`YYYY-MM-DD\`, times \`YYYY-MM-DDTHH:mm:ss+08:00\`. Kinds that a consortium
adopted later are described by their documents, as adopted on its ledger.

${sections.join('\n')}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const before = readFileSync(page, { encoding: 'utf8', flag: 'a+' });
  const after = claimsPage();
  writeFileSync(page, after);
  console.log(before === after ? 'claims.md is as it was' : 'claims.md written');
}
