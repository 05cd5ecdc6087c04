#!/usr/bin/env node
// Written for any Node.js, so that an old one meets a sentence and not a parse error of the program behind it.
import { readFileSync } from 'fs';

const floor = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).engines.node.replace('>=', '');
const isNewEnough = (have, need) => have[0] > need[0] || (have[0] === need[0] && have[1] >= need[1]);
const numbers = (version) => version.split('.').map(Number);

if (isNewEnough(numbers(process.versions.node), numbers(floor))) {
  import('../dist/program/main.js');
} else {
  console.error(
    'huilian needs Node.js ' + floor + ' or newer; this is ' + process.versions.node + '. Install a newer one (https://nodejs.org), or run "npm start" in a checkout, which fetches its own.\n' +
      '汇链需要 Node.js ' + floor + ' 或更高版本，当前为 ' + process.versions.node + '。请安装新版本（https://nodejs.org），或在源码目录运行 npm start（自动获取）。',
  );
  process.exitCode = 1;
}
