/** Reads the few Fabric messages evidence needs (protobuf wire format); unknown fields are skipped, broken bytes refused. */

class BrokenMessage extends Error {}

/** The fields of one message: length-delimited values as bytes, varints as numbers. */
export class ProtobufMessage {
  private readonly fields = new Map<number, (Uint8Array | number)[]>();

  /** @throws BrokenMessage */
  public constructor(bytes: Uint8Array) {
    const cursor = new Cursor(bytes);
    while (!cursor.done) {
      const tag = cursor.varint();
      const field = Math.floor(tag / 8);
      const values = this.fields.get(field) ?? [];
      this.fields.set(field, values);
      values.push(cursor.value(tag & 7));
    }
  }

  /** Every value of a repeated bytes, string or message field. */
  public all(field: number): readonly Uint8Array[] {
    return (this.fields.get(field) ?? []).map((value) => {
      if (value instanceof Uint8Array) return value;
      throw new BrokenMessage('wire-type');
    });
  }

  /** A bytes, string or message field that stands once; empty where it is absent, as protobuf has it. */
  public bytes(field: number): Uint8Array {
    const values = this.all(field);
    // Protobuf would take the last: what can be read in two ways proves nothing.
    if (values.length > 1) throw new BrokenMessage('repeated');
    return values[0] ?? new Uint8Array();
  }

  public text(field: number): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(field));
  }

  public message(field: number): ProtobufMessage {
    return new ProtobufMessage(this.bytes(field));
  }

  /** A varint field (int32, bool, enum) that stands once; 0 where it is absent. */
  public number(field: number): number {
    const [value = 0, ...more] = this.fields.get(field) ?? [];
    if (typeof value !== 'number' || more.length > 0) throw new BrokenMessage('number');
    return value;
  }
}

class Cursor {
  private at = 0;

  public constructor(private readonly input: Uint8Array) {}

  public get done(): boolean {
    return this.at === this.input.length;
  }

  public varint(): number {
    let value = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.input[this.at];
      if (byte === undefined) throw new BrokenMessage('varint');
      this.at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new BrokenMessage('varint');
  }

  public value(wireType: number): Uint8Array | number {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return this.take(8);
      case 2:
        return this.take(this.varint());
      case 5:
        return this.take(4);
      default:
        throw new BrokenMessage('wire-type');
    }
  }

  private take(length: number): Uint8Array {
    if (this.at + length > this.input.length) throw new BrokenMessage('length');
    this.at += length;
    return this.input.subarray(this.at - length, this.at);
  }
}
