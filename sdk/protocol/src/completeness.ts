import type { JsonObject } from './canonical.js';
import { ProtocolError } from './errors.js';
import { beijingDay, dayStart } from './beijing-day.js';
import { retirable } from './governance.js';
import { digestShape, kindShape, memberIdShape } from './ids.js';
import { boolean, dictionary, integer, list, object, oneOf, optional, text, type Read, type Shape } from './shape.js';

/** Completeness: how much a centre's sources handed over on a day against what it published, and which adopted documents a member holds. */

const dayText = text(/[0-9]{4}-[0-9]{2}-[0-9]{2}/, 10);
/** A day in Beijing that the calendar has. */
export const dayShape: Shape<string> = {
  schema: dayText.schema,
  read(value, path = ''): string {
    const day = dayText.read(value, path);
    if (beijingDay(dayStart(day)) !== day) throw new ProtocolError('BAD_FIELD', { path, reason: 'no-such-day' });
    return day;
  },
};
const mostRows = 1_000_000_000;

/** `records.declare`: by a publisher for itself, counts alone. The same kind and day again replaces what was declared. */
export const declaredDaysShape = list(object({ day: dayShape, expected: integer(0, mostRows), kind: kindShape }), 1, 400);
export const declareArgumentShape = object({ days: declaredDaysShape, publisher: memberIdShape });
export type DeclareArgument = Read<typeof declareArgumentShape>;

/** An adopted document: kind, name or fingerprint; a CA has no version (0). */
export const adoptedReferenceShape = object({ digest: digestShape, id: text(/[a-z0-9][a-z0-9-]{0,63}/, 64), of: oneOf(...retirable), version: integer(0, 9999) });
export type AdoptedReference = Read<typeof adoptedReferenceShape>;
export const acknowledgedShape = list(adoptedReferenceShape, 1, 200);
/** `governance.acknowledge`: a member holds these adopted documents, byte for byte, and can use them; for a hosted one its centre says so. */
export const acknowledgeArgumentShape = object({ documents: acknowledgedShape, member: memberIdShape });

/** Name of the rule set that says until when a day's rows must be published, and adopted documents be acknowledged. */
export const completenessRuleSet = 'completeness';
/** So many days after the day itself, before the end of this hour in Beijing; `daily`: every centre owes a declaration of every day. */
const deadlineShape = object({ daily: optional(boolean()), days: integer(0, 31), hour: integer(0, 23) });
const mostKinds = 400;
const rulesShape = object({
  acknowledge: optional(object({ hours: integer(1, 8760) })),
  default: optional(object({ days: integer(0, 31), hour: integer(0, 23) })),
  kinds: optional(dictionary(/[a-z][a-z0-9-]{1,30}[a-z0-9]/, deadlineShape, mostKinds)),
});
export type CompletenessRules = Read<typeof rulesShape>;

/** Where no rule set says otherwise: the end of the next day, and two days for documents. */
export const usualRules: CompletenessRules = { acknowledge: { hours: 48 }, default: { days: 1, hour: 23 } };

/** @throws BAD_FIELD, UNKNOWN_FIELD */
export function readCompletenessRules(document: JsonObject): CompletenessRules {
  return { ...usualRules, ...rulesShape.read(document) };
}

/** Until when the rows of a kind and day must be on the ledger, Unix seconds. */
export function deadlineOf(rules: CompletenessRules, kind: string, day: string): number {
  const named = rules.kinds !== undefined && Object.hasOwn(rules.kinds, kind) ? rules.kinds[kind] : undefined;
  const { days, hour } = named ?? rules.default ?? { days: 1, hour: 23 };
  return dayStart(day) + days * 86_400 + (hour + 1) * 3600;
}
