// The publishing half of a node on a state folder: takes lines in without end, in streams of 40, and prints every receipt
// with the records it covers. Somebody kills it.
import path from 'node:path';
import { GatewayLedger } from '../dist/adapters/fabric/gateway-ledger.js';
import { openKeys } from '../dist/adapters/keys/node-keys.js';
import { LevelStore } from '../dist/adapters/level/level-store.js';
import { MarkFile } from '../dist/adapters/level/mark-file.js';
import { systemClock as clock } from '../dist/adapters/system/system-clock.js';
import { systemRandom as random } from '../dist/adapters/system/system-random.js';
import { LedgerFollower } from '../dist/core/indexing/follow-ledger.js';
import { LedgerIndex } from '../dist/core/indexing/ledger-index.js';
import { ReadModel } from '../dist/core/indexing/read-model.js';
import { Intake } from '../dist/core/intake/intake.js';
import { HeldMappings } from '../dist/core/mapping/held-mappings.js';
import { Outbox } from '../dist/core/outbox/outbox.js';
import { BatchSender } from '../dist/core/outbox/send-batches.js';
import { Vault } from '../dist/core/vault/vault.js';

const [stateDir = '', connectionFile = '', first = '0', height = '0'] = process.argv.slice(2);
/** @param {import('@huilian/protocol').ProtocolError} error */
const onAlarm = (error) => void process.stderr.write(`${error.message}\n`);
const keys = await openKeys(stateDir);
const store = await LevelStore.open(path.join(stateDir, 'data'), { diskFloorBytes: 0 });
const mark = await MarkFile.open(path.join(stateDir, 'outbox.hwm'));
const ledger = await GatewayLedger.open(connectionFile, 'huilian');
const readModel = new ReadModel(store);
const vault = new Vault(store, keys.vaultKeys, random, keys.memberId);
const outbox = await Outbox.open({ clock, mark, maxHeaders: 64, onAlarm, publisher: keys.memberId, readModel, store, vault });
const index = new LedgerIndex(store, readModel, outbox);
const follower = new LedgerFollower({ clock, index, ledger, onAlarm, random, readModel });
const sender = new BatchSender({ clock, inFlight: 4, ledger, maxHeaders: 64, maxWaitMilliseconds: 5, onAlarm, outbox, random, readModel });
const mappings = await HeldMappings.open(store, clock);
const intake = new Intake({ clock, keys, mappings, outbox, random, readModel, store, vault });
follower.start();
sender.start();
// The schema must be known before a line can be judged.
await readModel.whenHeight(Number(height));

/** @param {number} from */
async function* lines(from) {
  for (let at = from; at < from + 40; at += 1) {
    const data = {
      holder: { uscc: '91440105MA6NNHC07C', name: '广州溪午示例园林有限公司' },
      qualification: { name: '机电工程施工总承包', type: 'A10102', level: '03' },
      certificate: { number: `D44010501${String(at).padStart(6, '0')}`, issued: '2020-07-02', end: '2028-06-26', issuer: '示例住房和城乡建设部门' },
    };
    yield `${JSON.stringify({ kind: 'qualification', data })}\n`;
  }
}
for (let at = Number(first); ; at += 40) {
  /** @type {string[]} */
  let records = [];
  await intake.accept(lines(at), (answers) => {
    for (const answer of answers) {
      if ('recordId' in answer) records.push(answer.recordId);
      if (!('acknowledged' in answer)) continue;
      process.stdout.write(`${JSON.stringify({ next: at + 40, records })}\n`);
      records = [];
    }
  });
}
