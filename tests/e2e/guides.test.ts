// The bash blocks of guides, run as they stand against a consortium on this machine.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Postgresql } from '@huilian/local-postgresql';
import { listFiles } from '../../scripts/list-files.mjs';
import { describePostgresql } from '../../node/test/postgresql.js';
import { root, type Run } from './main-job.js';
import { RunningConsortium } from './running-consortium.js';

const consortium = new RunningConsortium();

async function runGuide(page: string, more: Readonly<Record<string, string>> = {}): Promise<Run> {
  const env = { ...process.env, ...more, NODE: path.join(consortium.dir, 'nodes', 'guangzhou'), OTHER: path.join(consortium.dir, 'nodes', 'beijing') };
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'run-guide.mjs'), path.join(root, page)], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

beforeAll(async () => { await consortium.start(); }, 120_000);
afterAll(async () => { await consortium.stop(); });

describe('a centre\'s day', () => {
  let guide: Run;

  beforeAll(async () => {
    guide = await runGuide('docs/operations/daily.md');
  }, 120_000);

  it('runs to its end', () => { expect(guide.code, guide.stderr + guide.stdout).toBe(0); });

  it('exports the keys, and says so', () => { expect(guide.stdout).toMatch(/guangzhou: exported 20\d\d-.* \/ 已导出\n {2}[0-9a-f]{16} {2}\S+/); });

  it('takes the good row, names the bad one, and knows both again', () => {
    expect(guide.stdout).toContain('2 rows: 1 accepted, 0 unchanged, 1 refused');
    expect(guide.stdout).toContain('2 rows: 0 accepted, 1 unchanged, 1 refused');
    expect(guide.stdout).toMatch(/entity\.csv:3 \/identity\/uscc uscc-check-character/);
  });

  it('is seen at another centre', () => { expect(guide.stdout).toMatch(/guangzhou\/entity\/[a-z2-7]{26} {2}v1 {2}org:91440402MA0NMCNFXU/); });
});

describe('accounts and the log of what they do', () => {
  it('run to their end: an administrator is made, the log is whole and fits its earlier checkpoint', async () => {
    const guide = await runGuide('docs/operations/accounts.md');
    expect(guide.code, guide.stderr + guide.stdout).toBe(0);
    expect(guide.stdout).toMatch(/^wang\.wei {2}administrator {2}local/m);
    expect(guide.stdout).toMatch(/^ +\d+ {2}\S+Z {2}machine \(machine\) {2}account\.add {2}han\.mei {2}done$/m);
    expect(guide.stdout).toContain('fits 1 earlier checkpoints');
    expect(guide.stdout + guide.stderr).not.toContain('four invented words');
  }, 120_000);
});

describe('backup and restore', () => {
  it('runs to its end: what was backed up lies in the other folder', async () => {
    const guide = await runGuide('docs/operations/backup.md');
    expect(guide.code, guide.stderr + guide.stdout).toBe(0);
    expect(guide.stdout).toMatch(/guangzhou\.backup: \d{4,} bytes, read again and found whole/);
    expect(guide.stdout).toMatch(/guangzhou: \d{2,} rows as of 20\d\d-/);
  }, 120_000);
});

describePostgresql('connecting a platform', () => {
  let server: Postgresql;
  let guide: Run;

  beforeAll(async () => {
    server = await Postgresql.start();
    guide = await runGuide('docs/operations/connect-your-platform.md', { PGDATABASE: 'postgres', PGHOST: server.folder, PGUSER: 'owner' });
  }, 120_000);
  afterAll(async () => { await server.stop(); });

  it('runs to its end: what the platform wrote is read whole at another centre', () => {
    expect(guide.code, guide.stderr + guide.stdout).toBe(0);
    expect(guide.stdout).toMatch(/guangzhou\/project\/[a-z2-7]{26} read at Beijing: .*广州示例公园新建工程/);
  });

  it('says before anything is published what is good, and what is refused and why', () => {
    expect(guide.stdout).toContain('dry run, nothing was published');
    expect(guide.stdout.match(/3 rows: 2 accepted, 0 unchanged, 1 refused/g)).toHaveLength(2);
    expect(guide.stdout).toMatch(/tenders:3 \/\S+ uscc-check-character/);
  });

  it('takes the mended row, and none twice', () => { expect(guide.stdout).toContain('3 rows: 1 accepted, 2 unchanged, 0 refused'); });
});

