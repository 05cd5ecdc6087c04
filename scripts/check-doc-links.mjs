// Every relative link and #anchor in every Markdown file leads somewhere; every mermaid block names a diagram.
//   node scripts/check-doc-links.mjs [folder]
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listFiles } from './list-files.mjs';

const DIAGRAM = /^(flowchart|graph|sequenceDiagram|stateDiagram(-v2)?|classDiagram|erDiagram|gantt|timeline|journey|pie|mindmap|quadrantChart|gitGraph|requirementDiagram|C4\w+|\w+-beta)\b/;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w-]*)/;

/**
 * @typedef {object} Page
 * @property {string[]} lines the text with code blocks and inline code blanked, so that line numbers stay
 * @property {Set<string>} anchors
 * @property {string[]} findings about the page itself
 */

/**
 * @param {string} root
 * @returns {string[]} one line per dead link or broken block
 */
export function checkDocLinks(root) {
  /** @type {Map<string, Page>} */
  const pages = new Map();
  const open = (/** @type {string} */ path) => {
    const page = pages.get(path) ?? readPage(path, readFileSync(join(root, path), 'utf8'));
    pages.set(path, page);
    return page;
  };
  return listFiles(root)
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => [...open(path).findings, ...linksOf(open(path)).flatMap((link) => judge(root, path, link, open))]);
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Page}
 */
function readPage(path, text) {
  const findings = [];
  const lines = [];
  const slugs = new Map();
  const anchors = new Set();
  /** @type {{ mark: string, language: string, from: number, body: string[] } | undefined} */
  let fence;
  for (const [index, line] of text.split('\n').entries()) {
    const mark = FENCE.exec(line);
    if (fence !== undefined) {
      if (closes(line, fence.mark)) {
        findings.push(...judgeBlock(path, fence));
        fence = undefined;
      } else fence.body.push(line);
      lines.push('');
    } else if (mark?.[1] !== undefined) {
      fence = { mark: mark[1], language: mark[2] ?? '', from: index + 1, body: [] };
      lines.push('');
    } else {
      const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1];
      if (heading !== undefined) anchors.add(unique(slugs, slug(heading)));
      for (const [, id] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id ?? '');
      lines.push(line.replace(/`+[^`]*`+/g, (code) => ' '.repeat(code.length)));
    }
  }
  if (fence !== undefined) findings.push(`${path}:${fence.from}: code block is never closed`);
  return { lines, anchors, findings };
}

/**
 * @param {string} line
 * @param {string} mark the opening fence
 */
function closes(line, mark) {
  const text = line.trim();
  return text.length >= mark.length && text === (mark[0] ?? '').repeat(text.length);
}

/**
 * @param {string} path
 * @param {{ language: string, from: number, body: string[] }} block
 */
function judgeBlock(path, { language, from, body }) {
  if (language !== 'mermaid') return [];
  const first = body.map((line) => line.trim()).find((line) => line !== '' && !line.startsWith('%%'));
  return first !== undefined && DIAGRAM.test(first) ? [] : [`${path}:${from}: mermaid block names no known diagram: ${first ?? '(empty)'}`];
}

/**
 * The anchor GitHub gives a heading.
 * @param {string} heading
 */
function slug(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/<[^>]+>/g, '');
  return text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '').replaceAll(' ', '-');
}

/**
 * @param {Map<string, number>} seen
 * @param {string} name
 */
function unique(seen, name) {
  const count = seen.get(name) ?? 0;
  seen.set(name, count + 1);
  return count === 0 ? name : `${name}-${count}`;
}

/**
 * @typedef {object} Link
 * @property {string} target
 * @property {number} line
 */

/**
 * @param {Page} page
 * @returns {Link[]}
 */
function linksOf({ lines }) {
  const patterns = [/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g, /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/g, /<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g];
  return lines.flatMap((text, index) => patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => ({ target: match[1] ?? '', line: index + 1 }))));
}

/**
 * @param {string} root
 * @param {string} path of the page the link stands on
 * @param {Link} link
 * @param {(path: string) => Page} open
 * @returns {string[]}
 */
function judge(root, path, { target, line }, open) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
  const at = `${path}:${line}: ${target}`;
  if (target.startsWith('/')) return [`${at}: link from the page, not from the root of a site`];
  const [file = '', anchor = ''] = target.split('#').map(decodeURIComponent);
  const found = file === '' ? path : posix.normalize(posix.join(dirname(path), file));
  if (found.startsWith('..')) return [`${at}: leads out of the repository`];
  if (!existsSync(join(root, found))) return [`${at}: no such file`];
  if (anchor === '' || !found.endsWith('.md') || statSync(join(root, found)).isDirectory()) return [];
  return open(found).anchors.has(anchor) ? [] : [`${at}: no such heading`];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const findings = checkDocLinks(resolve(process.argv[2] ?? join(import.meta.dirname, '..')));
  for (const finding of findings) console.error(finding);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
