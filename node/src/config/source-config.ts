import path from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { ProtocolError } from '@huilian/protocol';

/** What every source says of its rows and runs. */
interface CommonSource {
  /** Kind of the rows; of files where absent by their names. */
  readonly kind?: string;
  /** Schema version of the rows; the newest where absent. */
  readonly schema?: number;
  readonly rights?: 'owner' | 'public' | 'publisher';
  /** Name of the mapping that turns its columns into fields. */
  readonly mapping?: string;
  /** From the beginning of one run to that of the next; 0 for none but those that are asked for or come of a change. */
  readonly everyMinutes: number;
  /** A run ends when more than this percent of its rows are refused; 100 for never. */
  readonly mostRefused: number;
}

/** A CSV, TSV, NDJSON or XLSX file. */
interface FileSourceConfig extends CommonSource {
  readonly type: 'file';
  readonly path: string;
}

/** A folder that files are put into. */
interface FolderSourceConfig extends CommonSource {
  readonly type: 'folder';
  readonly path: string;
  /** A file counts as written to its end when it was not touched for so long. */
  readonly settleSeconds: number;
  /** From one look into the folder to the next. */
  readonly lookSeconds: number;
}

/** A table or view of a PostgreSQL database. */
interface PostgresqlSourceConfig extends CommonSource {
  readonly type: 'postgresql';
  /** Name or address of the server, or the folder of its socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** File with the password alone; none where the server asks for none. */
  readonly passwordFile?: string;
  readonly tls?: {
    /** PEM file of the authority of the server's certificate; the public ones where absent. */
    readonly caFile?: string;
    /** False believes any certificate: only where the way to the server is trusted. */
    readonly verify: boolean;
  };
  /** `schema.table`, or `table` of the search path. */
  readonly table: string;
  /** Columns that tell rows apart: unique, never null, indexed. */
  readonly key: readonly string[];
  /** Columns to read; all where absent. */
  readonly columns?: readonly string[];
  readonly watermark?: {
    /** A column that grows with every change of a row: a time or a number, indexed. */
    readonly column: string;
    /** How far behind the highest value reading begins again: seconds of a time, steps of a number. Longer than the longest transaction of the platform. */
    readonly overlap: number;
  };
  /** All rows are read again after so many hours, for what no watermark told; 0 for never. */
  readonly fullEveryHours: number;
  /** Channel of NOTIFY that says that rows changed. */
  readonly notify?: string;
  readonly rowsPerSecond: number;
  /** Rows of one statement. */
  readonly pageRows: number;
  readonly statementMilliseconds: number;
  readonly lockMilliseconds: number;
}

/** A JSON API that answers rows page by page. */
interface HttpSourceConfig extends CommonSource {
  readonly type: 'http';
  readonly url: string;
  /** Headers sent as they are; what is secret comes from a file. */
  readonly headers: Readonly<Record<string, string>>;
  readonly secret?: {
    readonly header: string;
    /** Before the content of the file, for example `Bearer `. */
    readonly prefix: string;
    readonly file: string;
  };
  /** PEM file of the authority of the server's certificate, beside the public ones. */
  readonly caFile?: string;
  /** JSON pointer to the array of rows in an answer. */
  readonly items: string;
  /** How the next page is asked for; absent where there is one page. */
  readonly next?: {
    readonly by: 'cursor' | 'link' | 'page';
    /** Query parameter that carries the cursor or the page. */
    readonly parameter: string;
    /** JSON pointer to the next cursor, or to the address of the next page; of `link` the Link header where absent. */
    readonly pointer?: string;
    /** Number of the first page. */
    readonly first: number;
  };
  /** Query parameter with the time since when changes are asked for, RFC 3339; all rows each time where absent. */
  readonly since?: { readonly parameter: string; readonly overlapSeconds: number };
  readonly rowsPerSecond: number;
  readonly timeoutMilliseconds: number;
  readonly mostPages: number;
}

export type SourceConfig = FileSourceConfig | FolderSourceConfig | HttpSourceConfig | PostgresqlSourceConfig;
/** Configured sources by name. */
export type SourcesConfig = Readonly<Record<string, SourceConfig>>;

const text = { type: 'string', minLength: 1, maxLength: 500 };
const column = { type: 'string', minLength: 1, maxLength: 63 };
const parameter = { type: 'string', pattern: '^[A-Za-z0-9_.$-]{1,100}$' };
const pointer = { type: 'string', pattern: '^(?:/[^/]{0,100}){0,10}$' };
const header = { type: 'string', pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$" };
const closed = { type: 'object', additionalProperties: false };

const common = {
  kind: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,39}$' },
  schema: { type: 'integer', minimum: 1, maximum: 9999 },
  rights: { enum: ['owner', 'publisher', 'public'] },
  mapping: { type: 'string', pattern: '^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$' },
  everyMinutes: { type: 'integer', minimum: 0, maximum: 525_600, default: 0 },
  mostRefused: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
};

function typed(type: string, required: readonly string[], properties: object): object {
  return { ...closed, required: ['type', ...required], properties: { type: { const: type }, ...common, ...properties } };
}

const load = { rowsPerSecond: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 500 } };

