// Follows the read model of a stopped node's data into a database until it is killed: node follow-until-killed.mjs FOLDER CONNECTION
import { LevelStore } from '../dist/adapters/level/level-store.js';
import { PostgresqlMirror } from '../dist/adapters/postgresql/postgresql-mirror.js';
import { openKeys } from '../dist/adapters/keys/node-keys.js';
import { systemClock as clock } from '../dist/adapters/system/system-clock.js';
import { systemRandom as random } from '../dist/adapters/system/system-random.js';
import { ReadModel } from '../dist/core/indexing/read-model.js';
import { Mirror } from '../dist/core/mirror/mirror.js';
import { MirrorTables } from '../dist/core/mirror/mirror-tables.js';
import { Vault } from '../dist/core/vault/vault.js';

const [folder, connectionString, rebuild] = process.argv.slice(2);
const keys = await openKeys(folder);
const store = await LevelStore.open(`${folder}/data`, { diskFloorBytes: 0 });
const readModel = new ReadModel(store);
const vault = new Vault(store, keys.vaultKeys, random, keys.memberId);
const database = new PostgresqlMirror({ connectionString, memberId: keys.memberId, schema: 'huilian' });
const mirror = new Mirror({ clock, database, memberId: keys.memberId, onProblem: () => undefined, random, readModel, rowsOfStep: 40, tables: new MirrorTables(readModel, []), vault });
mirror.start();
if (rebuild === 'rebuild') mirror.rebuild();
// Its parent ends it between two steps, or in the middle of one.
let before = '';
setInterval(() => {
  const { block, blocksBehind, rebuilding, state } = mirror.status();
  const now = `${String(block)} ${String(rebuilding?.block ?? '')}`;
  if (now !== before) process.send?.('step');
  before = now;
  if (state === 'following' && blocksBehind === 0 && rebuilding === undefined) process.exit(0);
}, 2);
