import { readFileSync } from 'node:fs';
import { ProtocolError } from '@huilian/protocol';
import type { NodeConfig } from '../config/config.js';
import { MirrorTables } from '../core/mirror/mirror-tables.js';
import { Mirror, type MirrorParts } from '../core/mirror/mirror.js';

/** The mirror that the configuration names; its code is loaded only then. @throws CONFIG_INVALID where the connection's file cannot be read */
export async function openMirror({ memberId, mirror }: NodeConfig, parts: Omit<MirrorParts, 'database' | 'tables'>): Promise<Mirror | undefined> {
  if (mirror === undefined) return undefined;
  const { PostgresqlMirror } = await import('../adapters/postgresql/postgresql-mirror.js');
  const database = new PostgresqlMirror({ connectionString: readConnection(mirror.connectionFile), memberId, schema: mirror.schema });
  return new Mirror({ ...parts, database, tables: new MirrorTables(parts.readModel, mirror.personal) });
}

function readConnection(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new ProtocolError('CONFIG_INVALID', { path: '/mirror/connectionFile', reason: 'not-readable' });
  }
}
