// Writes sdk/protocol/mappings/mapping-1.schema.json, for editors: node sdk/protocol/scripts/make-mapping-schema.mjs (after a build).
import { writeFileSync } from 'node:fs';
import { mappingSchema } from '@huilian/protocol';

writeFileSync(new URL('../mappings/mapping-1.schema.json', import.meta.url), `${JSON.stringify(mappingSchema(), undefined, 1)}\n`);
