// Writes to a store until the system refuses a write, tries once more, and prints what happened.
process.on('SIGXFSZ', () => undefined);
const { LevelStore } = await import('../dist/adapters/level/level-store.js');
const [folder = ''] = process.argv.slice(2);
let failures = 0;
const store = await LevelStore.open(folder, { diskFloorBytes: 0, onFailure: () => (failures += 1) });
/** @param {number} at */
const attempt = async (at) => {
  try {
    await store.write([{ key: `k${at}`, value: new Uint8Array(1000).fill(at) }]);
    return '';
  } catch (error) {
    return /** @type {{code: string}} */ (error).code;
  }
};
let answered = 0;
let first = '';
for (; first === '' && answered < 10_000; answered += 1) first = await attempt(answered);
answered -= 1;
const second = await attempt(answered + 1);
process.stdout.write(JSON.stringify({ answered, first, second, failures }));
process.exit(0);
