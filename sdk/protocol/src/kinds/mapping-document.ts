import type { JsonObject } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { kindShape } from '../ids.js';
import { boolean, dictionary, formOf, integer, list, object, oneOf, optional, prose, text, type Read, type Shape } from '../shape.js';
import { transformNames } from './cell-transforms.js';

/**
 * A mapping: how the columns of a platform's own export become the fields of one kind and schema version. It is laid over
 * the import rules of the kind: columns it does not name are still understood by their national names.
 */

/** A column as the file spells it. */
const columnName = /[^\u0000-\u001f\u007f]{1,200}/;
const columnShape = text(columnName, 200);
/** `claim.field`. */
const pathShape = text(/[a-z][A-Za-z0-9]{0,39}\.[A-Za-z][A-Za-z0-9]{0,39}/, 81);
const note = { note: optional(prose(500)) };
const cellText = text(/[^\u0000-\u001f\u007f]{0,200}/, 200);

/** A value as a record may hold it: text, a flag, or a list of texts. */
const valueShape: Shape<string | boolean | readonly string[]> = {
  schema: { oneOf: [{ type: 'string', maxLength: 1000 }, { type: 'boolean' }, { type: 'array', items: { type: 'string', maxLength: 200 }, minItems: 1, maxItems: 100 }] },
  read: (value, path = '') => (typeof value === 'boolean' ? boolean().read(value, path) : Array.isArray(value) ? list(prose(200), 1, 100).read(value, path) : prose(1000).read(value, path)),
};

/** Said or left out. */
const yes: Shape<true> = {
  schema: { const: true },
  read: (value, path = ''): true => {
    if (value !== true) throw new ProtocolError('BAD_FIELD', { path, reason: 'not-true' });
    return true;
  },
};

/** What is done to a cell's text before it is read; it is always trimmed and in NFC. */
const cleaningShape = oneOf('half-width', 'no-spaces', 'upper-case', 'no-leading-quote');

/** How a text becomes a value. Where nothing is said, the way of the kind's own import rule for the field holds. */
const reading = {
  transform: optional(oneOf(...transformNames)),
  clean: optional(list(cleaningShape, 1, 4)),
  /** Code set of the file → that of the field. Looked at before the transform; for lists, entry by entry. */
  values: optional(dictionary(/[^\u0000-\u001f\u007f]{1,200}/, valueShape, 5000)),
  /** What a text is that the table does not have: refused, where nothing is said, or read as it stands. */
  otherwise: optional(oneOf('refuse', 'keep')),
  /** Forms of dates and times: `yyyy`, `M`, `MM`, `d`, `dd`, `H`, `HH`, `mm`, `ss`, or `excel` for day numbers. */
  formats: optional(list(text(/[^\u0000-\u001f\u007f]{1,40}/, 40), 1, 10)),
  /** Unit of an amount: the same for all rows, behind the number in the cell, or in columns of its own. */
  unit: optional(oneOf('分', '元', '千元', '万元', '百万元', '亿元', 'in-cell')),
  unitColumns: optional(list(columnShape, 1, 4)),
  /** Whether amounts are written 1,234,567.89. */
  thousands: optional(boolean()),
  separator: optional(text(/[^\u0000-\u001f\u007f]{1,4}/, 4)),
};

const cellShape = object({ to: pathShape, ...reading, ...note });
const partShape = formOf({ to: cellShape, ignore: object({ ignore: yes, ...note }) });
const columnRuleShape = formOf({
  as: object({ as: columnShape, ...note }),
  to: cellShape,
  split: object({ split: object({ by: optional(text(/[^\u0000-\u001f\u007f]{1,8}/, 8)), lengths: optional(list(integer(1, 1000), 1, 20)), into: list(partShape, 1, 20) }), clean: reading.clean, ...note }),
  isUnit: object({ isUnit: yes, ...note }),
  ignore: object({ ignore: yes, ...note }),
  open: object({ open: prose(500), ...note }),
});
const joinShape = object({ columns: list(columnShape, 1, 20), with: optional(cellText), to: pathShape, ...reading, ...note });
const constantShape = object({ to: pathShape, value: valueShape, ifClaim: optional(boolean()), ...note });

const documentShape = object({
  $schema: optional(text(/[^\u0000-\u001f\u007f]{1,500}/, 500)),
  format: oneOf('mapping/1'),
  kind: kindShape,
  schema: integer(1, 9999),
  title: optional(object({ zh: prose(200), en: prose(200) })),
  ...note,
  /** Every column of the file. */
  columns: dictionary(columnName, columnRuleShape, 500),
  joins: optional(list(joinShape, 1, 50)),
  /** Values of fields that no column gives; with `ifClaim` only where the row gives another field of the claim. */
  constants: optional(list(constantShape, 1, 100)),
});

export type MappingDocument = Read<typeof documentShape>;
export type CellRule = Read<typeof cellShape>;
export type ColumnRule = Read<typeof columnRuleShape>;
export type CellReading = Omit<CellRule, 'to' | 'note'>;
export type MappedValue = Read<typeof valueShape>;

export const mappingShape: Shape<MappingDocument> = documentShape;

/** Name under which a node holds a mapping. */
export const mappingNameShape: Shape<string> = text(/[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?/, 64);

/** The closed JSON Schema of mappings, as an editor reads it. */
export function mappingSchema(): JsonObject {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'urn:huilian:mapping:1', title: 'Huilian mapping / 汇链字段映射', ...mappingShape.schema };
}
