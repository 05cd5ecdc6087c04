import { Context } from 'fabric-contract-api';
import { certificateTransientField, limits, parseCanonical, ProtocolError, type JsonObject } from '@huilian/protocol';
import type { CertifiedCommand } from '../rules/owner-keys.js';

/**
 * A statement together with the certificate chain that came beside it as transient data, which is stored nowhere:
 * canonical JSON array of base64 DER, leaf first. @throws CERTIFICATE_INVALID, ARG_TOO_LARGE
 */
export function certifiedCommand({ stub }: Context, argument: JsonObject): CertifiedCommand {
  const bytes = stub.getTransient().get(certificateTransientField);
  if (bytes === undefined) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'missing' });
  if (bytes.length > limits.argumentBytes) throw new ProtocolError('ARG_TOO_LARGE', { bytes: bytes.length, most: limits.argumentBytes });
  return { argument, chain: readChain(bytes) };
}

function readChain(bytes: Uint8Array): readonly string[] {
  try {
    const chain = parseCanonical(bytes);
    if (Array.isArray(chain) && chain.every((entry) => typeof entry === 'string')) return chain as readonly string[];
  } catch {
    // Falls through to the one refusal below.
  }
  throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'transient' });
}
