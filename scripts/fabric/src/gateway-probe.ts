import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import { FabricError } from './fabric-error.js';
import { OrganisationFiles } from './identities.js';
import type { CentrePlan, NetworkFolder } from './plan.js';
import { channelName } from './profile.js';

/**
 * Waits until a centre's gateway collects enough endorsements for a call that only reads: its peer has heard by gossip
 * of the other centres' peers and of their chaincode. Before that a client would be refused. @throws FabricError NOT_READY
 */
export async function whenGatewayEndorses(folder: NetworkFolder, centre: CentrePlan, chaincode: string, timeoutMs = 60_000): Promise<void> {
  const files = new OrganisationFiles(folder, centre.domain, 'peer');
  const [peer] = centre.peers;
  const client = new grpc.Client(`127.0.0.1:${String(peer?.port ?? 0)}`, grpc.credentials.createSsl(readFileSync(files.tlsCaCertificate)));
  const gateway = connect({
    client,
    identity: { mspId: centre.mspId, credentials: readFileSync(files.user.certificate) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(files.user.key))),
    hash: hash.sha256,
  });
  try {
    const contract = gateway.getNetwork(channelName).getContract(chaincode);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const failure = await contract.newProposal('org.hyperledger.fabric:GetMetadata').endorse().then(() => undefined, (error: unknown) => error);
      if (failure === undefined) return;
      if (performance.now() > deadline) throw notReady(centre.id, failure);
      await delay(200);
    }
  } finally {
    gateway.close();
    client.close();
  }
}

function notReady(centre: string, failure: unknown): FabricError {
  return new FabricError('NOT_READY', `reach endorsers by the gateway of ${centre}`, failure instanceof Error ? failure.message : String(failure), {
    en: 'check that the other centres\' peers run and reach each other (`npm run fabric -- status`), then run the same command again',
    zh: '请确认其他中心的节点正在运行且互相可达（`npm run fabric -- status`），然后重试',
  });
}
