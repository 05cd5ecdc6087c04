import { updateChannel } from './channel-update.js';
import type { FabricNetwork } from './network.js';
import { readBatching } from './profile.js';

/** Changes how the running channel cuts blocks, by a configuration update that a majority of the ordering organisations sign. */
export async function changeBatching(network: FabricNetwork, name: string): Promise<boolean> {
  const { batchTimeout, maxMessageCount, preferredMaxBytes, absoluteMaxBytes } = readBatching(name);
  network.progress.step(`configuration update: batching ${name}`, `通道配置更新：批次配置 ${name}`);
  const changed = await updateChannel(network, 'change the batching', 'Orderer', ({ values }) => {
    const [timeout, size] = [values['BatchTimeout'], values['BatchSize']];
    if (timeout !== undefined) timeout.value['timeout'] = batchTimeout;
    if (size !== undefined) Object.assign(size.value, { max_message_count: maxMessageCount, preferred_max_bytes: preferredMaxBytes, absolute_max_bytes: absoluteMaxBytes });
  });
  network.change({ ...network.plan, profile: { ...network.plan.profile, batching: name } });
  return changed;
}
