import { sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { portablePeer, provedPeer, type PeerSignatureCheck } from '../src/peer-certificate.js';
import { certify, makeConsortium, type Centre } from './mini-consortium.js';

// Node's own certificates and the portable ones must say the same of every certificate.
let own: Centre;
let other: Centre;
beforeAll(async () => {
  const { centres: [first, second] } = await makeConsortium();
  if (first === undefined || second === undefined) throw new Error('two centres');
  [own, other] = [first, second];
});

const ways: Readonly<Record<string, (pem: string, caPem: string) => Promise<PeerSignatureCheck | undefined>>> = {
  'Node.js': async (pem, caPem) => await provedPeer(pem, caPem).catch(() => undefined),
  portable: async (pem, caPem) => await portablePeer(pem, caPem).catch(() => undefined),
};

describe.each(Object.entries(ways))('a peer\'s certificate, %s', (_way, check) => {
  it('proves signatures of its key over the message, and no others', async () => {
    for (const unit of [['peer'], ['organisation', 'peer'], ['peer', 'a + sign']]) {
      const { key, pem } = await certify({ pem: own.caPem, keys: own.caKeys }, 'a peer', { units: unit });
      const isSignedBy = await check(pem, own.caPem);
      const message = Buffer.from('endorsed');
      const signature = sign('sha256', message, key);
      expect(isSignedBy?.(message, signature), unit.join()).toBe(true);
      expect(isSignedBy?.(Buffer.from('endorsee'), signature)).toBe(false);
      for (const broken of [signature.subarray(1), Buffer.concat([signature, Buffer.of(0)]), Buffer.alloc(0), sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })]) {
        expect(isSignedBy?.(message, broken)).toBe(false);
      }
    }
  });

  it('counts only where the centre\'s CA issued it to a peer, on P-256', async () => {
    const ca = { pem: own.caPem, keys: own.caKeys };
    const refused: Readonly<Record<string, readonly [string, string]>> = {
      'a client': [(await certify(ca, 'a client', { units: ['client'] })).pem, own.caPem],
      'a unit that only looks so': [(await certify(ca, 'a client', { units: ['client + OU=peer'] })).pem, own.caPem],
      'a name that only looks so': [(await certify(ca, 'x\nOU=peer', { units: ['client'] })).pem, own.caPem],
      'a key of the CA\'s name': [(await certify({ pem: own.caPem, keys: other.caKeys }, 'a stranger')).pem, own.caPem],
      'another CA': [(await certify(ca, 'a peer')).pem, other.caPem],
      'another curve': [(await certify(ca, 'a P-384 key', { curve: 'P-384' })).pem, own.caPem],
      'the CA itself': [own.caPem, own.caPem],
      'a peer as the CA': [(await certify(ca, 'a peer')).pem, own.peer.pem],
      'no certificate': ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', own.caPem],
    };
    for (const [what, [pem, caPem]] of Object.entries(refused)) expect(await check(pem, caPem), what).toBeUndefined();
  });
});
