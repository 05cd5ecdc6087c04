import { createHash, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { common, gateway as gatewayProtos, peer } from '@hyperledger/fabric-protos';
import { CommitError, EndorseError, StatusCode, type GatewayError, type Transaction } from '@hyperledger/fabric-gateway';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Notes } from './contracts.js';
import { ORGANISATIONS, Place, text, type Client } from './fixture.js';
import type { Ledger } from '../src/index.js';

let place: Place;
let ledger: Ledger;
let river: Client;

beforeEach(async () => {
  place = await Place.make();
  ledger = await place.start();
  river = await place.client(ledger);
});
afterEach(() => place.leave());

async function read(name: string, ...args: string[]): Promise<string> {
  return text(await river.contract.evaluateTransaction(name, ...args));
}

async function refusal(action: Promise<unknown>): Promise<GatewayError> {
  return action.then(
    () => { throw new Error('was accepted'); },
    (error: unknown) => error as GatewayError,
  );
}

/** What was put into a prepared transaction, taken apart with Fabric's generated classes. */
function openTransaction(envelope: common.Envelope): { payload: common.Payload; transaction: peer.Transaction; action: peer.ChaincodeActionPayload } {
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
  const [first] = transaction.getActionsList();
  if (!first) throw new Error('no action');
  return { payload, transaction, action: peer.ChaincodeActionPayload.deserializeBinary(first.getPayload_asU8()) };
}

/** The same transaction after `change`, unsigned, as a client with ill intent would send it. */
function tampered(client: Client, endorsed: Transaction, change: (action: peer.ChaincodeEndorsedAction) => void): Transaction {
  const { gateway } = client;
  const prepared = gatewayProtos.PreparedTransaction.deserializeBinary(endorsed.getBytes());
  const envelope = prepared.getEnvelope();
  if (!envelope) throw new Error('no envelope');
  const { payload, transaction, action } = openTransaction(envelope);
  const inner = action.getAction();
  if (!inner) throw new Error('no endorsed action');
  change(inner);
  transaction.getActionsList()[0]?.setPayload(action.serializeBinary());
  payload.setData(transaction.serializeBinary());
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature('');
  return gateway.newTransaction(prepared.serializeBinary());
}

describe('submit and evaluate', () => {
  it('what is committed is what is read', async () => {
    await river.contract.submitTransaction('put', 'a', '甲');
    expect(await read('get', 'a')).toBe('甲');
    await river.contract.submitTransaction('remove', 'a');
    expect(await read('get', 'a')).toBe('');
  });

  it('a transaction does not see its own writes, as on Fabric', async () => {
    expect(text(await river.contract.submitTransaction('putBlind', 'b', 'new'))).toBe('');
    expect(await read('get', 'b')).toBe('new');
  });

  it('an empty value deletes the key, as on Fabric', async () => {
    await river.contract.submitTransaction('put', 'c', 'x');
    await river.contract.submitTransaction('put', 'c', '');
    expect(await read('list', 'c', 'd')).toBe('[]');
  });

  it('evaluating writes nothing and orders nothing', async () => {
    const before = ledger.height();
    await river.contract.evaluateTransaction('put', 'd', 'x');
    expect(await read('get', 'd')).toBe('');
    expect(ledger.height()).toBe(before);
  });

  it('binary arguments of 1 MiB arrive byte for byte', async () => {
    const body = randomBytes(1024 * 1024);
    await river.contract.submit('store', { arguments: ['blob', body] });
    expect(await read('get', 'blob')).toBe(createHash('sha256').update(body).digest('hex'));
  });

  it('a transaction above the batch limit is refused when it is submitted', async () => {
    const error = await refusal(river.contract.submit('store', { arguments: ['blob', Buffer.alloc(4 * 1024 * 1024)] }));
    expect(error.name).toBe('SubmitError');
    expect(error.message).toContain('exceeds maximum allowed');
  });

  it('unknown channels, chaincodes and functions are named in the refusal', async () => {
    expect((await refusal(river.gateway.getNetwork('other').getContract('notes').evaluateTransaction('get', 'a'))).message).toContain('"other"');
    expect((await refusal(river.network.getContract('other').submitTransaction('get', 'a'))).message).toContain('"other"');
    expect((await refusal(river.contract.evaluateTransaction('nothing'))).message).toContain('nothing');
  });
});

