import { createHash, createVerify, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { common, ledger as ledgerProtos, msp, orderer, peer } from '@hyperledger/fabric-protos';
import { checkpointers } from '@hyperledger/fabric-gateway';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MalformedMessageError, parseBlock, type Ledger } from '../src/index.js';
import { Place, text, type Client } from './fixture.js';

let place: Place;
let ledger: Ledger;
let river: Client;
const sent: string[] = [];

beforeAll(async () => {
  place = await Place.make();
  ledger = await place.start();
  river = await place.client(ledger);
  await submit('put', 'a', '1');
  await submit('announce', 'first', 'payload one');
  await submit('remove', 'a');
  await submit('count', '', '', 'total');
  await submit('announce', 'second', '第二');
  // One block with a valid and a conflicting transaction.
  const endorsed = await Promise.all(['3', '4'].map((amount) => river.contract.newProposal('add', { arguments: ['sum', amount] }).endorse()));
  const commits = await Promise.all(endorsed.map((transaction) => transaction.submit()));
  for (const commit of commits) sent.push((await commit.getStatus()).transactionId);
});
afterAll(() => place.leave());

async function submit(name: string, ...args: string[]): Promise<void> {
  const endorsed = await river.contract.newProposal(name, { arguments: args }).endorse();
  sent.push(endorsed.getTransactionId());
  const status = await (await endorsed.submit()).getStatus();
  if (!status.successful) throw new Error(`not committed: ${String(status.code)}`);
}

async function allBlocks(start = 0n): Promise<common.Block[]> {
  const blocks: common.Block[] = [];
  const stream = await river.network.getBlockEvents({ startBlock: start });
  for await (const block of stream) if (blocks.push(block) === Number(ledger.height() - start)) break;
  stream.close();
  return blocks;
}

function derInteger(value: number): Buffer {
  return value < 128 ? Buffer.from([2, 1, value]) : Buffer.from([2, 2, value >> 8, value & 255]);
}

/** Fabric's block header hash, written down once more: SHA-256 over DER {number, previous hash, data hash}. */
function headerBytes(header: common.BlockHeader): Buffer {
  const octets = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([4, bytes.length]), bytes]);
  const body = Buffer.concat([derInteger(header.getNumber()), octets(header.getPreviousHash_asU8()), octets(header.getDataHash_asU8())]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

/** What the fixture is known to hold; the test fails where it does not. */
function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there');
  return value;
}

