import { FileSource } from '../adapters/sources/file-source.js';
import { FolderSource } from '../adapters/sources/folder-source.js';
import { HttpSource } from '../adapters/sources/http-source.js';
import { PostgresqlSource } from '../adapters/sources/postgresql-source.js';
import type { SourceConfig } from '../config/source-config.js';
import type { Source } from '../core/sync/source.js';

/** The reader of a configured source. Nothing is opened before it is read. */
export function openSource(name: string, config: SourceConfig, kinds: () => readonly string[]): Source {
  switch (config.type) {
    case 'file':
      return new FileSource(config.path, kinds);
    case 'folder':
      return new FolderSource(config, kinds);
    case 'http':
      return new HttpSource({ ...config, name });
    case 'postgresql':
      return new PostgresqlSource({ ...config, name });
  }
}
