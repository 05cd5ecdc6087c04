// Fuzzes a running node by its own /openapi.json with schemathesis (PyPI), where that is installed (PATH or SCHEMATHESIS_BIN):
//   node scripts/schemathesis.mjs http://127.0.0.1:8480 <file with a token> [requests] [seed]
// The rounds end once so many requests were sent; the first finding ends them with its code.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [url, tokenFile, wanted = '20000', seed = '1'] = process.argv.slice(2);
if (url === undefined || tokenFile === undefined) throw new Error('needs the address of a node and a file with a token');
const program = process.env['SCHEMATHESIS_BIN'] ?? 'schemathesis';
const token = readFileSync(tokenFile, 'utf8').trim();
// What a schema cannot say (a signature that fits, a date within a term) is refused with 400 although the schema is met, so
// positive_data_acceptance is no fault here; a method that no route has is 404, as any other address that is none.
const checks = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection,ignored_auth';

// It keeps what it found beside itself, which is no part of the checkout.
const folder = mkdtempSync(path.join(tmpdir(), 'huilian-schemathesis-'));
let sent = 0;
for (let round = 0; sent < Number(wanted); round += 1) {
  const args = ['run', `${url}/openapi.json`, '--header', `Authorization: Bearer ${token}`, '--checks', checks, '--seed', String(Number(seed) + round), '--max-examples', '200', '--workers', '2', '--continue-on-failure', '--exclude-path-regex', '^/docs', '--no-color'];
  const { error, status, stdout } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (error !== undefined) throw error;
  const cases = Number(/([\d,]+) generated/.exec(stdout)?.[1]?.replaceAll(',', '') ?? 0);
  sent += cases;
  if (status !== 0 || cases === 0) {
    process.stderr.write(stdout);
    process.exit(1);
  }
  process.stdout.write(`round ${round + 1}: ${cases} cases, ${sent} in all, no finding\n`);
}
