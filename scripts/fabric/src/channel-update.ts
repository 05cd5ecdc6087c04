import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { OrganisationFiles } from './identities.js';
import type { FabricNetwork } from './network.js';
import { ordererFlags } from './peers.js';
import { channelName, networkConfig } from './profile.js';
import { run } from './run.js';

/** A group of the channel's configuration as configtxlator writes it. */
export interface ConfigGroup {
  readonly groups: Record<string, ConfigGroup>;
  readonly values: Record<string, { mod_policy: string; value: Record<string, unknown>; version?: string }>;
}

interface Config {
  readonly channel_group: ConfigGroup;
}

type Section = 'Application' | 'Orderer';

/** An administrator whose signature counts: of a centre, or of an ordering organisation. */
interface Administrator {
  readonly mspId: string;
  readonly msp: string;
}

/**
 * Changes the channel's configuration: takes the one in force, lets `edit` change it, has enough administrators sign the
 * difference and sends it. `leaving` is an organisation whose own signature is not asked for. Answers false when there was nothing to change, so that a repeated command is harmless.
 * @throws FabricError COMMAND_FAILED with what the ordering service said
 */
export async function updateChannel(network: FabricNetwork, stage: string, section: Section, edit: (section: ConfigGroup) => void, leaving?: string): Promise<boolean> {
  const work = network.folder.at('updates', `${section}-${String(Date.now())}`);
  mkdirSync(work, { recursive: true, mode: 0o700 });
  try {
    return await applyUpdate(new ChannelUpdate(network, stage, work, leaving), section, edit);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function applyUpdate(update: ChannelUpdate, section: Section, edit: (section: ConfigGroup) => void): Promise<boolean> {
  const before = await update.current();
  const after = structuredClone(before);
  const group = after.channel_group.groups[section];
  if (group === undefined) return false;
  edit(group);
  if (JSON.stringify(before) === JSON.stringify(after)) return false;
  await update.send(before, after, update.administrators(section, Object.keys(before.channel_group.groups[section]?.groups ?? {})));
  return true;
}

class ChannelUpdate {
  private readonly orderer: readonly string[];

  public constructor(
    private readonly network: FabricNetwork,
    private readonly stage: string,
    private readonly work: string,
    private readonly leaving: string | undefined,
  ) {
    const orderer = network.plan.orderers.find(({ name }) => network.processes.pid(name) !== undefined);
    this.orderer = orderer === undefined ? [] : ordererFlags(network.folder, orderer);
  }

  /** A majority of the section's members in force; one that is being put out counts but is not asked. */
  public administrators(section: Section, members: readonly string[]): Administrator[] {
    const { folder, plan } = this.network;
    const all =
      section === 'Application'
        ? plan.centres.map(({ domain, mspId }) => ({ mspId, msp: new OrganisationFiles(folder, domain, 'peer').adminMsp }))
        : plan.orderers.map(({ domain, mspId }) => ({ mspId, msp: new OrganisationFiles(folder, domain, 'orderer').adminMsp }));
    const asked = all.filter(({ mspId }) => members.includes(mspId) && mspId !== this.leaving);
    return asked.slice(0, Math.floor(members.length / 2) + 1);
  }

  public async current(): Promise<Config> {
    const [first] = this.administrators('Application', this.network.plan.centres.filter(({ inChannel }) => inChannel).map(({ mspId }) => mspId));
    const block = this.file('config.block');
    await this.peer(first, ['channel', 'fetch', 'config', block, '-c', channelName, ...this.orderer]);
    const decoded = (await this.decode(block, 'common.Block')) as { data: { data: readonly { payload: { data: { config: Config } } }[] } };
    const config = decoded.data.data[0]?.payload.data.config;
    if (config === undefined) throw new Error('a configuration block without a configuration');
    return config;
  }

  public async send(before: Config, after: Config, administrators: readonly Administrator[]): Promise<void> {
    const [original, updated, difference, envelope] = ['original.pb', 'updated.pb', 'difference.pb', 'envelope.pb'].map((name) => this.file(name)) as [string, string, string, string];
    await this.encode(before, 'common.Config', original);
    await this.encode(after, 'common.Config', updated);
    await this.translate(['compute_update', '--channel_id', channelName, '--original', original, '--updated', updated, '--output', difference]);
    const update = await this.decode(difference, 'common.ConfigUpdate');
    await this.encode({ payload: { header: { channel_header: { channel_id: channelName, type: 2 } }, data: { config_update: update } } }, 'common.Envelope', envelope);
    // The sender's own signature counts too; the others sign first.
    const [sender, ...others] = administrators;
    for (const each of others) await this.peer(each, ['channel', 'signconfigtx', '-f', envelope]);
    await this.peer(sender, ['channel', 'update', '-f', envelope, '-c', channelName, ...this.orderer]);
  }

  private file(name: string): string {
    return path.join(this.work, name);
  }

  private async decode(file: string, type: string): Promise<unknown> {
    const output = `${file}.json`;
    await this.translate(['proto_decode', '--type', type, '--input', file, '--output', output]);
    return JSON.parse(readFileSync(output, 'utf8'));
  }

  private async encode(value: unknown, type: string, file: string): Promise<void> {
    writeFileSync(`${file}.in.json`, JSON.stringify(value));
    await this.translate(['proto_encode', '--type', type, '--input', `${file}.in.json`, '--output', file]);
  }

  private async translate(args: readonly string[]): Promise<void> {
    await run(this.stage, this.network.binaries.path.configtxlator, args);
  }

  private async peer(administrator: Administrator | undefined, args: readonly string[]): Promise<void> {
    const env = { FABRIC_CFG_PATH: networkConfig, FABRIC_LOGGING_SPEC: 'error', CORE_PEER_LOCALMSPID: administrator?.mspId ?? '', CORE_PEER_MSPCONFIGPATH: administrator?.msp ?? '' };
    await run(`${this.stage} (${administrator?.mspId ?? ''})`, this.network.binaries.path.peer, args, { env });
  }
}
