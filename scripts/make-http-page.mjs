// Writes the table of routes in docs/protocol/http.md from a running node: node scripts/make-http-page.mjs http://127.0.0.1:8480
import { readFileSync, writeFileSync } from 'node:fs';

const page = new URL('../docs/protocol/http.md', import.meta.url);
const [url = 'http://127.0.0.1:8480'] = process.argv.slice(2);
const { paths } = await (await fetch(`${url}/openapi.json`)).json();
const rows = Object.entries(paths).flatMap(([route, methods]) =>
  Object.entries(methods).map(([method, { security, summary, 'x-huilian-caller': who }]) => `| \`${method.toUpperCase()} ${route}\` | ${who ?? (security.length === 0 ? 'anyone' : 'signed-in')} | ${summary} |`),
);
const begin = '<!-- routes: written by scripts/make-http-page.mjs -->';
const end = '<!-- end of routes -->';
const text = readFileSync(page, 'utf8');
writeFileSync(page, `${text.slice(0, text.indexOf(begin))}${begin}\n| route | who | what |\n|---|---|---|\n${rows.join('\n')}\n${text.slice(text.indexOf(end))}`);
