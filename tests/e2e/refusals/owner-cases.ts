import path from 'node:path';
import { canonicalBytes, certificateTransientField, type KeyRotationEnvelope, type RecoveryObjectionEnvelope, type RevocationEnvelope } from '@huilian/protocol';
import { signRegistration } from '@huilian/sdk';
import { SampleCa } from '../../../node/src/composition/local/sample-ca.js';
import type { AccessDoor } from './access-door.js';
import { answered, command, refusedBy, seconds, type RefusalCase, type World } from './surfaces.js';

interface Statement {
  /** Whose USCC the certificate names, which CA made it; a name that must not come back. */
  readonly certified?: string;
  readonly ca?: SampleCa;
  readonly owner: string;
  readonly expires?: number;
  readonly salt?: string;
  readonly chain?: (leaf: string) => readonly string[];
  readonly otherKey?: boolean;
  /** The key that is registered; the stranger's where absent. */
  readonly key?: string;
}

/** Stands in the certificate of every refused registration: certificates may name persons. */
const personInCertificate = '赵某测甲';

/** Owners' keys, revocations and trails by somebody who is not the owner. */
export async function ownerCases({ local }: World, door: AccessDoor): Promise<Record<string, RefusalCase>> {
  const [trusted, foreign] = await Promise.all([SampleCa.open(path.join(local.dir, 'sample-ca')), SampleCa.open(path.join(local.dir, 'foreign-ca'))]);
  const nobody = await unregistered();

  /** A fictional entity that has registered no key. */
  async function unregistered(): Promise<string> {
    const { items } = (await local.api('guangzhou').get('/v1/records?kind=entity&publisher=guangzhou&limit=100')) as { items: { header: { owner?: string } }[] };
    for (const { header } of items) {
      const owner = header.owner ?? '';
      if (owner !== '' && (await local.call('guangzhou', 'GET', `/v1/owners/${owner}`)).status === 404) return owner;
    }
    throw new Error('every sample entity is registered');
  }

  async function registration({ ca = trusted, certified, chain, expires = seconds() + 3600, key: registered = local.signer(local.stranger).address.toLowerCase(), otherKey, owner, salt }: Statement): Promise<{ readonly statement: Awaited<ReturnType<typeof signRegistration>>; readonly chain: readonly string[] }> {
    const { certificate, privateKey } = await ca.certify((certified ?? owner).slice(4), personInCertificate);
    const key = otherKey === true ? (await ca.certify(owner.slice(4), personInCertificate)).privateKey : privateKey;
    const { domain } = await local.consortium();
    const statement = await signRegistration({ expires, key: registered, owner, salt: salt ?? domain.salt }, key as CryptoKey);
    return { chain: chain?.(certificate) ?? [certificate, ca.base64], statement };
  }

  const registering = (make: Statement): RefusalCase => ({
    drivers: {
      contract: async () => {
        const { chain, statement } = await registration(make);
        const transient = { [certificateTransientField]: canonicalBytes(chain) };
        return await refusedBy((await door.ledger('GuangzhouMSP')).submit('registerOwner', canonicalBytes(statement), transient));
      },
      http: async () => answered(await local.call('guangzhou', 'POST', '/v1/owners', await registration(make), 'operator')),
      sdk: async () => {
        const { chain, statement } = await registration(make);
        return await refusedBy((await local.client('guangzhou-platform')).registerOwner(statement, chain));
      },
    },
    hidden: [personInCertificate, Buffer.from(personInCertificate).toString('base64')],
  });

  const revoking = (make: () => Promise<RevocationEnvelope>): RefusalCase => ({
    drivers: {
      contract: async () => await refusedBy((await door.ledger('ZhuhaiMSP')).submit('revokeGrant', canonicalBytes(await make()))),
      http: async () => answered(await local.call('zhuhai', 'POST', '/v1/revocations', await make())),
      sdk: async () => await refusedBy((await local.client('zhuhai-platform')).revoke(await make())),
    },
  });
  const forged = async (): Promise<RevocationEnvelope> => await local.wallet(local.stranger).signRevocation((await local.consortium()).domain, { grant: `0x${'7'.repeat(64)}`, owner: local.owner });
  const spoilt = (change: (envelope: RevocationEnvelope) => object): RefusalCase =>
    revoking(async () => {
      const good = await local.wallet(local.owner).signRevocation((await local.consortium()).domain, { grant: `0x${'7'.repeat(64)}`, owner: local.owner });
      return { ...good, ...change(good) } as RevocationEnvelope;
    });
  const strangersKey = path.join(local.dir, 'owners', local.stranger.slice(4), 'key.txt');

  /** A lost key's successor that two centres approved: it waits for its 72 hours. */
  const successor = await registration({ key: `0x${'4'.repeat(40)}`, owner: local.stranger });
  const recovering = { [certificateTransientField]: canonicalBytes(successor.chain) };
  for (const organisation of ['GuangzhouMSP', 'ZhuhaiMSP']) await (await (await door.ledger(organisation)).submit('recoverOwner', canonicalBytes(successor.statement), recovering)).committed();
  await local.whenLevel();
  const rotation = async (): Promise<KeyRotationEnvelope> => await local.wallet(local.stranger).signKeyRotation((await local.consortium()).domain, { expires: seconds() + 3600, newKey: `0x${'3'.repeat(40)}`, owner: local.stranger });
  const objecting = async (owner: string, signedBy = owner): Promise<RecoveryObjectionEnvelope> =>
    await local.wallet(signedBy).signRecoveryObjection((await local.consortium()).domain, { newKey: successor.statement.statement.key, owner });
  const objection = (make: () => Promise<RecoveryObjectionEnvelope>): RefusalCase => ({
    drivers: {
      contract: async () => await refusedBy((await door.ledger('ZhuhaiMSP')).submit('objectRecovery', canonicalBytes(await make()))),
      http: async () => answered(await local.call('zhuhai', 'POST', '/v1/owner-keys/object', await make())),
    },
  });

  return {
    'recover-again': {
      drivers: {
        contract: async () => await refusedBy((await door.ledger('BeijingMSP')).submit('recoverOwner', canonicalBytes(successor.statement), recovering)),
        http: async () => answered(await local.call('beijing', 'POST', '/v1/owner-keys/recover', successor, 'operator')),
      },
      hidden: [personInCertificate],
    },
    'rotate-while-recovering': {
      drivers: {
        contract: async () => await refusedBy((await door.ledger('ZhuhaiMSP')).submit('rotateOwnerKey', canonicalBytes(await rotation()))),
        http: async () => answered(await local.call('zhuhai', 'POST', '/v1/owner-keys/rotate', await rotation())),
      },
    },
    'object-to-nothing': {
      drivers: {
        ...objection(async () => await objecting(local.owner)).drivers,
        cli: async () => await command(['owner', 'object', '--owner', local.owner, '--wallet', path.join(local.dir, 'owners', local.owner.slice(4), 'key.txt'), '--node', local.api('zhuhai').url, '--yes']),
      },
    },
    'object-by-stranger': objection(async () => await objecting(local.stranger, local.owner)),
    'register-foreign-ca': registering({ ca: foreign, owner: nobody }),
    'register-foreign-leaf': registering({ ca: foreign, chain: (leaf) => [leaf, trusted.base64], owner: nobody }),
    'register-other-entity': registering({ certified: local.stranger, owner: nobody }),
    'register-other-key': registering({ otherKey: true, owner: nobody }),
    'register-no-certificate': registering({ chain: () => ['AAAA'], owner: nobody }),
    'register-expired': registering({ expires: seconds() - 1, owner: nobody }),
    'register-other-consortium': registering({ owner: nobody, salt: `0x${'0'.repeat(64)}` }),
    'register-twice': registering({ owner: local.owner }),
    'revoke-by-stranger': {
      drivers: {
        ...revoking(forged).drivers,
        cli: async () => await command(['grant', 'revoke', '--wallet', strangersKey, '--owner', local.owner, '--grant', `0x${'7'.repeat(64)}`, '--node', local.api('zhuhai').url]),
      },
    },
    'revoke-owner-unknown': revoking(async () => await local.wallet(local.stranger).signRevocation((await local.consortium()).domain, { grant: `0x${'7'.repeat(64)}`, owner: 'org:91440101MA5CK8T02A' })),
    'revoke-wrong-domain': spoilt(({ domain }) => ({ domain: { ...domain, salt: `0x${'0'.repeat(64)}` } })),
    'revoke-spelt-otherwise': spoilt(({ signature }) => ({ signature: signature.slice(0, 130) })),
    'trail-by-stranger': {
      drivers: {
        cli: async () => await command(['trail', '--wallet', strangersKey, '--owner', local.owner, '--node', local.api('zhuhai').url]),
        http: async () => answered(await local.call('zhuhai', 'POST', '/v1/trails', await local.wallet(local.stranger).signTrailRequest((await local.consortium()).domain, local.owner))),
        sdk: async () => await refusedBy((await local.client('zhuhai-platform')).trail(await local.wallet(local.stranger).signTrailRequest((await local.consortium()).domain, local.owner))),
      },
    },
  };
}
