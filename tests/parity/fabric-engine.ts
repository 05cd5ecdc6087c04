import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { KeyPair } from '@huilian/embedded-ledger';
import type { NetworkDescription, NetworkOrganisation } from '@huilian/fabric-network';
import { Engine, type Door } from './engine.js';
import type { Identity } from './signed-proposal.js';

interface Connection {
  readonly mspId: string;
  readonly certPath: string;
  readonly keyPath: string;
}

const text = (file: string): string => readFileSync(file, 'utf8');

/** A network that scripts/fabric brought up, through its network.json. */
export class FabricEngine {
  public readonly engine: Engine;
  public readonly description: NetworkDescription;

  public constructor(file: string) {
    this.description = JSON.parse(text(file)) as NetworkDescription;
    this.engine = new Engine(`Hyperledger Fabric (${this.description.profile})`, this.description.channel);
  }

  private identity({ connection }: NetworkOrganisation): Identity {
    const { certPath, keyPath, mspId } = JSON.parse(text(connection)) as Connection;
    const near = (file: string): string => text(path.resolve(path.dirname(connection), file));
    return { mspId, certificate: near(certPath), key: near(keyPath) };
  }

  public identities(): readonly Identity[] {
    return this.description.organisations.map((organisation) => this.identity(organisation));
  }

  /** cryptogen leaves an authority's key beside its certificate. */
  public authorities(): Record<string, KeyPair> {
    return Object.fromEntries(this.description.organisations.map(({ caCertificate, mspId }) => [mspId, { certificate: text(caCertificate), key: text(path.join(path.dirname(caCertificate), 'priv_sk')) }]));
  }

  public async start(): Promise<void> {
    const doors = this.description.organisations.flatMap((organisation): Door[] => {
      const [peer] = organisation.peers;
      return peer === undefined ? [] : [{ address: peer.address, tlsCa: text(peer.tlsCa), client: this.identity(organisation) }];
    });
    await this.engine.follow(doors);
  }
}