describe('conflicts', () => {
  it('of two transactions that read and write one key at one height, one fails with MVCC_READ_CONFLICT', async () => {
    const endorsed = await Promise.all([1, 2].map((amount) => river.contract.newProposal('add', { arguments: ['n', String(amount)] }).endorse()));
    const commits = await Promise.all(endorsed.map(async (transaction) => (await transaction.submit()).getStatus()));
    expect(commits.map(({ code }) => code).sort()).toEqual([StatusCode.VALID, StatusCode.MVCC_READ_CONFLICT]);
    const winner = commits.findIndex(({ successful }) => successful);
    expect(await read('get', 'n')).toBe(String(winner + 1));
  });

  it('the same across two blocks, and the client sees a CommitError', async () => {
    const late = await river.contract.newProposal('add', { arguments: ['n', '5'] }).endorse();
    await river.contract.submitTransaction('add', 'n', '1');
    expect((await (await late.submit()).getStatus()).code).toBe(StatusCode.MVCC_READ_CONFLICT);
    const results = await Promise.allSettled([1, 2, 3].map((amount) => river.contract.submitTransaction('add', 'n', String(amount))));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as CommitError] : []));
    expect(errors.map(({ code }) => code)).toEqual([StatusCode.MVCC_READ_CONFLICT, StatusCode.MVCC_READ_CONFLICT]);
  });

  it('a key that appears in a scanned range makes PHANTOM_READ_CONFLICT; one outside does not', async () => {
    await river.contract.submitTransaction('put', 'p1', 'x');
    const inside = await river.contract.newProposal('count', { arguments: ['p', 'q', 'total-1'] }).endorse();
    const outside = await river.contract.newProposal('count', { arguments: ['r', 's', 'total-2'] }).endorse();
    await river.contract.submitTransaction('put', 'p2', 'y');
    expect((await (await inside.submit()).getStatus()).code).toBe(StatusCode.PHANTOM_READ_CONFLICT);
    expect((await (await outside.submit()).getStatus()).code).toBe(StatusCode.VALID);
  });

  it('a phantom within one block is found as well, and a vanished key too', async () => {
    await river.contract.submitTransaction('put', 'p1', 'x');
    const count = await river.contract.newProposal('count', { arguments: ['p', 'q', 'total'] }).endorse();
    const remove = await river.contract.newProposal('remove', { arguments: ['p1'] }).endorse();
    const [first, second] = [await remove.submit(), await count.submit()];
    const [removed, counted] = [await first.getStatus(), await second.getStatus()];
    expect([removed.code, counted.code]).toEqual([StatusCode.VALID, StatusCode.PHANTOM_READ_CONFLICT]);
  });

  it('blind writes of one key do not conflict; the later one stays', async () => {
    const endorsed = await Promise.all(['1', '2'].map((value) => river.contract.newProposal('put', { arguments: ['w', value] }).endorse()));
    const [one, two] = [await endorsed[0]?.submit(), await endorsed[1]?.submit()];
    expect([(await one?.getStatus())?.successful, (await two?.getStatus())?.successful]).toEqual([true, true]);
    expect(await read('get', 'w')).toBe('2');
  });
});

