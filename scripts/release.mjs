// npm run release -- [--out DIR] [--arch x64|arm64|both] [--json]
// One archive per architecture that installs without a network: program, dependencies, Node.js, units, docs, checksums.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { run, ReleaseError } from './release/run.mjs';
import { stage, writeChecksums } from './release/stage.mjs';

const root = path.resolve(import.meta.dirname, '..');
const usage = `npm run release -- [--out FOLDER] [--arch x64|arm64|both] [--json]

Makes huilian-<version>-linux-<arch>.tar.gz and SHA256SUMS / 制作离线安装包
Example / 示例:  npm run release -- --out ./release --arch both
`;

/** @returns {{ out: string, arches: string[], json: boolean }} */
function options() {
  try {
    const { values } = parseArgs({ options: { arch: { type: 'string', default: 'both' }, help: { type: 'boolean' }, json: { type: 'boolean', default: false }, out: { type: 'string', default: 'release' } } });
    if (values.help === true) {
      process.stdout.write(usage);
      process.exit(0);
    }
    if (!['arm64', 'both', 'x64'].includes(values.arch)) throw new Error(`there is no architecture ${values.arch}`);
    return { arches: values.arch === 'both' ? ['x64', 'arm64'] : [values.arch], json: values.json, out: path.resolve(values.out) };
  } catch (error) {
    throw new ReleaseError('USAGE', /** @type {Error} */ (error).message, { en: 'npm run release -- --help', zh: 'npm run release -- --help 查看用法' });
  }
}

/** @param {string} english @param {string} chinese */
function step(english, chinese) {
  process.stderr.write(`${english} / ${chinese}\n`);
}

/** @param {string} file */
async function digestOf(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** Time of the commit that is released, so that the same commit gives the same archive. */
function commitTime() {
  return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim();
}

async function main() {
  const { arches, json, out } = options();
  const { version } = /** @type {{ version: string }} */ (JSON.parse(readFileSync(path.join(root, 'node', 'package.json'), 'utf8')));
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(path.join(tmpdir(), 'huilian-release-'));
  const archives = [];
  try {
    for (const [index, arch] of arches.entries()) {
      const name = `huilian-${version}-linux-${arch}`;
      const of = `${String(index + 1)}/${String(arches.length)} ${arch}`;
      step(`${of}: dependencies, program, Node.js`, '依赖、程序与运行时');
      await stage({ arch, folder: path.join(work, name), root, version });
      step(`${of}: checksums`, '校验值');
      writeChecksums(path.join(work, name));
      step(`${of}: archive`, '打包');
      const tar = path.join(work, `${name}.tar`);
      await run('tar', ['--sort=name', `--mtime=@${commitTime()}`, '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w', '-cf', tar, name], work);
      await run('gzip', ['-n', '-6', tar], work);
      const file = path.join(out, `${name}.tar.gz`);
      await run('mv', [`${tar}.gz`, file], work);
      archives.push({ arch, bytes: statSync(file).size, file, sha256: await digestOf(file) });
      rmSync(path.join(work, name), { recursive: true });
    }
    writeFileSync(path.join(out, 'SHA256SUMS'), archives.map(({ file, sha256 }) => `${sha256}  ${path.basename(file)}\n`).join(''));
  } finally {
    rmSync(work, { force: true, recursive: true });
  }
  if (json) process.stdout.write(`${JSON.stringify({ archives, version })}\n`);
  else for (const { bytes, file, sha256 } of archives) process.stdout.write(`${file}  ${(bytes / 1024 / 1024).toFixed(1)} MiB  ${sha256}\n`);
}

main().catch((/** @type {unknown} */ error) => {
  const known = error instanceof ReleaseError ? error : new ReleaseError('INTERNAL', String(error), { en: 'see the message above', zh: '请查看上述信息' });
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { cause: known.message, code: known.code, next: known.next, stage: 'release' } })}\n`);
  else process.stderr.write(`${known.code}: ${known.message}\n  → ${known.next.en} / ${known.next.zh}\n`);
  process.exitCode = 1;
});
