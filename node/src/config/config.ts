import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { ProtocolError } from '@huilian/protocol';
import { readSources, type SourcesConfig } from './source-config.js';

/** Effective configuration of one node: `<state>/huilian.json`, then the environment, then defaults. Secrets stay in files of their own. */
export interface NodeConfig {
  readonly memberId: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** The address members use; the audience of their sign-in tokens. */
    readonly publicUrl: string;
    /** Origins whose pages may call this node (`https://bidders.example.org`), each exactly as a browser sends it. */
    readonly allowedOrigins: readonly string[];
    /** PEM files of the door's own TLS, relative to the state folder or absolute; read again on SIGHUP. */
    readonly tls?: { readonly certificate: string; readonly key: string };
    /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. */
    readonly trustedProxies: readonly string[];
    /** Calls of one member, or of one address that has not signed in, per minute; the operator's are not counted. */
    readonly callsPerMinute: number;
    /** Calls that cost a signature check before the caller is known (sign-in, revocation, trail), per address and minute. */
    readonly signaturesPerMinute: number;
  };
  /** Sessions of the centre's own people. */
  readonly accounts: {
    /** Without a call for so long a session ends, and after so long in any case. */
    readonly idleMinutes: number;
    readonly sessionHours: number;
  };
  /** The centre's own staff directory, by OpenID Connect. */
  readonly oidc?: {
    readonly issuer: string;
    readonly clientId: string;
    /** File with the client's secret, relative to the state folder or absolute; none for a public client. */
    readonly clientSecretFile?: string;
    readonly scope: string;
    readonly nameClaim: string;
    /** Claim whose values are groups; of a nested one the names on the way, separated by dots. */
    readonly roleClaim: string;
    /** Groups that have a role here; who is in none does not get in. */
    readonly roles: { readonly administrator?: readonly string[]; readonly auditor?: readonly string[]; readonly operator?: readonly string[] };
    /** PEM file of authorities beside the public ones. */
    readonly caFile?: string;
    /** Whether a directory without TLS is spoken with. */
    readonly allowHttp: boolean;
  };
  readonly catalogue: {
    /** So long before something adopted by vote ends, the node warns of it. */
    readonly warnDays: number;
  };
  readonly exchange: {
    /** libp2p multiaddrs to listen on. */
    readonly listen: readonly string[];
  };
  /** How the ledger is reached; paths are relative to the state folder or absolute. */
  readonly ledger:
    | {
        readonly client: 'gateway';
        /** Connection file of this organisation. */
        readonly connection: string;
        readonly chaincode: string;
      }
    | {
        readonly client: 'network';
        /** Static connection profile, wallet folder and the identity's label in it. */
        readonly profile: string;
        readonly wallet: string;
        readonly identity: string;
        readonly channel: string;
        readonly chaincode: string;
      };
  readonly outbox: {
    /** A batch leaves when it has this many headers or its first row has waited this long. */
    readonly maxHeaders: number;
    readonly maxWaitMilliseconds: number;
    readonly inFlight: number;
  };
  readonly intake: {
    /** Threads that work rows through; as many as the machine has cores to spare where absent, 0 for none. */
    readonly threads?: number;
  };
  readonly deadLetters: {
    /** Rows that are kept on the dead-letter list; the oldest go first. */
    readonly most: number;
  };
  readonly webhooks: {
    /** CIDR ranges that webhooks may call although they are not public. */
    readonly allowPrivate: readonly string[];
    /** Whether targets without TLS are allowed. */
    readonly allowHttp: boolean;
    /** PEM file of authorities that targets' certificates may chain to beside the public ones. */
    readonly caFile?: string;
    readonly timeoutMilliseconds: number;
    readonly firstRetryMilliseconds: number;
    readonly mostRetryMilliseconds: number;
    /** A target that took nothing for so long is left alone. */
    readonly pauseAfterSeconds: number;
    readonly mostPerSubscriber: number;
    readonly mostInAll: number;
  };
  readonly log: { readonly level: 'error' | 'warn' | 'info' | 'debug' };
  /** File of the one copy of the vault keys, best on another medium: relative to the state folder or absolute, in a folder that exists. */
  readonly vaultKeyCopy?: string;
  readonly backups: {
    /** Where the node keeps backups of its data, best on another medium: relative to the state folder or absolute, a folder that exists. */
    readonly folder?: string;
    /** From one backup to the next, 0 for none but those that are asked for. */
    readonly everyHours: number;
    /** How many are kept. */
    readonly keep: number;
  };
  /** Where rows come from by themselves: files, folders, databases, APIs. */
  readonly sources: SourcesConfig;
  /** Where the node follows the ledger into the centre's own PostgreSQL; nowhere where absent. */
  readonly mirror?: {
    /** File with the address of the database, as PostgreSQL's own programs take it, password and all: relative to the state folder or absolute. */
    readonly connectionFile: string;
    /** Schema of its own in that database. */
    readonly schema: string;
    /** Personal fields that get columns, each as `kind/claim.field`. */
    readonly personal: readonly string[];
  };
  /** Below this many free bytes the node answers 507 to new records. */
  readonly diskFloorBytes: number;
}

