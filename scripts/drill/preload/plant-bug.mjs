// Loaded into a process before its program (NODE_OPTIONS=--import): changes one text of one file as it is loaded, to see
// whether a drill finds the bug. Nothing on disk is touched.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const { file, from, to } = JSON.parse(process.env['DRILL_PLANT'] ?? '{}');

/** @param {string} source */
function planted(source) {
  if (!source.includes(from)) throw new Error(`the bug cannot be planted: ${file} does not hold ${JSON.stringify(from)}`);
  return source.replace(from, () => to);
}

registerHooks({
  load(url, context, next) {
    if (!url.endsWith(`/${file}`)) return next(url, context);
    const loaded = next(url, context);
    return { ...loaded, source: planted(readFileSync(fileURLToPath(url), 'utf8')) };
  },
});
