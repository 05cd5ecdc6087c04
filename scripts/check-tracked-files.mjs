// What must not be in the repository: paths of one machine, hosts of package registries, credentials, build output, marks of
// unfinished work; and file names that break the house's habits.
//   node scripts/check-tracked-files.mjs [folder]
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listFiles } from './list-files.mjs';

const LARGEST_BYTES = 1 << 20;
const CODE = new Set(['.ts', '.tsx', '.js', '.mjs', '.cjs']);

/** @type {readonly { what: string, pattern: RegExp, codeOnly?: boolean }[]} */
const FORBIDDEN_TEXT = [
  { what: 'path of one machine', pattern: /(?<![\w.:/-])\/(?:home|Users)\/[\w.-]+\/|(?<![\w.:/-])\/(?:root|work)\/[\w.-]|[A-Z]:\\+Users\\/ },
  { what: 'host of a package registry', pattern: /registry\.(?:npmjs|npmmirror|yarnpkg|npm\.taobao)\.|"resolved":\s*"https?:|\bregistry\s*=\s*https?:/ },
  { what: 'private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+[\w+/=]{40}/ },
  { what: 'access token', pattern: /\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|npm_[A-Za-z0-9]{36}|xox[abp]-[\w-]{10,})\b|_authToken\s*=/ },
  { what: 'password in an address', pattern: /:\/\/[^\s/:@$<{'"`]+:[^\s/@$<{'"`]+@/ },
  { what: 'mark of unfinished work', pattern: /\b(?:T[O]DO|F[I]XME|X[X]X)\b/, codeOnly: true },
  { what: 'test that silences the others', pattern: /\b(?:it|test|describe)\.only\(/, codeOnly: true },
];

/** @type {readonly { what: string, pattern: RegExp }[]} */
const FORBIDDEN_PATH = [
  { what: 'build output', pattern: /(?:^|\/)(?:dist|node_modules|coverage|generated)\/|\.tsbuildinfo$/ },
  { what: 'key or environment file', pattern: /\.(?:key|p12|pfx)$|(?:^|\/)\.env(?:\.|$)/ },
  { what: 'log', pattern: /\.log$/ },
];

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/;
const VAGUE = /(?:^|[-/])(?:utils?|helpers?|common|managers?)(?:[-./]|$)/;

/**
 * @param {string} root
 * @returns {string[]} one line per finding
 */
export function checkTrackedFiles(root) {
  const here = [resolve(root), homedir()].filter((path) => path.length > 5);
  return listFiles(root).flatMap((path) => [...judgePath(path), ...judgeSize(root, path), ...judgeText(root, path, here)]);
}

/** @param {string} path */
function judgePath(path) {
  const findings = FORBIDDEN_PATH.filter(({ pattern }) => pattern.test(path)).map(({ what }) => `${path}: ${what}`);
  if (!CODE.has(extname(path))) return findings;
  if (!KEBAB.test(basename(path).replace(/^\./, ''))) findings.push(`${path}: name is not kebab-case`);
  if (VAGUE.test(path)) findings.push(`${path}: name says nothing; call it after what it does`);
  return findings;
}

/**
 * @param {string} root
 * @param {string} path
 */
function judgeSize(root, path) {
  const { size } = statSync(join(root, path));
  return size > LARGEST_BYTES ? [`${path}: ${size} bytes is more than ${LARGEST_BYTES}`] : [];
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string[]} here paths of this very machine
 */
function judgeText(root, path, here) {
  const bytes = readFileSync(join(root, path));
  if (bytes.includes(0)) return [];
  const text = bytes.toString('utf8');
  const rules = FORBIDDEN_TEXT.filter(({ codeOnly }) => codeOnly !== true || CODE.has(extname(path)));
  const findings = rules.flatMap(({ what, pattern }) => {
    const match = pattern.exec(text);
    return match === null ? [] : [`${path}:${lineOf(text, match.index)}: ${what}`];
  });
  for (const own of here) {
    const index = text.indexOf(`${own}/`);
    if (index >= 0) findings.push(`${path}:${lineOf(text, index)}: path of this machine`);
  }
  return findings;
}

/**
 * @param {string} text
 * @param {number} index
 */
function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const findings = checkTrackedFiles(resolve(process.argv[2] ?? join(import.meta.dirname, '..')));
  for (const finding of findings) console.error(finding);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
