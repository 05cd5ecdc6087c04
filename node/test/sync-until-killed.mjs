// The publishing half of a node on a state folder, with one configured source: reads it, slowly, and prints each run that
// ended. Somebody kills it.
import path from 'node:path';
import { GatewayLedger } from '../dist/adapters/fabric/gateway-ledger.js';
import { openKeys } from '../dist/adapters/keys/node-keys.js';
import { LevelStore } from '../dist/adapters/level/level-store.js';
import { MarkFile } from '../dist/adapters/level/mark-file.js';
import { systemClock as clock } from '../dist/adapters/system/system-clock.js';
import { systemRandom as random } from '../dist/adapters/system/system-random.js';
import { answerStream } from '../dist/composition/answer-stream.js';
import { openSource } from '../dist/composition/open-source.js';
import { readSources } from '../dist/config/source-config.js';
import { LedgerFollower } from '../dist/core/indexing/follow-ledger.js';
import { LedgerIndex } from '../dist/core/indexing/ledger-index.js';
import { ReadModel } from '../dist/core/indexing/read-model.js';
import { Intake } from '../dist/core/intake/intake.js';
import { HeldMappings } from '../dist/core/mapping/held-mappings.js';
import { Outbox } from '../dist/core/outbox/outbox.js';
import { BatchSender } from '../dist/core/outbox/send-batches.js';
import { SyncJobs } from '../dist/core/sync/sync-jobs.js';
import { Vault } from '../dist/core/vault/vault.js';

const [stateDir = '', connectionFile = '', name = '', settings = '{}', pause = '0'] = process.argv.slice(2);
/** @param {import('@huilian/protocol').ProtocolError} error */
const onAlarm = (error) => void process.stderr.write(`${error.message}\n`);
const maxHeaders = 500;
const keys = await openKeys(stateDir);
const store = await LevelStore.open(path.join(stateDir, 'data'), { diskFloorBytes: 0 });
const mark = await MarkFile.open(path.join(stateDir, 'outbox.hwm'));
const ledger = await GatewayLedger.open(connectionFile, 'huilian');
const readModel = new ReadModel(store);
const vault = new Vault(store, keys.vaultKeys, random, keys.memberId);
const outbox = await Outbox.open({ clock, mark, maxHeaders, onAlarm, publisher: keys.memberId, readModel, store, vault });
const index = new LedgerIndex(store, readModel, outbox);
const follower = new LedgerFollower({ clock, index, ledger, onAlarm, random, readModel });
const sender = new BatchSender({ clock, inFlight: 4, ledger, maxHeaders, maxWaitMilliseconds: 5, onAlarm, outbox, random, readModel });
const mappings = await HeldMappings.open(store, clock);
const intake = new Intake({ clock, keys, mappings, outbox, random, readModel, store, vault });
follower.start();
sender.start();
// The schema must be known before a line can be judged.
await readModel.whenHeight(await ledger.height());

/** @param {AsyncIterable<Uint8Array>} lines */
async function* slowly(lines) {
  // On their way when the kill comes: read, and not acknowledged.
  for await (const chunk of lines) {
    await clock.sleep(Number(pause));
    yield chunk;
  }
}
const sources = readSources({ [name]: JSON.parse(settings) }, stateDir);
const jobs = new SyncJobs({
  clock, random, store,
  door: (lines, admission) => answerStream(intake, slowly(lines), admission, () => undefined),
  onFault: (_source, error) => { onAlarm(error); },
  onRun: (run) => void process.stdout.write(`${JSON.stringify(run)}\n`),
  open: () => openSource(name, /** @type {import('../dist/config/source-config.js').SourceConfig} */ (sources[name]), () => ['qualification']),
  // By the clock at once, so that what was cut off goes on by itself.
  settings: [{ everyMinutes: 1, kind: 'qualification', mostRefused: 50, name, type: 'file' }],
});
await jobs.start();
process.stdout.write('"begun"\n');
