import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bundledKinds, canonicalize, importRow } from '../../sdk/protocol/dist/index.js';
import { sampleRecords } from './records.mjs';

const BUFFERED = 1 << 18;
const ABOUT = 'invented: no company, person or project here exists / 虚构数据：其中的单位、人员、项目均不存在';

const README = `# Sample records / 示例记录

Everything here is invented: names, addresses, certificates, amounts. Identity and credit codes are synthetic, with valid
check characters; none is known to be anyone's. Do not publish these records on a ledger that others rely on.

此目录全部为虚构数据：名称、地址、证书、金额均为编造；代码为带有效校验位的合成代码。请勿发布到他人依赖的账本上。

- \`<centre>/<kind>.ndjson\`: one line a record, {kind, data} in canonical JSON, as \`POST /v1/records\` takes it
- \`owners.json\`: the enterprises the records are about, the largest first, with how many records each has
- \`manifest.json\`: counts, sizes and SHA-256 of each file; the same for the same number of records and seed on any machine
`;

/** One output file: buffered, counted, hashed as it goes. */
class RecordFile {
  records = 0;
  bytes = 0;
  #hash = createHash('sha256');
  #waiting = '';
  #descriptor;

  /** @param {string} folder @param {string} path from folder */
  constructor(folder, path) {
    this.path = path;
    this.#descriptor = openSync(join(folder, path), 'w');
  }

  /** @param {string} line */
  add(line) {
    this.records += 1;
    this.#waiting += `${line}\n`;
    if (this.#waiting.length > BUFFERED) this.#flush();
  }

  #flush() {
    const bytes = Buffer.from(this.#waiting, 'utf8');
    this.#waiting = '';
    this.#hash.update(bytes);
    this.bytes += bytes.length;
    for (let from = 0; from < bytes.length; ) from += writeSync(this.#descriptor, bytes, from);
  }

  end() {
    this.#flush();
    closeSync(this.#descriptor);
    return { path: this.path, records: this.records, bytes: this.bytes, sha256: this.#hash.digest('hex') };
  }
}

const kinds = new Map(bundledKinds().map((kind) => [kind.kind, kind]));

/** @param {import('./records.mjs').SampleRow} sample */
function lineOf({ kind, row }) {
  const definition = kinds.get(kind);
  if (definition === undefined) throw new Error(`no kind ${kind}`);
  const { data, problems } = importRow(definition, row);
  if (data === undefined) throw new Error(`a ${kind} row that does not import: ${JSON.stringify(problems)}`);
  return canonicalize({ data, kind });
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Writes the files of DIR: <centre>/<kind>.ndjson, owners.json, README.md, manifest.json.
 * @param {{ records: number, seed: number, folder: string, onProgress: (done: number) => void }} request
 * @returns the manifest; its sha256 is over the lines "<sha256>  <path>" of all files in order of path
 */
export function writeRecords({ records, seed, folder, onProgress }) {
  const { counts, owners, rows } = sampleRecords(records, seed);
  mkdirSync(folder, { recursive: true });
  /** @type {Map<string, RecordFile>} */
  const files = new Map();
  const perOwner = new Map();
  let done = 0;
  for (const sample of rows()) {
    const path = `${sample.centre}/${sample.kind}.ndjson`;
    let file = files.get(path);
    if (file === undefined) {
      mkdirSync(join(folder, sample.centre), { recursive: true });
      file = new RecordFile(folder, path);
      files.set(path, file);
    }
    file.add(lineOf(sample));
    if (sample.owner !== undefined) perOwner.set(sample.owner.uscc, (perOwner.get(sample.owner.uscc) ?? 0) + 1);
    done += 1;
    if (done % 1000 === 0) onProgress(done);
  }
  onProgress(done);
  const written = [...files.values()].map((file) => file.end());
  const ownerList = json({ about: ABOUT, owners: owners.map(({ uscc, name, centre }) => ({ uscc, name, centre: centre.id, records: perOwner.get(uscc) ?? 0 })) });
  writeFileSync(join(folder, 'owners.json'), ownerList);
  written.push({ path: 'owners.json', records: 0, bytes: Buffer.byteLength(ownerList), sha256: createHash('sha256').update(ownerList).digest('hex') });
  written.sort((left, right) => (left.path < right.path ? -1 : 1));
  const bytes = written.reduce((sum, file) => sum + (file.records > 0 ? file.bytes : 0), 0);
  const manifest = {
    about: ABOUT, records: done, seed, perKind: counts, bytes, averageBytes: Math.round(bytes / done),
    files: written,
    sha256: createHash('sha256').update(written.map((file) => `${file.sha256}  ${file.path}\n`).join('')).digest('hex'),
  };
  writeFileSync(join(folder, 'README.md'), README);
  writeFileSync(join(folder, 'manifest.json'), json(manifest));
  return manifest;
}
