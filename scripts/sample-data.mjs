// Writes invented records of every kind, as many as asked: npm run sample-data -- --records 100000 --seed 7 --out DIR
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeRecords } from './sample-data/write-records.mjs';

const FEWEST = 100;
const MOST = 10_000_000;
const WIDTH = 30;
const usage = `npm run sample-data -- --records N --seed S --out FOLDER [--json]

  Writes N invented records of all seven kinds for three centres as NDJSON, the same bytes for the same N and S.
  生成 N 条虚构记录（七类、三个中心），相同参数得到相同字节。

  --records  how many, ${FEWEST} to ${MOST}; 10000 when not given / 记录数
  --seed     a whole number from 0 to 4294967295; 1 when not given / 随机种子
  --out      the folder, new, empty or written by this command before / 输出目录
  --json     print the manifest as one line of JSON / 输出 JSON

  npm run sample-data -- --records 100000 --seed 7 --out ./sample
  curl -H 'content-type: application/x-ndjson' --data-binary @sample/guangzhou/credit.ndjson $NODE/v1/records
`;

class UsageError extends Error {}

/** @param {string} name @param {string | undefined} text @param {number} least @param {number} most @param {number} otherwise */
function wholeNumber(name, text, least, most, otherwise) {
  if (text === undefined) return otherwise;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (number < least || number > most) throw new UsageError(`--${name} is a whole number from ${least} to ${most} / --${name} 应为 ${least} 至 ${most} 的整数`);
  return number;
}

function readArguments() {
  let parsed;
  try {
    parsed = parseArgs({
      options: { records: { type: 'string' }, seed: { type: 'string' }, out: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
  } catch (error) {
    throw new UsageError(`${/** @type {Error} */ (error).message} / 参数有误`);
  }
  const { out, json, help } = parsed.values;
  const records = wholeNumber('records', parsed.values.records, FEWEST, MOST, 10_000);
  const seed = wholeNumber('seed', parsed.values.seed, 0, 0xffffffff, 1);
  if (help) return { help, json, records, seed, folder: '' };
  if (out === undefined || out === '') throw new UsageError('--out names the folder to write / 请用 --out 指定输出目录');
  const folder = resolve(out);
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, 'manifest.json'))) {
    throw new UsageError('--out names a folder that holds other files; name a new one / 输出目录中已有其他文件，请指定新目录');
  }
  return { help, json, records, seed, folder };
}

/** @param {number} total @returns {(done: number) => void} */
function progressBar(total) {
  if (!process.stderr.isTTY) return () => undefined;
  return (done) => {
    const filled = Math.floor((done / total) * WIDTH);
    process.stderr.write(`\r[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${total}${done === total ? '\n' : ''}`);
  };
}

try {
  const { help, json, records, seed, folder } = readArguments();
  if (help) process.stdout.write(usage);
  else {
    const manifest = writeRecords({ records, seed, folder, onProgress: progressBar(records) });
    const kinds = Object.entries(manifest.perKind).map(([kind, count]) => `  ${kind.padEnd(14)} ${count}`).join('\n');
    process.stdout.write(json ? `${JSON.stringify(manifest)}\n` : `${manifest.records} invented records, ${manifest.averageBytes} bytes on average / 已生成虚构记录\n${kinds}\n  sha256 ${manifest.sha256}\n  ${folder}\n`);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\nnpm run sample-data -- --help\n`);
  process.exitCode = 2;
}
