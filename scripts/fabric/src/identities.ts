import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Binaries } from './binaries.js';
import type { CentrePlan, NetworkFolder, OrdererPlan } from './plan.js';
import { run } from './run.js';

const localNames = ['localhost', '127.0.0.1'];
/** The client identity of a centre's node. */
export const nodeUser = 'User1';

/**
 * Development identities by cryptogen: an authority, TLS authority, node and client certificates for each organisation
 * that has none yet. A half-written organisation (an interrupted run) is made anew: nothing has used it.
 */
export async function makeIdentities(folder: NetworkFolder, binaries: Binaries, centres: readonly CentrePlan[], orderers: readonly OrdererPlan[]): Promise<void> {
  for (const centre of centres) {
    const hosts = centre.peers.map(({ name }) => ({ Hostname: name, CommonName: name, SANS: localNames }));
    await makeOrganisation(folder, binaries, 'peer', centre.domain, { PeerOrgs: [{ Name: centre.id, Domain: centre.domain, EnableNodeOUs: true, Specs: hosts, Users: { Count: 1 } }] });
  }
  for (const orderer of orderers) {
    const hosts = [{ Hostname: orderer.name, CommonName: orderer.name, SANS: localNames }];
    await makeOrganisation(folder, binaries, 'orderer', orderer.domain, { OrdererOrgs: [{ Name: orderer.id, Domain: orderer.domain, EnableNodeOUs: true, Specs: hosts }] });
  }
}

async function makeOrganisation(folder: NetworkFolder, binaries: Binaries, kind: 'peer' | 'orderer', domain: string, config: unknown): Promise<void> {
  const target = folder.crypto(domain, kind);
  const finished = path.join(target, '.finished');
  if (existsSync(finished)) return;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(folder.at('config'), { recursive: true, mode: 0o700 });
  // JSON is YAML.
  const file = folder.at('config', `cryptogen-${domain}.yaml`);
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  await run('make identities', binaries.path.cryptogen, ['generate', `--config=${file}`, `--output=${folder.at('crypto')}`]);
  writeFileSync(finished, '');
}

/** Files of one organisation's cryptogen folder. */
export class OrganisationFiles {
  private readonly root: string;

  public constructor(folder: NetworkFolder, domain: string, private readonly kind: 'peer' | 'orderer') {
    this.root = folder.crypto(domain, kind);
    this.domain = domain;
  }

  private readonly domain: string;

  public get msp(): string {
    return path.join(this.root, 'msp');
  }

  public get adminMsp(): string {
    return path.join(this.root, 'users', `Admin@${this.domain}`, 'msp');
  }

  public get adminTls(): string {
    return path.join(this.root, 'users', `Admin@${this.domain}`, 'tls');
  }

  /** Client identity {certificate, key} of the centre's node. */
  public get user(): { readonly certificate: string; readonly key: string } {
    const msp = path.join(this.root, 'users', `${nodeUser}@${this.domain}`, 'msp');
    return { certificate: path.join(msp, 'signcerts', `${nodeUser}@${this.domain}-cert.pem`), key: path.join(msp, 'keystore', onlyFile(path.join(msp, 'keystore'))) };
  }

  public get caCertificate(): string {
    return path.join(this.root, 'ca', `ca.${this.domain}-cert.pem`);
  }

  public get caKey(): string {
    return path.join(this.root, 'ca', 'priv_sk');
  }

  public get tlsCaCertificate(): string {
    return path.join(this.root, 'tlsca', `tlsca.${this.domain}-cert.pem`);
  }

  public get tlsCaKey(): string {
    return path.join(this.root, 'tlsca', 'priv_sk');
  }

  /** Folder {msp, tls} of a peer or an orderer. */
  public node(name: string): string {
    return path.join(this.root, this.kind === 'peer' ? 'peers' : 'orderers', name);
  }

  /** The certificate with which an orderer signs blocks. */
  public signingCertificate(name: string): string {
    return path.join(this.node(name), 'msp', 'signcerts', `${name}-cert.pem`);
  }

  public tlsCertificate(name: string): string {
    return path.join(this.node(name), 'tls', 'server.crt');
  }
}

function onlyFile(directory: string): string {
  return readdirSync(directory)[0] ?? '';
}

/** A file-system wallet of the older client: one JSON file per label. */
export function writeWallet(directory: string, label: string, mspId: string, files: { readonly certificate: string; readonly key: string }): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const credentials = { certificate: readFileSync(files.certificate, 'utf8'), privateKey: readFileSync(files.key, 'utf8') };
  writeFileSync(path.join(directory, `${label}.id`), `${JSON.stringify({ credentials, mspId, type: 'X.509', version: 1 })}\n`, { mode: 0o600 });
}
