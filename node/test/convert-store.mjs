// Opens the store of a folder, which converts it; says so once the backup is there. Killed by its test.
import { openStore } from '../dist/composition/open-store.js';

const [folder] = process.argv.slice(2);
await openStore(folder, { memberId: 'river', diskFloorBytes: 0, backups: { everyHours: 0, keep: 1 } }, { onConverted: () => { process.stdout.write('backed up\n'); } });