const digest = (...pieces: readonly Uint8Array[]): string => createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('blocks, read with the classes that Fabric generates', () => {
  it('are chained by header hashes and commit to their data', async () => {
    const blocks = await allBlocks();
    let previous = '';
    for (const [index, block] of blocks.entries()) {
      const header = block.getHeader();
      if (!header) throw new Error('no header');
      expect(header.getNumber()).toBe(index);
      expect(hex(header.getPreviousHash_asU8())).toBe(previous);
      expect(hex(header.getDataHash_asU8())).toBe(digest(...(block.getData()?.getDataList_asU8() ?? [])));
      previous = digest(headerBytes(header));
    }
    expect(blocks.length).toBeGreaterThan(6);
  });

  it('carry the orderer identity of the ledger, its signature, and the last configuration', async () => {
    const authority = new X509Certificate(await readFile(join(place.dir, 'ca', 'EmbeddedOrdererMSP', 'ca.pem')));
    for (const block of await allBlocks()) {
      const metadata = common.Metadata.deserializeBinary(must(block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.SIGNATURES]));
      const signature = must(metadata.getSignaturesList()[0]);
      const creator = common.SignatureHeader.deserializeBinary(signature.getSignatureHeader_asU8()).getCreator_asU8();
      const certificate = new X509Certificate(Buffer.from(msp.SerializedIdentity.deserializeBinary(creator).getIdBytes_asU8()));
      expect(certificate.verify(authority.publicKey)).toBe(true);
      const signed = Buffer.concat([metadata.getValue_asU8(), signature.getSignatureHeader_asU8(), headerBytes(must(block.getHeader()))]);
      expect(createVerify('sha256').update(signed).verify(certificate.publicKey, signature.getSignature_asU8())).toBe(true);
      expect(common.OrdererBlockMetadata.deserializeBinary(metadata.getValue_asU8()).getLastConfig()?.getIndex()).toBe(0);
    }
  });

  it('begin with a configuration that states what this ledger is and who belongs to it', async () => {
    const genesis = must((await allBlocks())[0]);
    const envelope = common.Envelope.deserializeBinary(must(must(genesis.getData()).getDataList_asU8()[0]));
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    const group = must(must(common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()).getChannelGroup());
    const ordererValues = must(group.getGroupsMap().get('Orderer')).getValuesMap();
    expect(orderer.ConsensusType.deserializeBinary(must(ordererValues.get('ConsensusType')).getValue_asU8()).getType()).toBe('embedded-single-process');
    const application = must(group.getGroupsMap().get('Application')).getGroupsMap();
    expect([...(application.keys() as unknown as Iterable<string>)].sort()).toEqual(['HillMSP', 'RiverMSP']);
    const mspConfig = msp.MSPConfig.deserializeBinary(must(must(application.get('RiverMSP')).getValuesMap().get('MSP')).getValue_asU8());
    const root = must(msp.FabricMSPConfig.deserializeBinary(mspConfig.getConfig_asU8()).getRootCertsList_asU8()[0]);
    expect(Buffer.from(root).toString()).toBe(await readFile(join(place.dir, 'ca', 'RiverMSP', 'ca.pem'), 'utf8'));
  });

  it('hold endorsements that verify against each organisation, over the proposal response', async () => {
    const block = parseBlock((await allBlocks())[1]?.serializeBinary() ?? new Uint8Array(0));
    const [transaction] = block.transactions;
    expect(transaction?.endorsements.map(({ mspId }) => mspId).sort()).toEqual(['HillMSP', 'RiverMSP']);
    for (const { mspId, certPem, identity, signature } of transaction?.endorsements ?? []) {
      const certificate = new X509Certificate(certPem);
      const authority = new X509Certificate(await readFile(join(place.dir, 'ca', mspId, 'ca.pem')));
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.subject).toContain('OU=peer');
      expect(createVerify('sha256').update(transaction?.proposalResponsePayload ?? '').update(identity).verify(certificate.publicKey, signature)).toBe(true);
    }
  });
});

/** One transaction of a block as the generated classes read it. */
function readGenerated(envelopeBytes: Uint8Array): Record<string, unknown> {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelopeBytes).getPayload_asU8());
  const header = must(payload.getHeader());
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  const timestamp = must(channel.getTimestamp());
  const creator = msp.SerializedIdentity.deserializeBinary(common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()).getCreator_asU8());
  return {
    txId: channel.getTxId(),
    channel: channel.getChannelId(),
    timestamp: { seconds: timestamp.getSeconds(), nanos: timestamp.getNanos() },
    creator: creator.getMspid(),
    certificate: Buffer.from(creator.getIdBytes_asU8()).toString(),
    ...readGeneratedAction(payload.getData_asU8()),
  };
}

function readGeneratedAction(data: Uint8Array): Record<string, unknown> {
  const action = peer.ChaincodeActionPayload.deserializeBinary(must(peer.Transaction.deserializeBinary(data).getActionsList()[0]).getPayload_asU8());
  const endorsed = must(action.getAction());
  const spec = peer.ChaincodeInvocationSpec.deserializeBinary(peer.ChaincodeProposalPayload.deserializeBinary(action.getChaincodeProposalPayload_asU8()).getInput_asU8()).getChaincodeSpec();
  const proposalResponse = endorsed.getProposalResponsePayload_asU8();
  const result = peer.ChaincodeAction.deserializeBinary(peer.ProposalResponsePayload.deserializeBinary(proposalResponse).getExtension_asU8());
  const event = peer.ChaincodeEvent.deserializeBinary(result.getEvents_asU8());
  const response = must(result.getResponse());
  return {
    chaincode: must(result.getChaincodeId()).getName(),
    args: must(must(spec).getInput()).getArgsList_asU8().map(hex),
    event: event.getEventName() === '' ? undefined : { name: event.getEventName(), payload: hex(event.getPayload_asU8()), txId: event.getTxId(), chaincode: event.getChaincodeId() },
    response: { status: response.getStatus(), message: response.getMessage(), payload: hex(response.getPayload_asU8()) },
    proposalResponse: hex(proposalResponse),
    endorsers: endorsed.getEndorsementsList().map((item) => hex(item.getEndorser_asU8()) + hex(item.getSignature_asU8())),
    sets: readGeneratedSets(result.getResults_asU8()),
  };
}

