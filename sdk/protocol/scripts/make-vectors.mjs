// Writes the vectors of the protocol's own items to tests/vectors/{valid,invalid}/<item>.json, for whoever writes these rules
// in another language. The same bytes each time: keys come from a seed that is printed in the files' source, nothing is random.
// The vectors of codes, kinds and ledger rules are kept elsewhere.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { batchArgument, payload } from './vectors/batch-items.mjs';
import { accessRequest, jwsItem, offerItem, policyItem, receiptItem, releaseItem, ticketShape } from './vectors/access-items.mjs';
import { charterItem, member, proposalId, registrationStatement } from './vectors/governance-items.mjs';
import { evidenceFile } from './vectors/evidence-items.mjs';
import { grantItem, ownerStatement, revocation } from './vectors/owner-items.mjs';
import { canonical, headerItem, localIdItem, merkle, ownerId, recordId } from './vectors/plain-items.mjs';
import { errorsItem } from './vectors/error-items.mjs';
import { SEED } from './vectors/second-source.mjs';

const items = [
  canonical, recordId, ownerId, localIdItem, headerItem, batchArgument, merkle, payload, grantItem, revocation, ownerStatement,
  accessRequest, offerItem, ticketShape, releaseItem, receiptItem, charterItem, member, proposalId, registrationStatement, policyItem, jwsItem, errorsItem, evidenceFile,
];

/** Every file as the items make it. @returns {{ url: URL, text: string }[]} */
export function vectorFiles() {
  return items.flatMap(({ item, about, valid, invalid }) =>
    Object.entries({ valid, invalid }).map(([side, cases]) => ({
      url: new URL(`../../../tests/vectors/${side}/${item}.json`, import.meta.url),
      text: `${JSON.stringify({ item, about: `${about}. Seed of the test keys: ${SEED}`, cases }, undefined, 1)}\n`,
    })),
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { url, text } of vectorFiles()) writeFileSync(url, text);
  console.log(`${items.length} items, ${items.reduce((sum, { valid, invalid }) => sum + valid.length + invalid.length, 0)} cases`);
}
