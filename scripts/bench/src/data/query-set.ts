/** One question, as the columns are asked it and as SQL is. `$project` stands for the code of a project that there is. */
export interface Aggregation {
  readonly name: string;
  readonly query: {
    readonly by: readonly string[];
    readonly filter: Readonly<Record<string, string>>;
    readonly sum?: string;
  };
  readonly sql: string;
  readonly values: readonly string[];
}

/** The aggregates of both sides: counts first, then of sums the sum. */
export const aggregations: readonly Aggregation[] = [
  { name: 'by kind', query: { by: ['kind'], filter: {} }, sql: 'SELECT count(*) AS n, kind FROM records GROUP BY kind', values: [] },
  { name: 'by publisher, kind and month', query: { by: ['publisher', 'kind', 'month'], filter: {} }, sql: 'SELECT count(*) AS n, publisher, kind, month FROM records GROUP BY publisher, kind, month', values: [] },
  { name: 'by region, of one kind', query: { by: ['region'], filter: { kind: 'qualification' } }, sql: 'SELECT count(*) AS n, region FROM records WHERE kind = $1 GROUP BY region', values: ['qualification'] },
  { name: 'by month, of one publisher, active', query: { by: ['month'], filter: { publisher: 'guangzhou', status: 'active' } }, sql: "SELECT count(*) AS n, month FROM records WHERE publisher = $1 AND status = 'active' GROUP BY month", values: ['guangzhou'] },
  { name: 'by kind, of one province', query: { by: ['kind'], filter: { region: '44' } }, sql: "SELECT count(*) AS n, kind FROM records WHERE region LIKE '44%' GROUP BY kind", values: [] },
  { name: 'contract amounts by place', query: { by: ['place'], filter: { kind: 'performance' }, sum: 'contract.amount' }, sql: "SELECT count(*) AS n, place, coalesce(sum(amount), 0)::text AS sum FROM records WHERE kind = 'performance' AND own GROUP BY place", values: [] },
  { name: 'award amounts by month', query: { by: ['month'], filter: { kind: 'project' }, sum: 'award.amount' }, sql: "SELECT count(*) AS n, month, coalesce(sum(amount), 0)::text AS sum FROM records WHERE kind = 'project' AND own GROUP BY month", values: [] },
  { name: 'one project', query: { by: ['kind'], filter: { project: '$project' } }, sql: 'SELECT count(*) AS n, kind FROM records WHERE project = $1 GROUP BY kind', values: ['$project'] },
];

/** Where each kind says its place, project and amount. */
const sources: readonly (readonly [kind: string, place: string, project: string, amount: string])[] = [
  ['credit', 'substr(coalesce(matter_project_code, matter_section_code), 2, 6)', 'left(coalesce(matter_project_code, matter_section_code), 17)', 'NULL::numeric'],
  ['entity', 'identity_region', 'NULL', 'NULL::numeric'],
  ['performance', 'substr(section_tender_project_code, 2, 6)', 'left(section_tender_project_code, 17)', "CASE WHEN coalesce(contract_currency, 'CNY') = 'CNY' THEN contract_amount END"],
  ['personnel', 'person_region', 'left(assignment_section_code, 17)', 'NULL::numeric'],
  ['project', 'project_region', 'project_code', 'award_amount'],
  ['qualification', 'NULL', 'NULL', 'NULL::numeric'],
  ['supervision', 'substr(section_section_code, 2, 6)', 'left(section_section_code, 17)', 'NULL::numeric'],
];

const headers = 'record_id, publisher, schema_version, version, status, contested, rights, subject, owner, published_at, block, batch_seq, batch_index, digest';

/** All current versions in one table, out of the mirror's, with indexes for the same questions as the read model has. */
export const queryTable: readonly string[] = [
  'DROP TABLE IF EXISTS records',
  `CREATE TABLE records AS ${sources.map(([kind, place, project, amount]) => `SELECT '${kind}' AS kind, ${headers}, has_payload AND status = 'active' AS own,
    to_char(published_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month, coalesce(substr(subject, 7, 6), '') AS region,
    coalesce(${place}, '') AS place, coalesce(${project}, '') AS project, ${amount} AS amount FROM huilian.${kind}`).join(' UNION ALL ')}`,
  'ALTER TABLE records ADD PRIMARY KEY (record_id)',
  'CREATE INDEX ON records (owner, block DESC, batch_seq DESC, batch_index DESC)',
  'CREATE INDEX ON records (subject, block DESC, batch_seq DESC, batch_index DESC)',
  'CREATE INDEX ON records (kind, month)',
  'CREATE INDEX ON records (publisher, month)',
  'CREATE INDEX ON records (region)',
  'CREATE INDEX ON records (project)',
  'VACUUM ANALYZE records',
];

export const pointSql = `SELECT kind, ${headers} FROM records WHERE record_id = $1`;
export const pageSql = `SELECT kind, ${headers} FROM records WHERE owner = $1 ORDER BY block DESC, batch_seq DESC, batch_index DESC LIMIT 20`;