describe('endorsement', () => {
  it('a contract whose runs differ fails with the organisation that differs', async () => {
    const error = await refusal(river.contract.submitTransaction('random'));
    expect(error).toBeInstanceOf(EndorseError);
    expect(error.code).toBe(10);
    expect(error.details.map(({ mspId, message }) => `${mspId}: ${message}`)).toEqual([expect.stringMatching(/^HillMSP: ProposalResponsePayloads do not match/)]);
    expect(await read('get', 'random')).toBe('');
  });

  it("a contract's error reaches the client with its text", async () => {
    const endorse = await refusal(river.contract.submitTransaction('fail', 'NO_SUCH_THING'));
    expect(endorse).toBeInstanceOf(EndorseError);
    expect(endorse.details[0]?.message).toBe('chaincode response 500, NO_SUCH_THING');
    const evaluate = await refusal(river.contract.evaluateTransaction('fail', 'NO_SUCH_THING'));
    expect(evaluate.message).toContain('chaincode response 500, NO_SUCH_THING');
  });

  it.each(['query', 'private', 'privateRead', 'invoke', 'policy'])('what is not offered (%s) fails with NOT_SUPPORTED though the contract swallows it', async (call) => {
    expect((await refusal(river.contract.submitTransaction('swallow', call))).details[0]?.message).toContain('NOT_SUPPORTED');
    expect((await refusal(river.contract.evaluateTransaction('swallow', call))).message).toContain('NOT_SUPPORTED');
  });

  it('a contract that never answers is given up after the time limit', async () => {
    await ledger.close();
    river = await place.client(await place.start({ chaincodeTimeoutMs: 50 }));
    expect((await refusal(river.contract.submitTransaction('hang'))).details[0]?.message).toContain('timeout expired');
  });

  it('who names the endorsing organisations answers for them: fewer than the policy takes are found out at validation, as on Fabric', async () => {
    const error = await refusal(river.contract.submit('put', { arguments: ['a', 'b'], endorsingOrganizations: ['RiverMSP'] }));
    expect(error).toBeInstanceOf(CommitError);
    expect(error.message).toContain('ENDORSEMENT_POLICY_FAILURE');
    expect(await read('get', 'a')).toBe('');
  });

  it('a transaction with an endorsement taken out is ordered and not valid', async () => {
    const endorsed = await river.contract.newProposal('put', { arguments: ['a', 'b'] }).endorse();
    const cut = tampered(river, endorsed, (action) => { action.setEndorsementsList(action.getEndorsementsList().slice(0, 1)); });
    expect((await (await cut.submit()).getStatus()).code).toBe(StatusCode.ENDORSEMENT_POLICY_FAILURE);
    expect(await read('get', 'a')).toBe('');
  });

  it('one organisation endorsing twice counts once', async () => {
    const endorsed = await river.contract.newProposal('put', { arguments: ['a', 'b'] }).endorse();
    const doubled = tampered(river, endorsed, (action) => {
      const [first] = action.getEndorsementsList();
      action.setEndorsementsList(first ? [first, first] : []);
    });
    expect((await (await doubled.submit()).getStatus()).code).toBe(StatusCode.ENDORSEMENT_POLICY_FAILURE);
  });

  it('an outcome that the endorsers did not sign is not valid', async () => {
    const endorsed = await river.contract.newProposal('put', { arguments: ['a', 'true'] }).endorse();
    const changed = tampered(river, endorsed, (action) => {
      const bytes = Buffer.from(action.getProposalResponsePayload_asU8());
      bytes.write('lies', bytes.indexOf('true'));
      action.setProposalResponsePayload(bytes);
    });
    expect((await (await changed.submit()).getStatus()).code).toBe(StatusCode.ENDORSEMENT_POLICY_FAILURE);
    expect(await read('get', 'a')).toBe('');
  });

  it('a transaction submitted twice counts once: DUPLICATE_TXID', async () => {
    const endorsed = await river.contract.newProposal('put', { arguments: ['a', 'b'] }).endorse();
    const first = await endorsed.submit();
    const height = Number((await first.getStatus()).blockNumber) + 1;
    const again = await river.gateway.newTransaction(endorsed.getBytes()).submit();
    expect((await again.getStatus()).code).toBe(StatusCode.VALID);
    const blocks = await river.network.getBlockEvents({ startBlock: BigInt(height) });
    for await (const block of blocks) {
      expect([...(block.getMetadata()?.getMetadataList_asU8()[2] ?? [])]).toEqual([StatusCode.DUPLICATE_TXID]);
      break;
    }
    blocks.close();
  });

  it('the rule can take all, any or a number of organisations', async () => {
    await ledger.close();
    const three = [...ORGANISATIONS, { mspId: 'SeaMSP', name: 'Sea (invented)' }];
    const any = await place.start({ organisations: three, endorsement: 'any' });
    const client = await place.client(any);
    await client.contract.submit('put', { arguments: ['a', '1'], endorsingOrganizations: ['SeaMSP'] });
    await any.close();
    const all = await place.client(await place.start({ organisations: three, endorsement: 'all' }));
    await all.contract.submitTransaction('put', 'a', '2');
    const error = await refusal(all.contract.submit('put', { arguments: ['a', '3'], endorsingOrganizations: ['SeaMSP', 'HillMSP'] }));
    expect(error.message).toContain('ENDORSEMENT_POLICY_FAILURE');
  });
});