const text = { type: 'string', minLength: 1, maxLength: 500 };
const closed = { type: 'object', additionalProperties: false };

const groups = { type: 'array', items: text, minItems: 1, maxItems: 64, uniqueItems: true };

/** An IPv4 or IPv6 address and the length of its network. */
const cidrPattern = '^(?:(?:\\d{1,3}\\.){3}\\d{1,3}/(?:\\d|[12]\\d|3[0-2])|[0-9A-Fa-f:]{2,39}/(?:\\d{1,2}|1[01]\\d|12[0-8]))$';

/** JSON Schema of huilian.json. */
const configSchema = {
  ...closed,
  required: ['memberId', 'ledger'],
  properties: {
    memberId: { type: 'string', pattern: '^[a-z][a-z0-9-]{1,30}[a-z0-9]$' },
    http: {
      ...closed,
      default: {},
      properties: {
        host: { ...text, default: '127.0.0.1' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 8480 },
        publicUrl: { type: 'string', pattern: '^(?:https?://[^\\s/]+)?$', default: '' },
        allowedOrigins: { type: 'array', items: { type: 'string', pattern: '^https?://[a-z0-9.:\\[\\]-]{1,253}$' }, maxItems: 32, uniqueItems: true, default: [] },
        tls: { ...closed, required: ['certificate', 'key'], properties: { certificate: text, key: text } },
        trustedProxies: { type: 'array', items: { type: 'string', pattern: '^[0-9a-fA-F.:]{2,39}(?:/[0-9]{1,3})?$' }, maxItems: 32, uniqueItems: true, default: [] },
        callsPerMinute: { type: 'integer', minimum: 60, maximum: 10_000_000, default: 60_000 },
        signaturesPerMinute: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 600 },
      },
    },
    accounts: {
      ...closed,
      default: {},
      properties: { idleMinutes: { type: 'integer', minimum: 1, maximum: 480, default: 30 }, sessionHours: { type: 'integer', minimum: 1, maximum: 24, default: 12 } },
    },
    oidc: {
      ...closed,
      required: ['issuer', 'clientId', 'roles'],
      properties: {
        issuer: { type: 'string', pattern: '^https?://[^\\s?#]{1,400}$' },
        clientId: text,
        clientSecretFile: text,
        scope: { type: 'string', pattern: '^openid(?: [!-~]{1,100}){0,20}$', default: 'openid profile' },
        nameClaim: { ...text, default: 'preferred_username' },
        roleClaim: { ...text, default: 'groups' },
        roles: { ...closed, minProperties: 1, properties: { administrator: groups, auditor: groups, operator: groups } },
        caFile: text,
        allowHttp: { type: 'boolean', default: false },
      },
    },
    catalogue: { ...closed, default: {}, properties: { warnDays: { type: 'integer', minimum: 1, maximum: 365, default: 30 } } },
    exchange: {
      ...closed,
      default: {},
      properties: { listen: { type: 'array', items: text, minItems: 1, maxItems: 8, default: ['/ip4/127.0.0.1/tcp/8481'] } },
    },
    ledger: {
      ...closed,
      properties: {
        client: { enum: ['gateway', 'network'], default: 'gateway' },
        connection: text,
        profile: text,
        wallet: text,
        identity: text,
        channel: { type: 'string', pattern: '^[a-z][a-z0-9.-]{0,248}$' },
        chaincode: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}$', default: 'huilian' },
      },
    },
    outbox: {
      ...closed,
      default: {},
      properties: {
        maxHeaders: { type: 'integer', minimum: 1, maximum: 5000, default: 1000 },
        maxWaitMilliseconds: { type: 'integer', minimum: 0, maximum: 60_000, default: 50 },
        inFlight: { type: 'integer', minimum: 1, maximum: 16, default: 4 },
      },
    },
    intake: { ...closed, default: {}, properties: { threads: { type: 'integer', minimum: 0, maximum: 16 } } },
    deadLetters: { ...closed, default: {}, properties: { most: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 1_000_000 } } },
    webhooks: {
      ...closed,
      default: {},
      properties: {
        allowPrivate: { type: 'array', items: { type: 'string', pattern: cidrPattern }, maxItems: 64, default: [] },
        allowHttp: { type: 'boolean', default: false },
        caFile: text,
        timeoutMilliseconds: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000 },
        firstRetryMilliseconds: { type: 'integer', minimum: 10, maximum: 60_000, default: 1000 },
        mostRetryMilliseconds: { type: 'integer', minimum: 10, maximum: 86_400_000, default: 3_600_000 },
        pauseAfterSeconds: { type: 'integer', minimum: 1, maximum: 31_536_000, default: 259_200 },
        mostPerSubscriber: { type: 'integer', minimum: 1, maximum: 1000, default: 20 },
        mostInAll: { type: 'integer', minimum: 1, maximum: 1000, default: 200 },
      },
    },
    log: { ...closed, default: {}, properties: { level: { enum: ['error', 'warn', 'info', 'debug'], default: 'info' } } },
    vaultKeyCopy: text,
    backups: {
      ...closed,
      default: {},
      properties: { folder: text, everyHours: { type: 'integer', minimum: 0, maximum: 8760, default: 24 }, keep: { type: 'integer', minimum: 1, maximum: 1000, default: 7 } },
    },
    // Each by the schema of its type: defaults do not reach into alternatives.
    sources: { type: 'object', default: {} },
    mirror: {
      ...closed,
      required: ['connectionFile'],
      properties: {
        connectionFile: text,
        schema: { type: 'string', pattern: '^[a-z][a-z0-9_]{0,40}$', default: 'huilian' },
        personal: { type: 'array', items: { type: 'string', pattern: '^[a-z][a-z0-9-]{1,31}/[A-Za-z][A-Za-z0-9]*(?:\\.[A-Za-z][A-Za-z0-9]*)?$' }, maxItems: 200, uniqueItems: true, default: [] },
      },
    },
    diskFloorBytes: { type: 'integer', minimum: 0, default: 256 * 1024 * 1024 },
  },
} as const;

