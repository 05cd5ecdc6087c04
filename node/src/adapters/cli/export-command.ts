import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { Command, Option } from './declared-commands.js';
import { stateFolder, type CommandResult } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { RecordFilterCommand, type RecordFilterOptions } from './record-filter-command.js';

interface ExportOptions extends RecordFilterOptions {
  readonly bom?: boolean;
  readonly format?: string;
  readonly payloads?: boolean;
  readonly personal?: boolean;
  readonly status?: string;
}

@Command({
  name: 'export',
  arguments: '[file]',
  description:
    'export records as CSV or NDJSON into FILE or to standard output: headers, or with --payloads this centre’s own data / 导出记录。Example: huilian export headers.csv --kind credit; huilian export performance.csv --kind performance --payloads --bom; huilian export --format ndjson --status revoked',
})
export class ExportCommand extends RecordFilterCommand<ExportOptions> {
  protected async act([file]: readonly string[], options: ExportOptions): Promise<CommandResult> {
    if (file === undefined && options.json === true) throw new ProtocolError('BAD_FIELD', { path: '--json', reason: 'needs a file: standard output is the export itself' });
    const pieces = await NodeApi.open(stateFolder(options)).bytes(`/v1/export${options.payloads === true ? '/payloads' : ''}?${queryOf(file, options).toString()}`);
    if (file === undefined) {
      for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
      return { json: {}, text: '' };
    }
    const bytes = await writeWhole(path.resolve(file), pieces);
    return { json: { file: path.resolve(file), bytes }, text: `${file}: ${String(bytes)} bytes / 字节` };
  }

  @Option({ flags: '--format <format>', description: 'csv or ndjson (default: by the name of the file, else csv) / 格式' })
  public parseFormat(value: string): string {
    return value;
  }

  @Option({ flags: '--payloads', description: 'with the data of own records, without personal fields; a CSV needs --kind / 含本方数据' })
  public parsePayloads(): boolean {
    return true;
  }

  @Option({ flags: '--personal', description: 'with --payloads: personal fields too; keep the file where such data may lie / 含个人信息字段' })
  public parsePersonal(): boolean {
    return true;
  }

  @Option({ flags: '--bom', description: 'CSV for Excel: UTF-8 with a byte order mark / 便于 Excel 打开' })
  public parseBom(): boolean {
    return true;
  }

  @Option({ flags: '--status <status>', description: 'active, revoked or contested / 状态' })
  public parseStatus(value: string): string {
    return value;
  }
}

function queryOf(file: string | undefined, { bom, format, kind, owner, personal, publisher, status, subject }: ExportOptions): URLSearchParams {
  const byName = file?.endsWith('.ndjson') === true || file?.endsWith('.jsonl') === true ? 'ndjson' : 'csv';
  const asked = {
    format: format ?? byName, kind, owner, publisher, status, subject,
    ...(personal === true ? { personal: 'true' } : {}), ...(bom === true ? { bom: 'true' } : {}),
  };
  return new URLSearchParams(Object.entries(asked).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])));
}

/** The file is there when all of it is. Others may not read it: it can hold what is not public. @throws BAD_FIELD where it cannot be written */
async function writeWhole(file: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const part = `${file}.part`;
  try {
    const handle = await open(part, 'w', 0o600);
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        await handle.writeFile(piece);
        bytes += piece.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
    return bytes;
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('BAD_FIELD', { path: '<file>', reason: `cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}
