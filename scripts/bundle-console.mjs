// Builds the console's pages into node/console/dist, which the node serves under /console/. The page is one HTML file; scripts, styles
// and the pages of the console are files whose names are made of their content, so that a browser may keep them for good.
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from 'vite';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'node', 'console');
const stamp = path.join(folder, 'dist', 'LICENSES.txt');

/** @param {string} place @returns {number} time of the newest file there */
function newest(place) {
  if (!statSync(place).isDirectory()) return statSync(place).mtimeMs;
  return Math.max(0, ...readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs));
}

function isFresh() {
  const inputs = ['node/console/src', 'node/console/public', 'node/console/index.html', 'sdk/protocol/dist', 'sdk/client/dist', 'package-lock.json', 'scripts/bundle-console.mjs'];
  return existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...inputs.map((input) => newest(path.join(root, input))));
}

async function bundle() {
  // Libraries that come twice are taken as they are for production, whatever the shell says.
  process.env['NODE_ENV'] = 'production';
  await build({
    root: folder,
    base: './',
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      target: 'es2023',
      // Nothing is written into the page or its styles: the policy of the page lets in files of the node alone.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      license: { fileName: 'LICENSES.txt' },
      chunkSizeWarningLimit: 1000,
      // `use client` speaks to servers that render pages; here none does.
      rolldownOptions: { onLog: (level, log, tell) => { if (log.code !== 'MODULE_LEVEL_DIRECTIVE') tell(level, log); } },
    },
  });
}

if (!isFresh()) await bundle();
