import { isCanonicalText, isJsonObject, type JsonObject, type JsonValue } from './canonical.js';
import { ProtocolError } from './errors.js';

/**
 * Closed grammars for protocol objects: one definition reads a value strictly (unknown or missing fields are refused)
 * and states itself as JSON Schema, so that HTTP routes and documents declare the same rule.
 */
export interface Shape<T> {
  readonly schema: JsonObject;
  /** @throws ProtocolError BAD_FIELD {path} | UNKNOWN_FIELD {path} */
  read(value: unknown, path?: string): T;
}

/** The TypeScript type a shape reads. */
export type Read<S> = S extends Shape<infer T> ? T : never;

function bad(path: string, reason: string): never {
  throw new ProtocolError('BAD_FIELD', { path, reason });
}

/** A string that matches a pattern completely. */
export function text(pattern: RegExp, maxLength = 256): Shape<string> {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.includes('u') ? pattern.flags : `${pattern.flags}u`);
  return {
    schema: { type: 'string', pattern: whole.source, maxLength },
    read(value, path = ''): string {
      if (typeof value !== 'string') return bad(path, 'not-a-string');
      if (value.length > maxLength) return bad(path, 'too-long');
      return whole.test(value) ? value : bad(path, 'pattern');
    },
  };
}

/**
 * What no title may hold, but for the line feed: control characters, C1 among them (one of which starts a terminal's
 * commands), and characters that are not seen or turn the text around. Fixed ranges, so that every endorser's Unicode
 * tables say the same.
 */
const unseen = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]/;

/** Free text for documents adopted by vote: NFC, bounded, nothing in it that is not seen. */
export function prose(maxLength: number): Shape<string> {
  return {
    schema: { type: 'string', minLength: 1, maxLength },
    read(value, path = ''): string {
      if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) return bad(path, 'length');
      return isCanonicalText(value) && !unseen.test(value) ? value : bad(path, 'characters');
    },
  };
}

/** An integer within bounds (both included). */
export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return {
    schema: { type: 'integer', minimum, maximum },
    read: (value, path = ''): number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum ? value : bad(path, 'range'),
  };
}

/** One of a closed list of words. */
export function oneOf<const W extends string>(...words: readonly W[]): Shape<W> {
  return {
    schema: { enum: words },
    read: (value, path = ''): W => words.find((word) => word === value) ?? bad(path, 'not-listed'),
  };
}

/** Exactly this word. */
export function literal<const W extends string>(word: W): Shape<W> {
  return oneOf(word);
}

export function boolean(): Shape<boolean> {
  return { schema: { type: 'boolean' }, read: (value, path = ''): boolean => (typeof value === 'boolean' ? value : bad(path, 'not-boolean')) };
}

export function list<T>(item: Shape<T>, minItems: number, maxItems: number): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema, minItems, maxItems },
    read(value, path = ''): readonly T[] {
      if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) return bad(path, 'length');
      return value.map((entry: unknown, index) => item.read(entry, `${path}/${String(index)}`));
    },
  };
}

/** A list in strictly ascending order: one spelling per set. */
export function sortedSet(item: Shape<string>, minItems: number, maxItems: number): Shape<readonly string[]> {
  const inner = list(item, minItems, maxItems);
  return {
    schema: { ...inner.schema, uniqueItems: true },
    read(value, path = ''): readonly string[] {
      const items = inner.read(value, path);
      return items.every((entry, index) => index === 0 || (items[index - 1] ?? '') < entry) ? items : bad(path, 'not-sorted');
    },
  };
}

/** Any JSON object, for documents that have a schema of their own. */
export function anyObject(): Shape<JsonObject> {
  return { schema: { type: 'object' }, read: (value, path = ''): JsonObject => (isJsonObject(value) ? value : bad(path, 'not-an-object')) };
}

/** An object whose names are the writer's own, such as the columns of a file. */
export function dictionary<T>(name: RegExp, item: Shape<T>, mostEntries: number): Shape<Readonly<Record<string, T>>> {
  const whole = new RegExp(`^(?:${name.source})$`, 'u');
  return {
    schema: { type: 'object', propertyNames: { pattern: whole.source }, additionalProperties: item.schema, maxProperties: mostEntries },
    read(value, path = ''): Readonly<Record<string, T>> {
      if (!isJsonObject(value)) return bad(path, 'not-an-object');
      const entries = Object.entries(value);
      if (entries.length > mostEntries) return bad(path, 'length');
      return Object.fromEntries(entries.map(([key, entry]) => [whole.test(key) && isCanonicalText(key) ? key : bad(path, 'name'), item.read(entry, `${path}/${pointerPart(key)}`)]));
    },
  };
}

/** A part of a JSON pointer, RFC 6901. */
function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** One of several objects, told apart by a field that only one of them has. */
export function formOf<const F extends Readonly<Record<string, Shape<unknown>>>>(forms: F): Shape<Read<F[keyof F]>> {
  return {
    schema: { oneOf: Object.values(forms).map(({ schema }) => schema) },
    read(value, path = ''): Read<F[keyof F]> {
      if (!isJsonObject(value)) return bad(path, 'not-an-object');
      const found = Object.entries(forms).filter(([name]) => Object.hasOwn(value, name));
      const [first] = found;
      return first !== undefined && found.length === 1 ? (first[1].read(value, path) as Read<F[keyof F]>) : bad(path, `one-of-${Object.keys(forms).join('-')}`);
    },
  };
}

/** A field that may be absent. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

type Fields = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>;
type RequiredNames<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? never : K }[keyof F];
type FieldType<X> = X extends Optional<infer T> ? T : X extends Shape<infer T> ? T : never;
type ObjectOf<F extends Fields> = { readonly [K in RequiredNames<F>]: FieldType<F[K]> } & {
  readonly [K in Exclude<keyof F, RequiredNames<F>>]?: FieldType<F[K]>;
};

/** An object with exactly these fields. */
export function object<const F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  const names = Object.keys(fields);
  const required = names.filter((name) => !isOptional(fields[name]));
  const shapes = new Map(names.map((name) => [name, shapeOf(fields[name])]));
  return {
    schema: {
      type: 'object',
      additionalProperties: false,
      required,
      properties: Object.fromEntries([...shapes].map(([name, shape]) => [name, shape.schema])),
    },
    read(value, path = ''): ObjectOf<F> {
      if (!isJsonObject(value)) return bad(path, 'not-an-object');
      for (const name of Object.keys(value)) {
        if (!shapes.has(name)) throw new ProtocolError('UNKNOWN_FIELD', { path: `${path}/${closedName(name)}` });
      }
      const out: Record<string, unknown> = {};
      for (const [name, shape] of shapes) {
        const field: JsonValue | undefined = Object.hasOwn(value, name) ? value[name] : undefined;
        if (field !== undefined) out[name] = shape.read(field, `${path}/${name}`);
        else if (required.includes(name)) bad(`${path}/${name}`, 'missing');
      }
      return out as ObjectOf<F>;
    },
  };
}

function isOptional(field: Fields[string] | undefined): field is Optional<unknown> {
  return field !== undefined && 'optional' in field;
}

function shapeOf(field: Fields[string] | undefined): Shape<unknown> {
  if (field === undefined) throw new TypeError('a field without a shape');
  return isOptional(field) ? field.optional : field;
}

// A stranger's field name could carry anything, so errors show only what looks like a name.
function closedName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/.test(name) && !/[0-9]{6}/.test(name) ? name : '?';
}
