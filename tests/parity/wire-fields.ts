interface Field {
  readonly number: number;
  /** Bytes with tag. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, factor = 1; ; at += 1, factor *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at + 1 };
  }
}

class Writer {
  private readonly parts: Uint8Array[] = [];

  public field(number: number, content: Uint8Array): this {
    this.parts.push(varint(number * 8 + 2), varint(content.length), content);
    return this;
  }

  public text(number: number, content: string): this {
    return this.field(number, Buffer.from(content));
  }

  public uint(number: number, value: number): this {
    if (value !== 0) this.parts.push(varint(number * 8), varint(value));
    return this;
  }

  public bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

/**
 * Protocol Buffers fields of a well-formed message, apart from any schema: what is not touched keeps its bytes, which
 * generated classes do not promise.
 */
export class Wire {
  private readonly fields: readonly Field[];

  public constructor(bytes: Uint8Array) {
    const fields: Field[] = [];
    for (let at = 0; at < bytes.length; ) {
      const tag = readVarint(bytes, at);
      const first = readVarint(bytes, tag.end);
      const delimited = tag.value % 8 === 2;
      const end = delimited ? first.end + first.value : first.end;
      fields.push({ number: Math.floor(tag.value / 8), whole: bytes.subarray(at, end), content: bytes.subarray(delimited ? first.end : tag.end, end) });
      at = end;
    }
    this.fields = fields;
  }

  public static message(): Writer {
    return new Writer();
  }

  public all(number: number): Uint8Array[] {
    return this.fields.filter((field) => field.number === number).map(({ content }) => content);
  }

  public get(number: number): Uint8Array {
    return this.all(number).at(-1) ?? Buffer.alloc(0);
  }

  public message(number: number): Wire {
    return new Wire(this.get(number));
  }

  /** The message with another content of one field, at the field's place, or at the end. */
  public with(number: number, content: Uint8Array): Uint8Array {
    const changed = Wire.message().field(number, content).bytes();
    const found = this.fields.some((field) => field.number === number);
    const kept = this.fields.map((field) => (field.number === number ? changed : field.whole));
    return Buffer.concat(found ? kept : [...kept, changed]);
  }
}