const version = (found: ledgerProtos.rwset.kvrwset.Version | undefined): unknown => found && { block: found.getBlockNum(), transaction: found.getTxNum() };
const readOf = (found: ledgerProtos.rwset.kvrwset.KVRead): unknown => ({ key: found.getKey(), version: version(found.getVersion()) });

function readGeneratedSets(bytes: Uint8Array): unknown {
  return ledgerProtos.rwset.TxReadWriteSet.deserializeBinary(bytes).getNsRwsetList().map((namespace) => {
    const set = ledgerProtos.rwset.kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8());
    return {
      namespace: namespace.getNamespace(),
      reads: set.getReadsList().map(readOf),
      ranges: set.getRangeQueriesInfoList().map((range) => ({
        startKey: range.getStartKey(),
        endKey: range.getEndKey(),
        exhausted: range.getItrExhausted(),
        reads: range.getRawReads()?.getKvReadsList().map(readOf) ?? [],
        hashed: range.hasReadsMerkleHashes(),
      })),
      writes: set.getWritesList().map((write) => ({ key: write.getKey(), value: write.getIsDelete() ? undefined : hex(write.getValue_asU8()) })),
    };
  });
}

describe('parseBlock', () => {
  it('reads every transaction as the generated classes do', async () => {
    const blocks = await allBlocks(1n);
    const seen: string[] = [];
    for (const block of blocks) {
      const parsed = parseBlock(block.serializeBinary());
      expect(parsed.hash).toBe(digest(headerBytes(block.getHeader() ?? new common.BlockHeader())));
      for (const [index, transaction] of parsed.transactions.entries()) {
        seen.push(transaction.txId);
        const envelope = block.getData()?.getDataList_asU8()[index] ?? new Uint8Array(0);
        expect(hex(transaction.envelope)).toBe(hex(envelope));
        expect({
          txId: transaction.txId,
          channel: transaction.channel,
          timestamp: transaction.timestamp,
          creator: transaction.creator.mspId,
          certificate: transaction.creator.certPem,
          chaincode: transaction.chaincode,
          args: transaction.args.map(hex),
          event: transaction.event && { ...transaction.event, payload: hex(transaction.event.payload) },
          response: { ...transaction.response, payload: hex(transaction.response.payload) },
          proposalResponse: hex(transaction.proposalResponsePayload),
          endorsers: transaction.endorsements.map(({ identity, signature }) => hex(identity) + hex(signature)),
          sets: transaction.namespaces.map(({ hasOther, ...set }) => {
            expect(hasOther).toBe(false);
            return { ...set, writes: set.writes.map(({ key, value }) => ({ key, value: value && hex(value) })) };
          }),
        }).toEqual(readGenerated(envelope));
      }
    }
    expect(seen).toEqual(sent);
  });

  it('gives each transaction its validation code', async () => {
    const blocks = (await allBlocks()).map((block) => parseBlock(block.serializeBinary()));
    expect(blocks[0]?.transactions[0]).toMatchObject({ type: 'CONFIG', code: 'VALID', chaincode: '' });
    expect(blocks.at(-1)?.transactions.map(({ code }) => code)).toEqual(['VALID', 'MVCC_READ_CONFLICT']);
  });

  it('merges two messages of one field, as the wire format says and Fabric does (JavaScript classes do not)', async () => {
    const [, block] = await allBlocks();
    const envelope = common.Envelope.deserializeBinary(block?.getData()?.getDataList_asU8()[0] ?? new Uint8Array(0));
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    const header = payload.getHeader() ?? new common.Header();
    const [first, second] = [new common.Header(), new common.Header()];
    first.setChannelHeader(header.getChannelHeader_asU8());
    second.setSignatureHeader(header.getSignatureHeader_asU8());
    const field = (number: number, bytes: Uint8Array): Buffer => {
      const length = bytes.length < 128 ? [bytes.length] : bytes.length < 16384 ? [(bytes.length & 127) | 128, bytes.length >> 7] : [(bytes.length & 127) | 128, ((bytes.length >> 7) & 127) | 128, bytes.length >> 14];
      return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
    };
    const split = Buffer.concat([field(1, first.serializeBinary()), field(1, second.serializeBinary()), field(2, payload.getData_asU8())]);
    envelope.setPayload(split);
    const data = new common.BlockData();
    data.setDataList([envelope.serializeBinary()]);
    block?.setData(data);
    expect(parseBlock(block?.serializeBinary() ?? new Uint8Array(0)).transactions[0]).toMatchObject({ txId: sent[0], creator: { mspId: 'RiverMSP' } });
  });

  it('keeps an unreadable envelope that was marked invalid, refuses one that is marked valid', async () => {
    const [, block] = await allBlocks();
    const data = new common.BlockData();
    data.setDataList([Buffer.from('not an envelope')]);
    block?.setData(data);
    const bytes = (): Uint8Array => block?.serializeBinary() ?? new Uint8Array(0);
    expect(() => parseBlock(bytes())).toThrow(MalformedMessageError);
    block?.getMetadata()?.setMetadataList([new Uint8Array(0), new Uint8Array(0), Uint8Array.from([2])]);
    expect(parseBlock(bytes()).transactions[0]).toMatchObject({ code: 'BAD_PAYLOAD', type: 'OTHER', txId: '' });
    block?.getMetadata()?.setMetadataList([]);
    expect(parseBlock(bytes()).transactions[0]).toMatchObject({ code: 'NOT_VALIDATED' });
  });

  it('tells whose an invalid transaction is though its action cannot be read', async () => {
    const [, block] = await allBlocks();
    const envelope = common.Envelope.deserializeBinary(block?.getData()?.getDataList_asU8()[0] ?? new Uint8Array(0));
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    payload.setData(Buffer.from('no transaction'));
    envelope.setPayload(payload.serializeBinary());
    const data = new common.BlockData();
    data.setDataList([envelope.serializeBinary()]);
    block?.setData(data);
    const bytes = (): Uint8Array => block?.serializeBinary() ?? new Uint8Array(0);
    expect(() => parseBlock(bytes())).toThrow(MalformedMessageError);
    block?.getMetadata()?.setMetadataList([new Uint8Array(0), new Uint8Array(0), Uint8Array.from([2])]);
    expect(parseBlock(bytes()).transactions[0]).toMatchObject({ code: 'BAD_PAYLOAD', txId: sent[0], creator: { mspId: 'RiverMSP' }, args: [], namespaces: [] });
  });

  it('says MalformedMessageError, nothing else, whatever byte of a block is changed or missing', async () => {
    const [, block] = await allBlocks();
    const bytes = Buffer.from(block?.serializeBinary() ?? new Uint8Array(0));
    const failures = { malformed: 0, other: 0 };
    const attempt = (changed: Uint8Array): void => {
      try {
        parseBlock(changed);
      } catch (error) {
        failures[error instanceof MalformedMessageError ? 'malformed' : 'other'] += 1;
      }
    };
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      attempt(changed);
      attempt(bytes.subarray(0, at));
    }
    expect(failures.other).toBe(0);
    expect(failures.malformed).toBeGreaterThan(100);
  });
});

