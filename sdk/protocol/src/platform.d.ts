// The few globals that Node and browsers share and the ES library does not declare. The protocol is compiled without
// Node's and the DOM's types, so that nothing else of either can slip in.
declare class TextEncoder {
  public encode(text: string): Uint8Array;
}
declare class TextDecoder {
  public constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  public decode(bytes: Uint8Array): string;
}
