/**
 * Node's own hash, signature check and DEFLATE where the process has them, several times faster than portable code.
 * Looked up at run time, never imported: the package stays loadable in a browser.
 */
interface NativeCrypto {
  /** A string is hashed as its UTF-8 bytes. */
  hash(algorithm: 'sha256', data: Uint8Array | string, encoding: 'buffer'): Uint8Array;
  hash(algorithm: 'sha256', data: Uint8Array | string, encoding: 'hex' | 'base64url'): string;
  createPublicKey(input: { key: object; format: 'jwk' }): object;
  /** The signature in DER. */
  verify(algorithm: 'sha256', data: Uint8Array, key: object, signature: Uint8Array): boolean;
}
interface NativeZlib {
  deflateRawSync(data: Uint8Array): Uint8Array;
  inflateRawSync(
    data: Uint8Array,
    options: { maxOutputLength: number; info: true },
  ): { buffer: Uint8Array; engine: { bytesWritten: number } };
}
interface NativeProcess {
  getBuiltinModule?(name: string): unknown;
}

interface NativeBuffer {
  from(text: string, encoding: 'utf8'): Uint8Array<ArrayBuffer>;
}

const host = (globalThis as { process?: NativeProcess }).process;
export const nativeBuffer = (globalThis as { Buffer?: NativeBuffer }).Buffer;
export const nativeCrypto = host?.getBuiltinModule?.('node:crypto') as NativeCrypto | undefined;
export const nativeZlib = host?.getBuiltinModule?.('node:zlib') as NativeZlib | undefined;