describe('events', () => {
  it('are replayed from any block, of valid transactions only', async () => {
    const events = await river.network.getChaincodeEvents('notes', { startBlock: 0n });
    const found: string[] = [];
    for await (const event of events) {
      found.push(`${event.eventName}: ${text(event.payload)} @${String(event.blockNumber)}`);
      if (found.length === 2) break;
    }
    events.close();
    expect(found).toEqual(['first: payload one @2', 'second: 第二 @5']);
  });

  it('a client that lost its connection goes on behind the event it had, missing and repeating none', async () => {
    const checkpointer = checkpointers.inMemory();
    const names: string[] = [];
    const take = async (wanted: number): Promise<void> => {
      const client = await place.client(ledger);
      const events = await client.network.getChaincodeEvents('notes', { checkpoint: checkpointer, startBlock: 0n });
      for await (const event of events) {
        names.push(event.eventName);
        await checkpointer.checkpointChaincodeEvent(event);
        if (names.length >= wanted) break;
      }
      client.close();
    };
    // Three events in one block, of which the first connection takes one.
    const endorsed = await Promise.all(['x', 'y', 'z'].map((name) => river.contract.newProposal('announce', { arguments: [name, '1'] }).endorse()));
    const commits = await Promise.all(endorsed.map((transaction) => transaction.submit()));
    const blocks = await Promise.all(commits.map(async (commit) => (await commit.getStatus()).blockNumber));
    expect(new Set(blocks).size).toBe(1);
    await take(3);
    await submit('announce', 'while away', '1');
    await take(4);
    await take(6);
    expect(names.slice(0, 2)).toEqual(['first', 'second']);
    expect([...names.slice(2, 5)].sort()).toEqual(['x', 'y', 'z']);
    expect(names[5]).toBe('while away');
  });

  it('without a position begin with the next block', async () => {
    const events = await river.network.getChaincodeEvents('notes');
    const first = events[Symbol.asyncIterator]().next();
    // The request is on its way: what is announced before it arrives is not seen, so announce until it is.
    let done = false;
    void first.then(() => { done = true; });
    for (let round = 0; !done && round < 50; round += 1) await submit('announce', 'live', String(round));
    const { value } = (await first) as { value: { eventName: string } };
    events.close();
    expect(value.eventName).toBe('live');
  });

  it('filtered blocks show ids, codes and event names, no payloads', async () => {
    const stream = await river.network.getFilteredBlockEvents({ startBlock: 2n });
    for await (const block of stream) {
      const [transaction] = block.getFilteredTransactionsList();
      const event = transaction?.getTransactionActions()?.getChaincodeActionsList()[0]?.getChaincodeEvent();
      expect([block.getChannelId(), block.getNumber(), transaction?.getTxid(), transaction?.getType(), transaction?.getTxValidationCode()]).toEqual(['huilian', 2, sent[1], common.HeaderType.ENDORSER_TRANSACTION, 0]);
      expect([event?.getEventName(), event?.getTxId(), event?.getPayload_asU8().length]).toEqual(['first', sent[1], 0]);
      break;
    }
    stream.close();
  });
});