/** Environment variables that override the file, and where each goes. */
const environmentVariables = {
  HUILIAN_HTTP_HOST: ['http', 'host'],
  HUILIAN_HTTP_PORT: ['http', 'port'],
  HUILIAN_PUBLIC_URL: ['http', 'publicUrl'],
  HUILIAN_ALLOWED_ORIGINS: ['http', 'allowedOrigins'],
  HUILIAN_LEDGER_CLIENT: ['ledger', 'client'],
  HUILIAN_LEDGER_CONNECTION: ['ledger', 'connection'],
  HUILIAN_LEDGER_PROFILE: ['ledger', 'profile'],
  HUILIAN_LEDGER_WALLET: ['ledger', 'wallet'],
  HUILIAN_LEDGER_IDENTITY: ['ledger', 'identity'],
  HUILIAN_LOG_LEVEL: ['log', 'level'],
} as const satisfies Record<string, readonly [string, string]>;

type Draft = Record<string, Record<string, unknown>>;

/** Reads and validates the configuration of a state folder. @throws CONFIG_INVALID {path, reason} */
export function loadConfig(stateDir: string, environment: NodeJS.ProcessEnv = process.env): NodeConfig {
  const draft = readConfigFile(path.join(stateDir, 'huilian.json'));
  applyEnvironment(draft, environment);
  // The schema is our own and fixed: to hold it against the schema of schemas takes twice as long as all the rest.
  const validate = new Ajv2020({ useDefaults: true, allErrors: false, meta: false, validateSchema: false }).compile<NodeConfig>(structuredClone(configSchema));
  if (!validate(draft)) throw invalid(validate.errors?.[0]);
  const config: NodeConfig = draft;
  const publicUrl = config.http.publicUrl || `${config.http.tls === undefined ? 'http' : 'https'}://${config.http.host}:${String(config.http.port)}`;
  const copy = config.vaultKeyCopy === undefined ? {} : { vaultKeyCopy: path.resolve(stateDir, config.vaultKeyCopy) };
  const { folder } = config.backups;
  const backups = folder === undefined ? config.backups : { ...config.backups, folder: path.resolve(stateDir, folder) };
  const mirror = config.mirror === undefined ? {} : { mirror: { ...config.mirror, connectionFile: path.resolve(stateDir, config.mirror.connectionFile) } };
  return { ...config, ...copy, ...mirror, backups, sources: readSources(draft['sources'], stateDir), http: { ...config.http, publicUrl }, ledger: ledgerOf(draft['ledger'] ?? {}, stateDir) };
}

