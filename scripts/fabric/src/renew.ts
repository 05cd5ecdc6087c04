import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import 'reflect-metadata';
import { FabricError } from './fabric-error.js';
import { OrganisationFiles } from './identities.js';
import type { FabricNetwork } from './network.js';

const validMilliseconds = 10 * 365 * 24 * 3_600_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

interface Renewal {
  readonly certificate: string;
  readonly caCertificate: string;
  readonly caKey: string;
}

/**
 * Issues new certificates for the same keys and names, by the organisation's development authorities, and restarts the
 * process that uses them. The key stays, so that a Raft consenter is known by its new TLS certificate too.
 * @param name a peer (`peer0.zhuhai`), a Raft orderer (`orderer.zhuhai`), or the client of a centre's node (`client.zhuhai`)
 */
export async function renewCertificates(network: FabricNetwork, name: string): Promise<readonly string[]> {
  const renewals = findRenewals(network, name);
  network.progress.step(`new certificates for ${name}`, `为 ${name} 签发新证书`);
  for (const renewal of renewals) await renew(renewal);
  if (name.startsWith('client.')) network.describe();
  else {
    network.progress.step(`restart ${name}`, `重启 ${name}`);
    await network.restart(name);
  }
  return renewals.map(({ certificate }) => certificate);
}

function findRenewals(network: FabricNetwork, name: string): Renewal[] {
  const { folder, plan } = network;
  const centre = plan.centres.find(({ id, peers }) => name === `client.${id}` || peers.some((peer) => peer.name === name));
  const orderer = plan.orderers.find((each) => each.name === name);
  if (centre === undefined && orderer === undefined) throw unknown(name, [...plan.orderers, ...plan.centres.flatMap(({ peers }) => peers)].map((each) => each.name));
  if (orderer !== undefined && plan.profile.consensus === 'BFT') throw boundToConfiguration(name);
  const files = centre === undefined ? new OrganisationFiles(folder, orderer?.domain ?? '', 'orderer') : new OrganisationFiles(folder, centre.domain, 'peer');
  const identity = { caCertificate: files.caCertificate, caKey: files.caKey };
  const tls = { caCertificate: files.tlsCaCertificate, caKey: files.tlsCaKey };
  if (name.startsWith('client.')) return [{ certificate: files.user.certificate, ...identity }];
  return [
    { certificate: files.signingCertificate(name), ...identity },
    { certificate: files.tlsCertificate(name), ...tls },
  ];
}

async function renew({ certificate, caCertificate, caKey }: Renewal): Promise<void> {
  const x509 = await import('@peculiar/x509');
  const old = new x509.X509Certificate(readFileSync(certificate, 'utf8'));
  const authority = new x509.X509Certificate(readFileSync(caCertificate, 'utf8'));
  const pkcs8 = createPrivateKey(readFileSync(caKey, 'utf8')).export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  const renewed = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: old.subjectName,
    issuer: authority.subjectName,
    // Fabric compares clocks of machines: a few minutes of difference must not make it "not yet valid".
    notBefore: new Date(Date.now() - 5 * 60_000),
    notAfter: new Date(Math.min(Date.now() + validMilliseconds, authority.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: await old.publicKey.export(algorithm, ['verify']),
    signingKey,
    extensions: [...old.extensions],
  });
  writeFileSync(`${certificate}.new`, renewed.toString('pem'));
  renameSync(`${certificate}.new`, certificate);
}

function unknown(name: string, known: readonly string[]): FabricError {
  return new FabricError('ORGANISATION_UNKNOWN', 'renew a certificate', `nothing here is called ${JSON.stringify(name)}`, {
    en: `names: ${known.join(', ')}, client.<centre>`,
    zh: `可用名称：${known.join('、')}、client.<中心>`,
  });
}

/** SmartBFT names each consenter's certificate itself in the channel's configuration. */
function boundToConfiguration(name: string): FabricError {
  return new FabricError('PROFILE_INVALID', 'renew a certificate', `${name} is a BFT consenter: its certificate stands in the channel's configuration`, {
    en: 'follow docs/operations/certificates.md: a configuration update replaces the consenter certificate first',
    zh: '请按 docs/operations/certificates.md 操作：先通过通道配置更新替换共识者证书',
  });
}
