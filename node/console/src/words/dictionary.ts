import { accessesWords } from './accesses.js';
import { accountsWords } from './accounts.js';
import { auditLogWords } from './audit-log.js';
import { catalogueWords } from './catalogue.js';
import { completenessWords } from './completeness.js';
import { deadLettersWords } from './dead-letters.js';
import { healthWords } from './health.js';
import { mappingsWords } from './mappings.js';
import { membersWords } from './members.js';
import { monthsWords } from './months.js';
import { overviewWords } from './overview.js';
import { ownersWords } from './owners.js';
import { proposalsWords } from './proposals.js';
import { recordsWords } from './records.js';
import { shellWords } from './shell.js';
import { sourcesWords } from './sources.js';

/** All texts of the console; each page has its own file. */
export const dictionary = {
  ...accessesWords,
  ...accountsWords,
  ...auditLogWords,
  ...catalogueWords,
  ...completenessWords,
  ...deadLettersWords,
  ...healthWords,
  ...mappingsWords,
  ...membersWords,
  ...monthsWords,
  ...overviewWords,
  ...ownersWords,
  ...proposalsWords,
  ...recordsWords,
  ...shellWords,
  ...sourcesWords,
} as const;

export type WordKey = keyof typeof dictionary;