describe('qscc', () => {
  it('answers the queries that Fabric has: chain, blocks, transactions', async () => {
    const system = river.network.getContract('qscc');
    const blocks = await allBlocks();
    const info = common.BlockchainInfo.deserializeBinary(await system.evaluateTransaction('GetChainInfo', 'huilian'));
    expect(BigInt(info.getHeight())).toBe(ledger.height());
    expect(hex(info.getCurrentblockhash_asU8())).toBe(digest(headerBytes(blocks.at(-1)?.getHeader() ?? new common.BlockHeader())));
    expect(hex(await system.evaluateTransaction('GetBlockByNumber', 'huilian', '2'))).toBe(hex(blocks[2]?.serializeBinary() ?? new Uint8Array(0)));
    const byHash = await system.evaluate('GetBlockByHash', { arguments: ['huilian', info.getPreviousblockhash_asU8()] });
    expect(common.Block.deserializeBinary(byHash).getHeader()?.getNumber()).toBe(Number(ledger.height()) - 2);
    const conflicting = sent[6] ?? '';
    const processed = peer.ProcessedTransaction.deserializeBinary(await system.evaluateTransaction('GetTransactionByID', 'huilian', conflicting));
    expect(processed.getValidationcode()).toBe(peer.TxValidationCode.MVCC_READ_CONFLICT);
    expect(common.Block.deserializeBinary(await system.evaluateTransaction('GetBlockByTxID', 'huilian', conflicting)).getHeader()?.getNumber()).toBe(6);
    await expect(system.evaluateTransaction('GetTransactionByID', 'huilian', 'unknown')).rejects.toThrow('no such transaction ID [unknown] in index');
  });
});