const ledgerFields = { gateway: ['connection'], network: ['profile', 'wallet', 'identity', 'channel'] } as const;
const ledgerPaths: readonly string[] = ['connection', 'profile', 'wallet'];

/** Each client has settings of its own; one of the other client's is a mistake, not a spare. */
function ledgerOf(ledger: Readonly<Record<string, unknown>>, stateDir: string): NodeConfig['ledger'] {
  const client = ledger['client'] === 'network' ? 'network' : 'gateway';
  const wanted: readonly string[] = ledgerFields[client];
  const missing = wanted.find((field) => ledger[field] === undefined);
  if (missing !== undefined) throw new ProtocolError('CONFIG_INVALID', { path: '/ledger', reason: `must have required property '${missing}'` });
  const stray = Object.keys(ledger).find((field) => !['client', 'chaincode', ...wanted].includes(field));
  if (stray !== undefined) throw new ProtocolError('CONFIG_INVALID', { path: `/ledger/${stray}`, reason: 'of-the-other-client' });
  const resolved = Object.entries(ledger).map(([field, value]) => [field, ledgerPaths.includes(field) ? path.resolve(stateDir, String(value)) : value]);
  return { ...Object.fromEntries(resolved), client } as NodeConfig['ledger'];
}

function readConfigFile(file: string): Draft {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Draft;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ProtocolError('CONFIG_INVALID', { ...(missing ? { path: '--state' } : {}), file, reason: missing ? 'file-missing' : 'not-json' });
  }
}

function applyEnvironment(draft: Draft, environment: NodeJS.ProcessEnv): void {
  for (const [name, [section, field]] of Object.entries(environmentVariables)) {
    const value = environment[name];
    if (value === undefined) continue;
    draft[section] = { ...draft[section], [field]: fromText(field, value) };
  }
}

function fromText(field: string, value: string): unknown {
  if (field === 'port') return Number(value);
  return field === 'allowedOrigins' ? value.split(',').filter((origin) => origin !== '') : value;
}

function invalid(error: ErrorObject | undefined): ProtocolError {
  const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
  return new ProtocolError('CONFIG_INVALID', {
    path: `${error?.instancePath ?? ''}${extra === undefined ? '' : `/${extra}`}`,
    reason: error?.keyword === 'additionalProperties' ? 'unknown-key' : (error?.message ?? 'invalid'),
  });
}
