import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import { outcomeOf, runFiles, runVectors } from '../../protocol/test/run-vectors.js';
import { ProtocolError, readEvidence, verifyEvidence } from '../src/index.js';

// The protocol that the SDK itself depends on answers every vector, and the SDK those of evidence files.
const folder = new URL('../../../tests/vectors/', import.meta.url);

runVectors(protocol, { describe, it, expect }, folder);

describe('the protocol inside the SDK', () => {
  it('is the one that was tested', () => expect(ProtocolError).toBe(protocol.ProtocolError));
});

/** Code of the first check of an evidence that fails, as a refusal. */
async function verify(file: string, fingerprint: string): Promise<unknown> {
  const { ok, checks } = await verifyEvidence(file, fingerprint);
  const why = checks.find(({ result }) => result === 'fails')?.why ?? '';
  return ok ? { expect: ok } : { code: protocol.parseErrorMessage(why)?.code };
}

runFiles('evidence-file', folder, { describe, it, expect }, async (input) => {
  const { file, fingerprint } = input as { file: string; fingerprint?: string };
  if (fingerprint !== undefined) return await verify(file, fingerprint);
  return outcomeOf(() => ({ digest: protocol.documentDigest(readEvidence(file)) }), undefined);
});
