import { attestationShape, boolean, digestShape, es256KeyShape, integer, list, memberIdShape, object, oneOf, ownerIdShape, recordIdShape, releaseEnvelopeShape, statedShape, text, ticketIdShape, ticketShape, timeShape, type JsonObject } from '@huilian/protocol';
import { anyText, cursorShape, errorSchema, open } from './answer-schemas.js';

/** What the routes of one owner's view answer. */

/** Of one version each centre and each party has one word; a record may have many versions. */
const wordsOnRecord: Readonly<Record<string, JsonObject>> = { attestations: list(attestationShape, 0, 65_536).schema, statements: list(statedShape, 0, 65_536).schema };
const noteSchema = open({ ...wordsOnRecord, contested: boolean().schema, digest: digestShape.schema, publishedAt: timeShape.schema, recordId: recordIdShape.schema, rights: oneOf('owner', 'publisher', 'public').schema, schema: integer(1).schema, status: oneOf('active', 'revoked').schema, version: integer(1).schema }, { owner: ownerIdShape.schema, subject: anyText.schema, superseded: boolean().schema, unreadable: anyText.schema });
const sourceSchema = open({ recordId: recordIdShape.schema, version: integer(1).schema, centre: memberIdShape.schema, verifiedAt: timeShape.schema, standing: oneOf('contested', 'current', 'revoked', 'superseded').schema, attestedBy: list(memberIdShape, 0, 256).schema, contradictedBy: list(memberIdShape, 0, 256).schema }, { verdict: oneOf('confirm', 'dispute').schema });
const mergedClaimSchema = open({ claim: anyText.schema, alternatives: { type: 'array', items: open({ value: {}, from: { type: 'array', items: sourceSchema } }) }, disagree: boolean().schema, fields: list(anyText, 0, 1000).schema });
const flagFields = { code: anyText.schema, recordIds: list(recordIdShape, 1, 64).schema, en: anyText.schema, zh: anyText.schema };
const linkProgress = open({ block: integer(0).schema, transaction: integer(0).schema, day: anyText.schema, height: integer(-1).schema });
const thingSchema = open({ kind: anyText.schema, records: { type: 'array', items: noteSchema }, claims: { type: 'array', items: mergedClaimSchema }, disagree: boolean().schema }, { key: { type: 'object' } });

export const viewAnswers = {
  ownerView: open({ owner: ownerIdShape.schema, height: integer(-1).schema, partial: boolean().schema, things: { type: 'array', items: thingSchema }, unreadable: { type: 'array', items: noteSchema }, flags: { type: 'array', items: open(flagFields) }, asOf: anyText.schema }),
  flags: open({ items: { type: 'array', items: open({ ...flagFields, check: anyText.schema, since: timeShape.schema }) }, checked: linkProgress }, { cursor: cursorShape.schema }),
  linkProgress,
  ownCopy: open({
    owner: ownerIdShape.schema, height: integer(-1).schema, partial: boolean().schema,
    copies: { type: 'array', items: object({ publisherKey: es256KeyShape, release: releaseEnvelopeShape, state: ticketShape, ticket: ticketIdShape }).schema },
    open: { type: 'array', items: object({ presentation: text(/[A-Za-z0-9_~.-]+/, 4_194_304), recordId: recordIdShape }).schema },
    records: { type: 'array', items: noteSchema },
    refused: { type: 'array', items: open({ recordIds: list(recordIdShape, 1, 64).schema, error: errorSchema }) },
  }),
  prefilled: open({ form: anyText.schema, fields: { type: 'object' }, tables: { type: 'object' }, report: open({ total: integer(0).schema, filled: integer(0).schema, byCentre: { type: 'object' }, byKind: { type: 'object' }, missing: { type: 'array', items: open({ field: anyText.schema, why: oneOf('empty', 'no-record', 'not-granted').schema }) }, choices: { type: 'array', items: open({ field: anyText.schema, why: oneOf('disagree', 'several').schema, rule: oneOf('ask', 'centre', 'newest').schema, readings: { type: 'array' } }) }, disputed: { type: 'array', items: anyText.schema } }) }),
  recordWords: open({ recordId: recordIdShape.schema, version: integer(1).schema, ...wordsOnRecord }),
} as const;
