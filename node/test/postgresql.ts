import { describe, test } from 'vitest';
import { missingPrograms } from '@huilian/local-postgresql';

const missing = missingPrograms();

/** Whether PostgreSQL's programs are at hand; said loudly, once a file, when they are not. */
function postgresqlIsHere(): boolean {
  if (missing.length === 0) return true;
  process.stderr.write(`SKIPPED: PostgreSQL's programs are not on PG_BIN or PATH (missing: ${missing.join(', ')}).
Install PostgreSQL 15 (Debian: apt-get install postgresql-15) and set PG_BIN to the folder of its programs.
已跳过：未找到 PostgreSQL 程序（缺少：${missing.join('、')}），请安装 PostgreSQL 15 并设置 PG_BIN。\n`);
  return false;
}

const here = postgresqlIsHere();

/** Tests on a real PostgreSQL. */
export const postgresqlTest = here ? test : test.skip;
export const describePostgresql = here ? describe : describe.skip;
