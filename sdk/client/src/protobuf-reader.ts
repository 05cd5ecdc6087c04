/** Reads the few Fabric messages evidence needs (protobuf wire format); unknown fields are skipped, broken bytes refused. */

export class BrokenMessage extends Error {}

/** All values of length-delimited fields, and varints as numbers, by field number. */
export class ProtobufMessage {
  private readonly fields = new Map<number, (Uint8Array | number)[]>();

  public constructor(bytes: Uint8Array) {
    let at = 0;
    const varint = (): number => {
      let value = 0;
      for (let shift = 0; shift < 53; shift += 7) {
        const byte = bytes[at];
        if (byte === undefined) throw new BrokenMessage('varint');
        at += 1;
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return value;
      }
      throw new BrokenMessage('varint');
    };
    while (at < bytes.length) {
      const tag = varint();
      const value = readValue(tag & 7, varint, (length) => {
        if (at + length > bytes.length) throw new BrokenMessage('length');
        at += length;
        return bytes.subarray(at - length, at);
      });
      const field = Math.floor(tag / 8);
      this.fields.set(field, [...(this.fields.get(field) ?? []), value]);
    }
  }

  /** Every value of a repeated bytes, string or message field. */
  public all(field: number): readonly Uint8Array[] {
    return (this.fields.get(field) ?? []).filter((value): value is Uint8Array => value instanceof Uint8Array);
  }

  /** The last value of a bytes, string or message field; empty where it is absent, as protobuf has it. */
  public bytes(field: number): Uint8Array {
    return this.all(field).at(-1) ?? new Uint8Array();
  }

  public text(field: number): string {
    return new TextDecoder('utf-8', { fatal: true }).decode(this.bytes(field));
  }

  public message(field: number): ProtobufMessage {
    return new ProtobufMessage(this.bytes(field));
  }

  public flag(field: number): boolean {
    return (this.fields.get(field) ?? []).at(-1) === 1;
  }
}

function readValue(wireType: number, varint: () => number, take: (length: number) => Uint8Array): Uint8Array | number {
  switch (wireType) {
    case 0:
      return varint();
    case 1:
      return take(8);
    case 2:
      return take(varint());
    case 5:
      return take(4);
    default:
      throw new BrokenMessage('wire-type');
  }
}