describe('stub calls', () => {
  it('tell who calls, when, with what', async () => {
    const proposal = river.contract.newProposal('about', { arguments: [Buffer.from([0xff, 0x00, 0xfe])], transientData: { secret: '密' } });
    const about = JSON.parse(text(await proposal.evaluate())) as Record<string, unknown>;
    expect(about).toMatchObject({
      txId: proposal.getTransactionId(),
      channel: 'huilian',
      peer: 'RiverMSP',
      creator: 'RiverMSP',
      client: 'RiverMSP',
      nonce: 24,
      args: [Buffer.from('about').toString('hex'), 'ff00fe'],
      transient: '密',
    });
    expect(about['binding']).toMatch(/^[0-9a-f]{64}$/);
    expect(new Date(String(about['date'])).getTime()).toBeCloseTo(Number(about['seconds']) * 1000, -4);
  });

  it('getMspID is the endorsing organisation, so a contract that writes it is not deterministic', async () => {
    const hill = await place.client(ledger, 'HillMSP');
    expect(JSON.parse(text(await hill.contract.evaluateTransaction('about')))).toMatchObject({ peer: 'HillMSP' });
    const error = await refusal(hill.contract.submitTransaction('about'));
    expect(error.details[0]?.message).toContain('do not match');
  });

  it('ranges are in the order of bytes, exclude the end and leave composite keys out', async () => {
    for (const key of ['a', 'b', 'c', 'é', '丙', '\u{20000}', '\uff21']) await river.contract.submitTransaction('put', key, '1');
    await river.contract.submitTransaction('putComposite', 'type', 'x', 'y', '1');
    expect(await read('list', 'a', 'c')).toBe('["a=1","b=1"]');
    expect(await read('list', '', '')).toBe(JSON.stringify(['a', 'b', 'c', 'é', '丙', '\uff21', '\u{20000}'].map((key) => `${key}=1`)));
  });

  it('pages say where to go on', async () => {
    for (const key of ['k1', 'k2', 'k3', 'k4', 'k5']) await river.contract.submitTransaction('put', key, '1');
    expect(await read('page', 'k', 'l', '2', '')).toBe('{"keys":["k1","k2"],"bookmark":"k3","count":2}');
    expect(await read('page', 'k', 'l', '2', 'k3')).toBe('{"keys":["k3","k4"],"bookmark":"k5","count":2}');
    expect(await read('page', 'k', 'l', '2', 'k5')).toBe('{"keys":["k5"],"bookmark":"","count":1}');
  });

  it('paging and writing exclude each other, as on Fabric', async () => {
    expect((await refusal(river.contract.submitTransaction('pageThenPut'))).details[0]?.message).toContain('paginated');
  });

  it('composite keys are found by their first parts, and in pages', async () => {
    for (const [first, second] of [['x', '1'], ['x', '2'], ['xy', '3']] as const) await river.contract.submitTransaction('putComposite', 'kind', first, second, second);
    expect(await read('listComposite', 'kind', 'x')).toBe('["x/1=1","x/2=2"]');
    expect(await read('pageComposite', 'kind', '2', '')).toBe('{"found":["x/1","x/2"],"more":true}');
  });

  it('history is newest first, with deletions', async () => {
    await river.contract.submitTransaction('put', 'h', 'one');
    await river.contract.submitTransaction('put', 'h2', 'other');
    await river.contract.submitTransaction('remove', 'h');
    await river.contract.submitTransaction('put', 'h', 'two');
    const changes = JSON.parse(await read('history', 'h')) as { value: string; isDelete: boolean; dated: boolean }[];
    expect(changes.map(({ value, isDelete, dated }) => [value, isDelete, dated])).toEqual([['two', false, true], ['', true, true], ['one', false, true]]);
  });
});

describe('contracts from a module', () => {
  it('are found as Fabric finds them, and several chaincodes keep their states apart', async () => {
    await ledger.close();
    const both = await place.start({ chaincodes: { notes: { contracts: [Notes] }, counter: { module: fileURLToPath(new URL('counter', import.meta.url)) } } });
    const client = await place.client(both);
    const counter = client.network.getContract('counter');
    await counter.submitTransaction('increase', 'a');
    await client.contract.submitTransaction('put', 'a', 'note');
    await counter.submitTransaction('increase', 'a');
    expect(text(await counter.evaluateTransaction('read', 'a'))).toBe('2');
    expect(text(await client.contract.evaluateTransaction('get', 'a'))).toBe('note');
    const metadata = JSON.parse(text(await counter.evaluateTransaction('org.hyperledger.fabric:GetMetadata'))) as { info: { title: string } };
    expect(metadata.info.title).toBe('counter-sample');
  });
});