describe('erasing', () => {
  let guide: Run;

  beforeAll(async () => {
    guide = await runGuide('docs/operations/erase.md');
  }, 120_000);

  it('runs to its end', () => { expect(guide.code, guide.stderr + guide.stdout).toBe(0); });

  it('erases once, says so the second time, and that a new backup is needed', () => {
    expect(guide.stdout.match(/1 records erased, 1 versions/g)).toHaveLength(2);
    expect(guide.stdout).toContain('0 records erased, 0 versions');
    expect(guide.stdout).toContain('1 had been erased before');
    expect(guide.stdout).toMatch(/a new backup was made: guangzhou-\S+\.backup|make a new backup now/);
  });

  it('is not undone by the source, and by its owner\'s wish is', () => {
    expect(guide.stdout).toContain('0 accepted 已收, 2 refused 拒绝');
    expect(guide.stdout).toContain('1 accepted 已收, 0 refused 拒绝');
    expect(guide.stdout).toMatch(/records 记录 {2}1\n {2}guangzhou\/qualification\//);
  });
});

describe('mapping and refused rows', () => {
  let guide: Run;

  beforeAll(async () => {
    guide = await runGuide('docs/operations/mapping.md');
  }, 120_000);

  it('runs to its end', () => { expect(guide.code, guide.stderr + guide.stdout).toBe(0); });

  it('drafts what is sure, and leaves open what is not', () => {
    expect(guide.stdout).toMatch(/企业信用代码 +holder\.uscc +\d+ %/);
    expect(guide.stdout).toMatch(/等级 +\? qualification\.level/);
    expect(guide.stdout).toContain('not finished: what is open is for a person to say');
    expect(guide.stdout).toContain('the mapping fits its kind');
  });

  it('shows cells beside fields, takes the good rows and names the bad one', () => {
    expect(guide.stdout).toMatch(/有效期至 +2028年6月26日 +certificate\.end +2028-06-26/);
    expect(guide.stdout).toContain('3 rows: 2 accepted, 0 unchanged, 1 refused');
    expect(guide.stdout).toMatch(/platform-export\.csv:4 qualification RECORD_INVALID/);
  });

  it('takes the corrected row, and the list is empty of the file', () => {
    expect(guide.stdout).toContain('1 tried 重试: 1 accepted 已收, 0 unchanged 未变, 0 refused 拒绝');
    expect(guide.stdout.match(/platform-export\.csv:4 qualification/g)).toHaveLength(1);
  });
});

/** Pages with bash blocks, and the test that runs each. */
const runners: Readonly<Record<string, string>> = {
  'docs/integrators.md': 'tests/e2e/sandbox.test.ts',
  'docs/sandbox.md': 'tests/e2e/sandbox.test.ts',
  'docs/operations/accounts.md': 'tests/e2e/guides.test.ts',
  'docs/operations/backup.md': 'tests/e2e/guides.test.ts',
  'docs/operations/connect-your-platform.md': 'tests/e2e/guides.test.ts',
  'docs/operations/daily.md': 'tests/e2e/guides.test.ts',
  'docs/operations/erase.md': 'tests/e2e/guides.test.ts',
  'docs/operations/mapping.md': 'tests/e2e/guides.test.ts',
  'docs/operations/tls.md': 'tests/e2e/http-door.test.ts',
  'docs/protocol/http.md': 'tests/e2e/http-door.test.ts',
  'docs/operations/join.md': 'tests/fabric/fourth-centre.test.ts',
};

describe('every page with bash blocks', () => {
  const pages = listFiles(root).filter((file) => file.endsWith('.md') && /^```bash$/m.test(readFileSync(path.join(root, file), 'utf8')));

  it.each(pages)('%s is run by a test', (page) => {
    const runner = runners[page];
    expect(runner, `${page} has bash blocks, and no test is named for it`).toBeDefined();
    expect(readFileSync(path.join(root, runner ?? ''), 'utf8')).toContain(path.basename(page));
  });
});
