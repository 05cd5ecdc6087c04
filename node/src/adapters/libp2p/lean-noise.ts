import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { ConnectionEncrypter, MessageStream, SecureConnectionOptions } from '@libp2p/interface';
import { noise, type ICryptoInterface, type NoiseComponents, type NoiseExtensions } from '@libp2p/noise';
import { defaultCrypto } from '@libp2p/noise/crypto';

const algorithm = 'chacha20-poly1305';
const tagBytes = 16;
/** Below it the library's own WebAssembly is faster than a call into OpenSSL. */
const fewBytes = 512;

type Encrypt = ICryptoInterface['chaCha20Poly1305Encrypt'];
type Decrypt = ICryptoInterface['chaCha20Poly1305Decrypt'];

const keys = new WeakMap<Uint8Array, KeyObject>();

/** Node.js looks at the bytes of a key for longer than it takes to encrypt a message with them: once a key, not once a message. */
function keyOf(bytes: Uint8Array): KeyObject {
  let key = keys.get(bytes);
  if (key === undefined) {
    key = createSecretKey(bytes);
    keys.set(bytes, key);
  }
  return key;
}

const encrypt: Encrypt = (plaintext, nonce, ad, key) => {
  if (plaintext.byteLength < fewBytes) return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key);
  const cipher = createCipheriv(algorithm, keyOf(key), nonce, { authTagLength: tagBytes });
  if (ad.length > 0) cipher.setAAD(ad, { plaintextLength: plaintext.byteLength });
  const ciphertext = cipher.update(plaintext.subarray());
  cipher.final();
  return Buffer.concat([ciphertext, cipher.getAuthTag()]);
};

const decrypt: Decrypt = (ciphertext, nonce, ad, key, dst) => {
  if (ciphertext.byteLength < fewBytes) return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst);
  const bytes = ciphertext.subarray();
  const end = bytes.length - tagBytes;
  const decipher = createDecipheriv(algorithm, keyOf(key), nonce, { authTagLength: tagBytes });
  if (ad.length > 0) decipher.setAAD(ad, { plaintextLength: end });
  decipher.setAuthTag(bytes.subarray(end));
  const plaintext = decipher.update(bytes.subarray(0, end));
  // Throws where the tag is another; a stream cipher leaves nothing to add.
  decipher.final();
  return plaintext;
};

const crypto: ICryptoInterface = { ...defaultCrypto, chaCha20Poly1305Encrypt: encrypt, chaCha20Poly1305Decrypt: decrypt };

/** Noise as libp2p has it, byte for byte, with its pieces joined: TCP of libp2p makes a system call of each, and each wakes the other side. */
export function leanNoise(): (components: NoiseComponents) => ConnectionEncrypter<NoiseExtensions> {
  const make = noise({ crypto });
  return (components) => {
    const whole = make(components);
    return new Proxy(whole, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'secureInbound' && name !== 'secureOutbound') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        return async <S extends MessageStream>(connection: S, options?: SecureConnectionOptions) => {
          const secured = await target[name](joined(connection), options);
          readLengthsQuietly(secured.connection);
          return secured;
        };
      },
    });
  };
}

function joined<S extends MessageStream>(connection: S): S {
  const send = connection.send.bind(connection);
  connection.send = (data) => send(data instanceof Uint8Array ? data : data.subarray());
  return connection;
}

interface LengthReader {
  lengthDecoder(data: Uint8Array | { readonly byteLength: number; get(at: number): number }): number;
}

/** Its stack says nothing and takes longer to write down than a message to decrypt. */
const notYet = new RangeError('the length has not come yet');

/** The library learns from an error that all messages of a piece were read, one error a piece: the same one each time. */
function readLengthsQuietly(connection: MessageStream): void {
  const { decoder } = connection as MessageStream & { readonly decoder?: Partial<LengthReader> };
  if (typeof decoder?.lengthDecoder !== 'function') return;
  decoder.lengthDecoder = (data) => {
    if (data.byteLength < 2) throw notYet;
    return data instanceof Uint8Array ? ((data[0] ?? 0) << 8) + (data[1] ?? 0) : (data.get(0) << 8) + data.get(1);
  };
}
