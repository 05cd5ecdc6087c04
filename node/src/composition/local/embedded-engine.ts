import { createRequire } from 'node:module';
import path from 'node:path';
import type { StaticAccess } from '../../adapters/cli/process-actions.js';
import { centres, organisationOf, type Layout } from './layout.js';
import type { EngineAddress, LedgerEngine } from './ledger-engine.js';
import { ManagedProcess } from './managed-process.js';
import type { Report } from './report.js';

/** The embedded ledger as a process of its own. */
export class EmbeddedEngine implements LedgerEngine {
  private process: ManagedProcess | undefined;

  public constructor(
    private readonly layout: Layout,
    private readonly report: Report,
  ) {}

  public async start(): Promise<void> {
    const contract = createRequire(import.meta.url).resolve('@huilian/chaincode');
    const organisations = centres.flatMap(({ id }) => ['--org', organisationOf(id)]);
    const args = ['ledger', 'start', '--dir', this.layout.ledger, '--contract', contract, ...organisations];
    this.process = await ManagedProcess.start('ledger', args, path.join(this.layout.logs, 'ledger.log'));
    this.report.step('内嵌账本已启动', 'the embedded ledger runs');
  }

  public async stop(): Promise<void> {
    await this.process?.stop();
  }

  public connection(centre: string): string {
    return path.join(this.layout.ledger, 'connections', `${organisationOf(centre)}.json`);
  }

  public network(centre: string): StaticAccess {
    const organisation = organisationOf(centre);
    return {
      channel: 'huilian',
      identity: 'user',
      profile: path.join(this.layout.ledger, 'connections', `${organisation}-profile.json`),
      wallet: path.join(this.layout.ledger, 'wallets', organisation),
    };
  }

  public caCertificate(centre: string): string {
    return path.join(this.layout.ledger, 'ca', organisationOf(centre), 'ca.pem');
  }

  public addresses(): readonly EngineAddress[] {
    return this.process === undefined ? [] : [{ name: 'ledger', address: this.process.ready['address'] ?? '', pid: this.process.pid }];
  }
}
