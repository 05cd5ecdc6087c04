import { bundledKinds, ProtocolError } from '@huilian/protocol';
import type { SourcesConfig } from '../config/source-config.js';
import type { Clock, Random, Store } from '../core/ports.js';
import { SyncJobs, type JobSettings, type RunRecord } from '../core/sync/sync-jobs.js';
import type { RowDoor } from '../core/sync/sync-run.js';
import { errorFields, type Logger } from '../observability/logger.js';
import { openSource } from './open-source.js';

export interface SyncCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly logger: Logger;
  readonly door: RowDoor;
  onRun(run: RunRecord): void;
  /** The sources as huilian.json has them now. @throws CONFIG_INVALID */
  reload(): SourcesConfig;
}

/** The runs of the configured sources. Files count for the kind that their names say where the settings do not. */
export function syncJobsOf(configured: SourcesConfig, { logger, onRun, reload, ...core }: SyncCore): SyncJobs {
  const kinds = (): readonly string[] => [...new Set(bundledKinds().map(({ kind }) => kind))];
  let sources = configured;
  return new SyncJobs({
    ...core,
    onFault: (source, error) => { logger.warn('a source cannot be read', { source, ...errorFields(error) }); },
    onRun: (run) => {
      onRun(run);
      tell(logger, run);
    },
    open: (name) => {
      const config = sources[name];
      if (config === undefined) throw new ProtocolError('SOURCE_UNKNOWN');
      return openSource(name, config, kinds);
    },
    reload: () => {
      sources = reload();
      return settingsOf(sources);
    },
    settings: settingsOf(sources),
  });
}

function settingsOf(sources: SourcesConfig): JobSettings[] {
  return Object.entries(sources).map(([name, config]) => {
    const { everyMinutes, kind, mapping, mostRefused, rights, schema, type } = config;
    return {
      everyMinutes, fingerprint: JSON.stringify(config), mostRefused, name, type,
      ...(kind === undefined ? {} : { kind }), ...(mapping === undefined ? {} : { mapping }), ...(rights === undefined ? {} : { rights }), ...(schema === undefined ? {} : { schema }),
    };
  });
}

/** Counts and codes only: what a row holds is no matter of the log. */
function tell(logger: Logger, { accepted, dryRun, error, refused, rows, run, source, state, unchanged }: RunRecord): void {
  const fields = { source, run, state, rows, accepted, unchanged, refused, ...(dryRun ? { dryRun } : {}), ...(error === undefined ? {} : { code: error.code }) };
  if (error !== undefined) logger.warn('a run of a source failed', fields);
  else if (rows > 0) logger.info('a run of a source ended', fields);
}
