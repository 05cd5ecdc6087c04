import { X509Certificate } from 'node:crypto';
import { isJsonObject, proposalContents, ProtocolError, type JsonObject, type ProposalAction } from '@huilian/protocol';
import { readJsonFile, readText } from './command-files.js';

export interface ProposalOptions {
  readonly ca?: string;
  readonly nameZh?: string;
  readonly nameEn?: string;
  readonly usccOid?: readonly string[];
  readonly name?: string;
  readonly version?: number;
  /** Unix seconds. */
  readonly effective?: number;
  readonly retires?: number;
}

/**
 * Content of a proposal from what an operator has at hand: a schema document, a member document, a CA's PEM, a member id, the
 * name of what ends, or the content itself. Checked here as the contract checks it. @throws BAD_FIELD, UNKNOWN_FIELD, CERTIFICATE_INVALID
 */
export function proposalContent(action: ProposalAction, argument: string, options: ProposalOptions): JsonObject {
  return proposalContents[action].read(contentOf[action](argument, options)) as JsonObject;
}

const contentOf: Readonly<Record<ProposalAction, (argument: string, options: ProposalOptions) => JsonObject>> = {
  admit: (file, { ca }) => ({ ...wrapped('member', readJsonFile(file)), ...(ca === undefined ? {} : { caCertificate: certificatePem(ca) }) }),
  suspend: (member) => ({ member }),
  'publish-schema': (file, options) => ({ ...wrapped('document', readJsonFile(file)), ...term(options) }),
  'trust-ca': (file, { nameEn, nameZh, usccOid, ...options }) => {
    if (nameEn === undefined || nameZh === undefined || usccOid === undefined) {
      throw new ProtocolError('BAD_FIELD', { path: 'trust-ca', reason: 'needs --name-zh --name-en --uscc-oid' });
    }
    return { certificate: certificatePem(file), name: { en: nameEn, zh: nameZh }, usccOids: [...usccOid], ...term(options) };
  },
  'code-set': namedDocument,
  'rule-set': namedDocument,
  migration: (file) => wrapped('document', readJsonFile(file)),
  retire: (named, { retires }) => {
    const [of = '', id = '', version] = named.split('/');
    if (retires === undefined) throw new ProtocolError('BAD_FIELD', { path: '--retires', reason: 'is needed: the day on which it ends' });
    return { of, id, retires, ...(version === undefined ? {} : { version: Number(version) }) };
  },
};

/** A code set or rule set: the whole content, or its document under the name and version given. */
function namedDocument(file: string, { name, version, ...options }: ProposalOptions): JsonObject {
  const content = readJsonFile(file);
  return { ...(name === undefined ? content : { document: content, name, version: version ?? 1 }), ...term(options) };
}

function term({ effective, retires }: Pick<ProposalOptions, 'effective' | 'retires'>): JsonObject {
  return { ...(effective === undefined ? {} : { effective }), ...(retires === undefined ? {} : { retires }) };
}

/** A day of Beijing (its first second) or a moment with its offset, in Unix seconds. @throws BAD_FIELD */
export function parseMoment(text: string, flag: string): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const moment = Date.parse(day ? `${text}T00:00:00+08:00` : text);
  if (Number.isNaN(moment) || (!day && !/(?:Z|[+-]\d{2}:\d{2})$/.test(text))) {
    throw new ProtocolError('BAD_FIELD', { path: flag, reason: 'a day such as 2027-01-01 (Beijing), or a moment such as 2027-01-01T08:00:00+08:00' });
  }
  return Math.floor(moment / 1000);
}

/** The file may hold the content, or the bare document that the content wraps. */
function wrapped(field: string, content: JsonObject): JsonObject {
  return isJsonObject(content[field]) ? content : { [field]: content };
}

/** One certificate in the plain PEM form that goes on the ledger, whatever line ends or remarks the file has. */
function certificatePem(file: string): string {
  const text = readText(file);
  try {
    return new X509Certificate(text).toString();
  } catch {
    throw new ProtocolError('CERTIFICATE_INVALID', { path: file, reason: 'not a PEM certificate' });
  }
}
