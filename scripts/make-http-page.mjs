// Writes the routes of docs/protocol/http.md and docs/protocol/roles.md from the built code: node scripts/make-http-page.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { controllers } from '../node/dist/adapters/http/start-http.js';
import { declaredRoutes } from '../node/dist/adapters/http/open-api.js';
import { rolesPage } from '../node/dist/adapters/http/route-callers.js';

const routes = declaredRoutes(controllers);
const page = new URL('../docs/protocol/http.md', import.meta.url);
// In the order of openapi.json, which has the methods of one address together.
const byPath = Map.groupBy(routes, ({ path }) => path);
const rows = [...byPath.values()].flat().map(({ en, method, path, who, zh }) => `| \`${method} ${path}\` | ${who} | ${zh} / ${en} |`);
const begin = '<!-- routes: written by scripts/make-http-page.mjs -->';
const end = '<!-- end of routes -->';
const text = readFileSync(page, 'utf8');
writeFileSync(page, `${text.slice(0, text.indexOf(begin))}${begin}\n| route | who | what |\n|---|---|---|\n${rows.join('\n')}\n${text.slice(text.indexOf(end))}`);
writeFileSync(new URL('../docs/protocol/roles.md', import.meta.url), rolesPage(routes));
