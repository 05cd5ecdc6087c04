import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { connect, signers, type Gateway, type Network } from '@hyperledger/fabric-gateway';

/** A connection file, as far as a plain client needs it. Paths are relative to it. */
interface ConnectionFile {
  readonly channel: string;
  readonly mspId: string;
  readonly endpoint: string;
  /** Absent on a loopback connection without TLS. */
  readonly tlsCaCert?: string;
  readonly certPath: string;
  readonly keyPath: string;
}

/** A client of Fabric's gateway, put together as its own tutorials do. */
export class PlainGateway {
  public readonly network: Network;
  private readonly client: grpc.Client;
  private readonly gateway: Gateway;

  public constructor(connectionFile: string) {
    const file = JSON.parse(readFileSync(connectionFile, 'utf8')) as ConnectionFile;
    const read = (name: string): Buffer => readFileSync(path.resolve(path.dirname(connectionFile), name));
    this.client = new grpc.Client(file.endpoint, file.tlsCaCert === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(read(file.tlsCaCert)), {
      'grpc.max_receive_message_length': 110 * 2 ** 20,
      'grpc.max_send_message_length': 110 * 2 ** 20,
    });
    const within = (milliseconds: number) => (): grpc.CallOptions => ({ deadline: Date.now() + milliseconds });
    this.gateway = connect({
      client: this.client,
      identity: { mspId: file.mspId, credentials: read(file.certPath) },
      signer: signers.newPrivateKeySigner(createPrivateKey(read(file.keyPath))),
      endorseOptions: within(60_000),
      submitOptions: within(60_000),
      commitStatusOptions: within(120_000),
    });
    this.network = this.gateway.getNetwork(file.channel);
  }

  public close(): void {
    this.gateway.close();
    this.client.close();
  }
}
