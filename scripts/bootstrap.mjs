// Brings this checkout to life on whatever Node.js the machine has, then runs a command in it:
//   node scripts/bootstrap.mjs run -- <command> [arguments]     node scripts/bootstrap.mjs install
// This first file keeps to syntax that Node.js 12 can read, so that an old Node.js meets a sentence and not a parse error.
const OLDEST_HOST = 18;

if (Number(process.versions.node.split('.')[0]) < OLDEST_HOST) {
  console.error(
    'huilian: Node.js ' + process.versions.node + ' is too old even to fetch a newer one. Install Node.js 22.13 or newer (https://nodejs.org), then run the same command again.\n' +
      '汇链：Node.js ' + process.versions.node + ' 版本过旧，无法自动获取新版本。请安装 Node.js 22.13 或更高版本（https://nodejs.org），然后重新运行同一命令。',
  );
  process.exit(1);
}

import('./bootstrap/start.mjs').then((bootstrap) => bootstrap.start(process.argv.slice(2)));
