import { X509Certificate } from 'node:crypto';
import { isJsonObject, proposalContents, ProtocolError, type JsonObject, type ProposalAction } from '@huilian/protocol';
import { readJsonFile, readText } from './command-files.js';

export interface ProposalOptions {
  readonly ca?: string;
  readonly nameZh?: string;
  readonly nameEn?: string;
  readonly usccOid?: readonly string[];
}

/**
 * Content of a proposal from what an operator has at hand: a schema document, a member document, a CA's PEM, a member id,
 * or the content itself. Checked here as the contract checks it. @throws BAD_FIELD, UNKNOWN_FIELD, CERTIFICATE_INVALID
 */
export function proposalContent(action: ProposalAction, argument: string, options: ProposalOptions): JsonObject {
  return proposalContents[action].read(contentOf[action](argument, options)) as JsonObject;
}

const contentOf: Readonly<Record<ProposalAction, (argument: string, options: ProposalOptions) => JsonObject>> = {
  admit: (file, { ca }) => ({ ...wrapped('member', readJsonFile(file)), ...(ca === undefined ? {} : { caCertificate: certificatePem(ca) }) }),
  suspend: (member) => ({ member }),
  'publish-schema': (file) => wrapped('document', readJsonFile(file)),
  'trust-ca': (file, { nameEn, nameZh, usccOid }) => {
    if (nameEn === undefined || nameZh === undefined || usccOid === undefined) {
      throw new ProtocolError('BAD_FIELD', { path: 'trust-ca', reason: 'needs --name-zh --name-en --uscc-oid' });
    }
    return { certificate: certificatePem(file), name: { en: nameEn, zh: nameZh }, usccOids: [...usccOid] };
  },
  'code-set': (file) => readJsonFile(file),
  'rule-set': (file) => readJsonFile(file),
};

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
