import { ProtocolError, type JsonObject } from '@huilian/protocol';
import type { IndexedRecord, ReadModel } from '../indexing/read-model.js';
import type { RecordFilter } from '../indexing/record-places.js';
import { heldData } from '../vault/held-data.js';
import type { Vault } from '../vault/vault.js';
import { byteOrderMark, csvLine } from './csv-lines.js';
import { cellText, columnValue, kindColumns, type KindColumn } from './kind-columns.js';

export interface ExportOrder {
  readonly format: 'csv' | 'ndjson';
  /** Headers of all centres, or with them the payloads of this one. */
  readonly content: 'headers' | 'payloads';
  readonly filter: RecordFilter;
  /** CSV only: with a byte order mark, for spreadsheets. */
  readonly bom: boolean;
  /** With the personal fields of payloads. */
  readonly personal: boolean;
}

export interface ExportParts {
  readonly memberId: string;
  readonly readModel: ReadModel;
  readonly vault: Vault;
}

/** What became of an own payload. */
type PayloadStanding = 'erased' | 'held' | 'missing' | 'none';

interface ExportedPayload {
  readonly standing: PayloadStanding;
  readonly data: JsonObject;
}

const recordsAtOnce = 200;
const headerColumns = ['recordId', 'publisher', 'kind', 'schema', 'version', 'status', 'contested', 'rights', 'subject', 'owner', 'publishedAt', 'batch', 'index', 'digest'] as const;

/**
 * Records as the ledger showed them when the export began, newest first: text in pieces, each of some records, made as they are
 * asked for. What is not written yet takes no memory. @throws BAD_FIELD {path: /kind} for a table of payloads without a kind
 */
export async function exportRecords(parts: ExportParts, order: ExportOrder): Promise<AsyncGenerator<string>> {
  const { content, filter, format, personal } = order;
  const ofPayloads = content === 'payloads';
  if (ofPayloads && format === 'csv' && filter.kind === undefined) throw new ProtocolError('BAD_FIELD', { path: '/kind', reason: 'a table has the columns of one kind' });
  const all = ofPayloads && filter.kind !== undefined ? await kindColumns(parts.readModel, filter.kind) : [];
  const columns = all.filter((column) => personal || !column.personal);
  const whole = { ...order, filter: ofPayloads ? { ...filter, publisher: parts.memberId } : filter };
  return format === 'csv' ? csv(parts, whole, columns) : ndjson(parts, whole);
}

async function* csv(parts: ExportParts, order: ExportOrder, columns: readonly KindColumn[]): AsyncGenerator<string> {
  const ofPayloads = order.content === 'payloads';
  const names = [...headerColumns, ...(ofPayloads ? ['payload', ...columns.map(({ path }) => path)] : [])];
  yield `${order.bom ? byteOrderMark : ''}${csvLine(names)}`;
  for await (const records of pages(parts.readModel, order.filter)) {
    yield records.map((record) => {
      const header = headerCells(record);
      if (!ofPayloads) return csvLine(header);
      const { data, standing } = payloadOf(parts.vault, record);
      return csvLine([...header, standing, ...columns.map(({ path }) => cellText(columnValue(data, path)))]);
    }).join('');
  }
}

async function* ndjson(parts: ExportParts, order: ExportOrder): AsyncGenerator<string> {
  const personal = new Map<string, ReadonlySet<string>>();
  for await (const records of pages(parts.readModel, order.filter)) {
    if (order.content === 'payloads') {
      for (const { kind } of records.map(({ header }) => header)) {
        if (!personal.has(kind)) personal.set(kind, new Set((await kindColumns(parts.readModel, kind)).flatMap((column) => (column.personal ? [column.path] : []))));
      }
    }
    yield records.map((record) => `${JSON.stringify(lineOf(parts.vault, order, record, personal.get(record.header.kind)))}\n`).join('');
  }
}

function lineOf(vault: Vault, { content, personal: withPersonal }: ExportOrder, record: IndexedRecord, personal: ReadonlySet<string> = new Set()): object {
  const { contested, header, index, publishedAt, recordId, seq } = record;
  const line = { recordId, ...header, contested, publishedAt: isoTime(publishedAt), batch: seq, index };
  if (content === 'headers') return line;
  const { data, standing } = payloadOf(vault, record);
  return { ...line, payload: standing, data: withPersonal ? data : withoutPaths(data, personal) };
}

/** Pages of records as they were when the first is asked for. */
async function* pages(readModel: ReadModel, filter: RecordFilter): AsyncGenerator<readonly IndexedRecord[]> {
  const asOf = readModel.height();
  let cursor: string | undefined;
  do {
    const page = await readModel.records({ ...filter, asOf, limit: recordsAtOnce, ...(cursor === undefined ? {} : { cursor }) });
    if (page.items.length > 0) yield page.items;
    ({ cursor } = page);
  } while (cursor !== undefined);
}

function headerCells({ contested, header, index, publishedAt, recordId, seq }: IndexedRecord): string[] {
  const publisher = recordId.split('/')[0] ?? '';
  return [recordId, publisher, header.kind, String(header.schema), String(header.version), header.status, String(contested), header.rights, header.subject, header.owner ?? '', isoTime(publishedAt), String(seq), String(index), header.digest];
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** A revoked version carries no data. */
function payloadOf(vault: Vault, { header, recordId }: IndexedRecord): ExportedPayload {
  if (header.status === 'revoked') return { standing: 'none', data: {} };
  try {
    return { standing: 'held', data: heldData(vault.open(recordId, header.version)) };
  } catch (error) {
    const code = error instanceof ProtocolError ? error.code : undefined;
    if (code !== 'ERASED' && code !== 'PAYLOAD_MISSING') throw error;
    return { standing: code === 'ERASED' ? 'erased' : 'missing', data: {} };
  }
}

function withoutPaths(data: JsonObject, paths: ReadonlySet<string>): JsonObject {
  const kept = Object.entries(data).filter(([claim]) => !paths.has(claim));
  return Object.fromEntries(kept.map(([claim, value]) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return [claim, value];
    return [claim, Object.fromEntries(Object.entries(value).filter(([field]) => !paths.has(`${claim}.${field}`)))];
  }));
}