/** JSON Schema of one source, by its type. */
const schemas: Readonly<Record<string, object>> = {
  file: typed('file', ['path'], { path: text }),
  folder: typed('folder', ['path'], {
    path: text,
    settleSeconds: { type: 'integer', minimum: 0, maximum: 3600, default: 5 },
    lookSeconds: { type: 'integer', minimum: 1, maximum: 3600, default: 10 },
  }),
  postgresql: typed('postgresql', ['host', 'database', 'user', 'table', 'key', 'kind'], {
    host: text, port: { type: 'integer', minimum: 1, maximum: 65_535, default: 5432 }, database: column, user: column, passwordFile: text,
    tls: { ...closed, properties: { caFile: text, verify: { type: 'boolean', default: true } } },
    table: { type: 'string', pattern: '^[^.]{1,63}(?:\\.[^.]{1,63})?$' },
    key: { type: 'array', items: column, minItems: 1, maxItems: 8, uniqueItems: true },
    columns: { type: 'array', items: column, minItems: 1, maxItems: 200, uniqueItems: true },
    watermark: { ...closed, required: ['column'], properties: { column, overlap: { type: 'integer', minimum: 0, maximum: 1_000_000_000, default: 300 } } },
    notify: column,
    fullEveryHours: { type: 'integer', minimum: 0, maximum: 8760, default: 168 },
    ...load,
    pageRows: { type: 'integer', minimum: 1, maximum: 10_000, default: 500 },
    statementMilliseconds: { type: 'integer', minimum: 100, maximum: 600_000, default: 10_000 },
    lockMilliseconds: { type: 'integer', minimum: 10, maximum: 60_000, default: 2000 },
  }),
  http: typed('http', ['url', 'kind'], {
    url: { type: 'string', pattern: '^https?://[^\\s#]{1,2000}$' },
    headers: { type: 'object', propertyNames: header, additionalProperties: { type: 'string', pattern: '^[\\t -~]{0,1000}$' }, maxProperties: 32, default: {} },
    secret: { ...closed, required: ['file'], properties: { file: text, header: { ...header, default: 'Authorization' }, prefix: { type: 'string', pattern: '^[ -~]{0,100}$', default: 'Bearer ' } } },
    caFile: text,
    items: { ...pointer, default: '' },
    next: { ...closed, required: ['by'], properties: { by: { enum: ['cursor', 'link', 'page'] }, parameter: { ...parameter, default: 'page' }, pointer, first: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 1 } } },
    since: { ...closed, required: ['parameter'], properties: { parameter, overlapSeconds: { type: 'integer', minimum: 0, maximum: 86_400, default: 300 } } },
    ...load,
    timeoutMilliseconds: { type: 'integer', minimum: 100, maximum: 600_000, default: 30_000 },
    mostPages: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 100_000 },
  }),
};

const namePattern = /^[a-z][a-z0-9-]{0,39}$/;
const mostSources = 64;

/** Reads and validates `sources` of huilian.json; paths become absolute. @throws CONFIG_INVALID {path, reason} */
export function readSources(draft: unknown, stateDir: string): SourcesConfig {
  if (draft === undefined) return {};
  if (typeof draft !== 'object' || draft === null || Array.isArray(draft)) throw new ProtocolError('CONFIG_INVALID', { path: '/sources', reason: 'must be an object of sources by name' });
  const entries = Object.entries(draft as Record<string, unknown>);
  if (entries.length > mostSources) throw new ProtocolError('CONFIG_INVALID', { path: '/sources', reason: `at most ${String(mostSources)}` });
  return Object.fromEntries(entries.map(([name, source]) => [name, readSource(name, source, stateDir)]));
}

function readSource(name: string, draft: unknown, stateDir: string): SourceConfig {
  const place = `/sources/${namePattern.test(name) ? name : '?'}`;
  if (!namePattern.test(name)) throw new ProtocolError('CONFIG_INVALID', { path: place, reason: 'a name is small letters, digits and hyphens, 40 at most' });
  const type = (draft as { type?: unknown } | null)?.type;
  const schema = typeof type === 'string' && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) throw new ProtocolError('CONFIG_INVALID', { path: `${place}/type`, reason: `one of ${Object.keys(schemas).join(', ')}` });
  const validate = new Ajv2020({ useDefaults: true, allErrors: false, meta: false, validateSchema: false }).compile<SourceConfig>(structuredClone(schema));
  const source = structuredClone(draft);
  if (!validate(source)) throw invalid(place, validate.errors?.[0]);
  return absolute(source, stateDir);
}

function absolute(source: SourceConfig, stateDir: string): SourceConfig {
  const at = (file: string): string => path.resolve(stateDir, file);
  switch (source.type) {
    case 'file':
    case 'folder':
      return { ...source, path: at(source.path) };
    case 'http':
      return { ...source, ...(source.caFile === undefined ? {} : { caFile: at(source.caFile) }), ...(source.secret === undefined ? {} : { secret: { ...source.secret, file: at(source.secret.file) } }) };
    case 'postgresql':
      return { ...source, ...(source.passwordFile === undefined ? {} : { passwordFile: at(source.passwordFile) }), ...(source.tls?.caFile === undefined ? {} : { tls: { ...source.tls, caFile: at(source.tls.caFile) } }) };
  }
}

function invalid(place: string, error: ErrorObject | undefined): ProtocolError {
  const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
  return new ProtocolError('CONFIG_INVALID', {
    path: `${place}${error?.instancePath ?? ''}${extra === undefined ? '' : `/${extra}`}`,
    reason: error?.keyword === 'additionalProperties' ? 'unknown-key' : (error?.message ?? 'invalid'),
  });
}
