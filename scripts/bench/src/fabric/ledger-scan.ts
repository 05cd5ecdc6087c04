import { common, peer } from '@hyperledger/fabric-protos';
import { batchRoot, canonicalize, decodeBatchArgument, ledgerFunctions, type Header } from '@huilian/protocol';
import type { FabricConsortium } from './fabric-consortium.js';
import { PlainGateway } from '../plain-gateway.js';

export interface LedgerScan {
  readonly transactions: number;
  readonly invalid: number;
  /** Canonical header by record id, from valid transactions whose event names the root of exactly these headers. */
  readonly headers: ReadonlyMap<string, string>;
  readonly publishTransactions: number;
}

/** Reads every block of a range as it is on the ledger: validation codes, and what was published. */
export async function scanLedger(consortium: FabricConsortium, from: number, to: number): Promise<LedgerScan> {
  const gateway = new PlainGateway(consortium.connection('guangzhou'));
  const headers = new Map<string, string>();
  const counts = { transactions: 0, invalid: 0, publishTransactions: 0 };
  const blocks = await gateway.network.getBlockEvents({ startBlock: BigInt(from) });
  try {
    for await (const block of blocks) {
      const codes = block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER] ?? new Uint8Array();
      (block.getData()?.getDataList_asU8() ?? []).forEach((bytes, index) => {
        const valid = codes[index] === 0;
        counts.transactions += 1;
        if (!valid) counts.invalid += 1;
        else if (readPublish(bytes, headers)) counts.publishTransactions += 1;
      });
      if ((block.getHeader()?.getNumber() ?? 0) >= to) break;
    }
  } finally {
    blocks.close();
    gateway.close();
  }
  return { ...counts, headers };
}

/** Notes the headers of a publish transaction. Answers whether it is one. @throws where the event's root is not that of the headers */
function readPublish(envelope: Uint8Array, headers: Map<string, string>): boolean {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  const type = common.ChannelHeader.deserializeBinary(bytesOf(payload.getHeader()?.getChannelHeader_asU8())).getType();
  if (type !== common.HeaderType.ENDORSER_TRANSACTION) return false;
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  const call = peer.ChaincodeActionPayload.deserializeBinary(bytesOf(action?.getPayload_asU8()));
  const [name, argument] = argumentsOf(call);
  if (Buffer.from(bytesOf(name)).toString() !== ledgerFunctions.publish) return false;
  const batch = decodeBatchArgument(bytesOf(argument));
  if (rootInEvent(call) !== batchRoot(batch.headers)) throw new Error(`batch ${String(batch.seq)}: the root on the ledger is not that of its headers`);
  for (const header of batch.headers) headers.set(idOf(batch.publisher, header), canonicalize(header));
  return true;
}

function argumentsOf(call: peer.ChaincodeActionPayload): readonly Uint8Array[] {
  const proposal = peer.ChaincodeProposalPayload.deserializeBinary(call.getChaincodeProposalPayload_asU8());
  return peer.ChaincodeInvocationSpec.deserializeBinary(proposal.getInput_asU8()).getChaincodeSpec()?.getInput()?.getArgsList_asU8() ?? [];
}

function rootInEvent(call: peer.ChaincodeActionPayload): string {
  const response = peer.ProposalResponsePayload.deserializeBinary(bytesOf(call.getAction()?.getProposalResponsePayload_asU8()));
  const event = peer.ChaincodeEvent.deserializeBinary(peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8()).getEvents_asU8());
  return (JSON.parse(Buffer.from(event.getPayload_asU8()).toString()) as { root: string }).root;
}

const bytesOf = (bytes: Uint8Array | undefined): Uint8Array => bytes ?? new Uint8Array();

function idOf(publisher: string, { kind, localId }: Header): string {
  return `${publisher}/${kind}/${localId}`;
}
