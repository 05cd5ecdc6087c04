// Writes docs/protocol/errors.md from the catalogue: node sdk/protocol/scripts/make-error-page.mjs (after a build).
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { errorBody, errorCatalogue, ProtocolError } from '@huilian/protocol';

const page = new URL('../../../docs/protocol/errors.md', import.meta.url);

const stages = [
  ['protocol', 'Protocol / 协议', 'Decided from the bytes alone, the same wherever they are read: SDK, node, contract, another implementation. Each has at least one vector in `tests/vectors/invalid`.'],
  ['ledger', 'Ledger / 账本', 'Decided by a contract from its state. Nothing was written. Each has at least one vector `tests/vectors/invalid/ledger-*.json`.'],
  ['node', 'Node / 节点', 'Decided by one node from what it keeps, its clock, its configuration and its neighbours.'],
  ['client', "Client / 客户端", "Decided by the member's or owner's own software; never sent by a node."],
];

/** Where the rule behind a code is written; the first pattern that fits. @type {readonly [RegExp, string][]} */
const rules = [
  [/^CANONICAL/, 'canonical-json.md'],
  [/^(BAD_ID)$/, 'ids.md'],
  [/^CODE_/, 'codes.md'],
  [/^(SCHEMA_|RIGHTS_NOT|DUPLICATE_IN_FILE|CSV_|MAPPING_)/, 'kinds.md'],
  [/^(HEADER|BATCH_|MERKLE)/, 'records.md'],
  [/^(RECORD_INVALID)$/, 'kinds.md'],
  [/^(PAYLOAD_|DISCLOSURE_)/, 'payload.md'],
  [/^(VERSION_ORDER|PREVIOUS_|SUPERSEDE_|SEALED_|RECORD_|NOT_CONTESTED|NOT_RECORD_OWNER)/, 'ledger.md'],
  [/^(GRANT_|REVOCATION_|WALLET_|PURPOSE_)/, 'grants.md'],
  [/^(REQUEST_|OFFER_|RELEASE_|RECEIPT_|TICKET_|POLICY_|SLOT_|ENCRYPTION_KEY|PUBLISHER_UNAVAILABLE)/, 'access.md'],
  [/^EVIDENCE_/, 'evidence.md'],
  [/^(STATEMENT_|OWNER_|RECOVERY_|CERTIFICATE_|CA_|CHARTER_|PROPOSAL_|MEMBER_|NOT_A_|NOT_FOUNDED|ALREADY_)/, 'governance.md'],
  [/^(ARG_|TX_TIME|FORBIDDEN)/, 'ledger.md'],
  [/^(ROW_|SOURCE_|SYNC_)/, '../operations/sources.md'],
  [/_TOO_LARGE$/, 'limits.md'],
];

/** @param {string} code */
function ruleOf(code) {
  const found = rules.find(([pattern]) => pattern.test(code))?.[1];
  return found === undefined ? '' : `[${found.slice(0, -'.md'.length)}](${found})`;
}

/** @param {[string, import('@huilian/protocol').ErrorEntry]} row */
function line([code, { en, http, next, zh }]) {
  return `| \`${code}\` | ${http} | ${zh}<br>${en} | ${next.zh}<br>${next.en} | ${ruleOf(code)} |`;
}

const example = JSON.stringify(errorBody(new ProtocolError('GRANT_NOT_YET_VALID', { notBefore: 1_800_000_000 })), undefined, 2);

/** The page as text. @returns {string} */
export function errorPage() {
  const rows = Object.entries(errorCatalogue);
  const sections = stages.map(([stage, title, about]) => {
    const lines = rows.filter(([, entry]) => entry.stage === stage).map(line);
    return `## ${title}\n\n${about}\n\n| code | HTTP | meaning | next step | rule |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `# Errors

Every refusal carries one code of this closed list: ${rows.length} codes. Written by
\`sdk/protocol/scripts/make-error-page.mjs\` from \`errorCatalogue\` in \`sdk/protocol/src/errors.ts\`; a test compares the two.

An error is a code and *details*: an object of single values (texts, numbers, booleans) that help to find the cause, such as
\`path\`, \`reason\`, \`recordId\`. Never personal data, never a secret, never a stranger's text. As text, in a contract's answer
or a log line, it is \`CODE\` or \`CODE {details as JSON}\`; whoever reads it from a foreign message looks for the first word
that is a code of the stages that may be meant (\`INTERNAL\` and \`NOT_FOUND\` are gRPC's words too). As JSON, over HTTP and with
\`--json\`:

\`\`\`json
${example}
\`\`\`

A code of a later version is one that an older reader does not know: it shows the HTTP status and the code itself.

${sections.join('\n')}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const before = readFileSync(page, { encoding: 'utf8', flag: 'a+' });
  const after = errorPage();
  writeFileSync(page, after);
  console.log(before === after ? 'errors.md is as it was' : 'errors.md written');
}
