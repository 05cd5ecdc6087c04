import path from 'node:path';
import type { ProtocolError } from '@huilian/protocol';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import { openKeys } from '../src/adapters/keys/node-keys.js';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { MarkFile } from '../src/adapters/level/mark-file.js';
import { TemporaryRows } from '../src/adapters/rows/temporary-rows.js';
import { systemClock as clock } from '../src/adapters/system/system-clock.js';
import { systemRandom as random } from '../src/adapters/system/system-random.js';
import { CountRecords } from '../src/core/columns/count-records.js';
import { headerRowBytes } from '../src/core/columns/header-rows.js';
import { EraseData } from '../src/core/erasure/erase-data.js';
import { LedgerFollower } from '../src/core/indexing/follow-ledger.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import type { LineExaminer } from '../src/core/intake/examine-line.js';
import { Intake } from '../src/core/intake/intake.js';
import type { IntakeAnswer } from '../src/core/intake/intake-answer.js';
import { HeldMappings } from '../src/core/mapping/held-mappings.js';
import { Outbox } from '../src/core/outbox/outbox.js';
import { BatchSender } from '../src/core/outbox/send-batches.js';
import type { Keys, Ledger, Store, VaultKeys } from '../src/core/ports.js';
import { Vault } from '../src/core/vault/vault.js';

export interface PublishingOptions {
  readonly stateDir: string;
  readonly connectionFile: string;
  readonly maxHeaders?: number;
  readonly maxWaitMilliseconds?: number;
  /** Made for the node's own keys. */
  readonly examiner?: (keys: Keys) => LineExaminer;
  /** Stands in front of the real ledger. */
  readonly wrapLedger?: (ledger: Ledger) => Ledger;
  /** Stands in front of the real store. */
  readonly wrapStore?: (store: Store) => Store;
  /** Stands in front of the real key file. */
  readonly wrapVaultKeys?: (keys: VaultKeys) => VaultKeys;
  readonly vaultKeyCopy?: string;
}

/** The publishing half of a node, with real parts: keys, level, Fabric client. */
export class PublishingNode {
  private constructor(
    public readonly alarms: readonly ProtocolError[],
    public readonly store: Store,
    public readonly ledger: Ledger,
    public readonly readModel: ReadModel,
    public readonly vault: Vault,
    public readonly outbox: Outbox,
    public readonly index: LedgerIndex,
    public readonly follower: LedgerFollower,
    public readonly sender: BatchSender,
    public readonly intake: Intake,
    public readonly erasing: EraseData,
    public readonly mappings: HeldMappings,
    /** Starts when a test starts it. */
    public readonly counting: CountRecords,
    private readonly closing: readonly (() => Promise<void>)[],
  ) {}

  public static async open({ connectionFile, examiner, maxHeaders = 1000, maxWaitMilliseconds = 20, stateDir, wrapLedger = (ledger) => ledger, vaultKeyCopy, wrapStore = (store) => store, wrapVaultKeys = (keys) => keys }: PublishingOptions): Promise<PublishingNode> {
    const alarms: ProtocolError[] = [];
    const onAlarm = (error: ProtocolError): void => {
      alarms.push(error);
    };
    const keys = await openKeys(stateDir, vaultKeyCopy);
    const store = wrapStore(await LevelStore.open(path.join(stateDir, 'data'), { diskFloorBytes: 0 }));
    const mark = await MarkFile.open(path.join(stateDir, 'outbox.hwm'));
    const ledger = wrapLedger(await GatewayLedger.open(connectionFile, 'huilian'));
    const readModel = new ReadModel(store);
    const vault = new Vault(store, wrapVaultKeys(keys.vaultKeys), random, keys.memberId);
    const outbox = await Outbox.open({ clock, mark, maxHeaders, onAlarm, publisher: keys.memberId, readModel, store, vault });
    const counting = new CountRecords({ clock, file: TemporaryRows.open(path.join(stateDir, 'headers.tmp'), headerRowBytes), memberId: keys.memberId, readModel, startAfter: 0, store, vault });
    const erasing = new EraseData({ clock, memberId: keys.memberId, onErased: (recordIds) => { counting.forget(recordIds); }, outbox, readModel, store, vault });
    await erasing.finish();
    const index = new LedgerIndex(store, readModel, outbox, counting.index);
    const follower = new LedgerFollower({ clock, index, ledger, onAlarm, random, readModel });
    const sender = new BatchSender({ clock, inFlight: 4, ledger, maxHeaders, maxWaitMilliseconds, onAlarm, outbox, random, readModel });
    const mappings = await HeldMappings.open(store, clock);
    const intake = new Intake({ clock, ...(examiner === undefined ? {} : { examiner: examiner(keys) }), keys, mappings, outbox, random, readModel, store, vault });
    const closing = [
      async (): Promise<void> => { await counting.stop(); },
      async (): Promise<void> => { await sender.stop(); },
      async (): Promise<void> => { await follower.stop(); },
      async (): Promise<void> => { await ledger.close(); },
      async (): Promise<void> => { await store.close(); },
      async (): Promise<void> => { await mark.close(); },
      async (): Promise<void> => { await keys.close(); },
    ];
    return new PublishingNode(alarms, store, ledger, readModel, vault, outbox, index, follower, sender, intake, erasing, mappings, counting, closing);
  }

  public start(): void {
    this.follower.start();
    this.sender.start();
  }

  public async publish(lines: AsyncIterable<string | Uint8Array>): Promise<IntakeAnswer[]> {
    const answers: IntakeAnswer[] = [];
    await this.intake.accept(lines, (group) => { answers.push(...group); });
    return answers;
  }

  public async drained(milliseconds = 20_000): Promise<void> {
    await this.outbox.whenDrained(AbortSignal.timeout(milliseconds));
  }

  public async close(): Promise<void> {
    for (const close of this.closing) await close();
  }
}
