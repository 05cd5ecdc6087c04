import { createRequire } from 'node:module';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A class that extends fabric-contract-api's Contract. */
export type ContractClass = new () => object;

/** Where a chaincode's contracts come from. */
export type ChaincodeSource = { readonly module: string } | { readonly contracts: readonly ContractClass[]; readonly title?: string; readonly version?: string };

export interface ChaincodeResponse {
  readonly status: number;
  readonly message?: string;
  readonly payload?: Uint8Array;
}

/** What this ledger uses of fabric-shim's stub. */
interface ChaincodeStub {
  getMspID(): string;
  bufferArgs: Buffer[];
  readonly chaincodeEvent?: { getEventName(): string; getPayload_asU8(): Uint8Array };
}

interface ChaincodeRunner {
  Invoke(stub: ChaincodeStub): Promise<ChaincodeResponse>;
  defaultContractName: string;
  readonly contractImplementations: Readonly<Record<string, unknown>>;
}

interface Serializers {
  readonly transaction: string;
  readonly serializers: Record<string, unknown>;
}

type RunnerClass = new (contracts: ContractClass[], serializers: Serializers, metadata: object, title: string, version: string) => ChaincodeRunner;
type StubClass = new (handler: object, channel: string, txId: string, input: { getArgsList_asU8(): readonly Uint8Array[] }, signedProposal: { getSignature(): Uint8Array; getProposalBytes(): Uint8Array }) => ChaincodeStub;

interface Shim {
  readonly Runner: RunnerClass;
  readonly Stub: StubClass;
  readonly serializer: unknown;
}

const PROCESS_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs a loader and takes back the process-wide crash handlers that fabric-contract-api and fabric-shim install: with
 * them a later crash of the host would be logged and end with exit code 0.
 */
async function withoutCrashHandlers<T>(load: () => T | Promise<T>): Promise<T> {
  const before = PROCESS_EVENTS.map((event) => process.listeners(event as 'uncaughtException'));
  try {
    return await load();
  } finally {
    PROCESS_EVENTS.forEach((event, index) => {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        if (!before[index]?.includes(listener)) process.removeListener(event, listener);
      }
    });
  }
}

interface ShimLogger {
  debug: () => void;
  info: () => void;
}

/** The loggers on the way of each call. At level CRITICAL they print nothing, yet format every message before they drop it. */
const HOT_LOGGERS = ['lib/stub.js', 'contracts-spi/chaincodefromcontract.js', 'contracts-spi/datamarshall.js'];

function quieten(getLogger: (name: string) => ShimLogger): void {
  if (process.env['CORE_CHAINCODE_LOGGING_LEVEL'] !== 'CRITICAL') return;
  for (const name of HOT_LOGGERS) Object.assign(getLogger(name), { debug: () => undefined, info: () => undefined });
}

let shim: Promise<Shim> | undefined;

/** fabric-shim, loaded when first needed; its inner files have no types and are pinned by the exact version. */
function loadShim(): Promise<Shim> {
  process.env['CORE_CHAINCODE_LOGGING_LEVEL'] ??= 'CRITICAL';
  shim ??= withoutCrashHandlers(() => {
    const load = createRequire(import.meta.url) as (id: string) => unknown;
    const loaded = {
      Runner: load('fabric-shim/lib/contract-spi/chaincodefromcontract.js') as RunnerClass,
      Stub: load('fabric-shim/lib/stub.js') as StubClass,
      serializer: (load('fabric-contract-api') as { JSONSerializer: unknown }).JSONSerializer,
    };
    quieten((load('fabric-shim/lib/logger.js') as { getLogger: (name: string) => ShimLogger }).getLogger);
    return loaded;
  });
  return shim;
}

interface ChaincodeParts {
  readonly contracts: readonly ContractClass[];
  readonly serializers: Serializers | undefined;
  readonly metadata: object;
  readonly title: string;
  readonly version: string;
}

interface ContractModule {
  readonly contracts?: readonly ContractClass[];
  readonly serializers?: Serializers;
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The folder of the nearest package.json at or above a file. */
async function packageFolder(file: string): Promise<string | undefined> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (await readJson(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

async function locate(path: string): Promise<{ readonly entry: string; readonly folder: string | undefined }> {
  const absolute = resolve(path);
  if ((await stat(absolute)).isFile()) return { entry: absolute, folder: await packageFolder(absolute) };
  const manifest = await readJson(join(absolute, 'package.json'));
  if (typeof manifest?.['main'] !== 'string') throw new Error(`${absolute}: package.json names no "main" that exports contracts`);
  return { entry: createRequire(join(absolute, 'package.json')).resolve(resolve(absolute, manifest['main'])), folder: absolute };
}

/** A module exports `contracts`, or is one contract class itself; either may be the default export. */
function contractsOf(exported: unknown): ContractModule {
  for (const candidate of [exported, (exported as { readonly default?: unknown }).default]) {
    if ((candidate as ContractModule | undefined)?.contracts) return candidate as ContractModule;
    if (typeof candidate === 'function') return { contracts: [candidate as ContractClass] };
  }
  throw new Error('the chaincode module exports no `contracts`');
}

/** Loads as fabric-chaincode-node does, by `require`, which also reads ES modules; those that await at top level by `import`. */
async function loadEntry(entry: string): Promise<unknown> {
  try {
    return createRequire(entry)(entry) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return import(pathToFileURL(entry).href);
  }
}

/** Reads a package as fabric-chaincode-node does: package.json main, `contracts`, `serializers`, metadata file. */
async function loadModule(path: string): Promise<ChaincodeParts> {
  const { entry, folder } = await locate(path);
  const exported = await withoutCrashHandlers(() => loadEntry(entry));
  const { contracts = [], serializers } = contractsOf(exported);
  const manifest = folder === undefined ? undefined : await readJson(join(folder, 'package.json'));
  const metadata = folder === undefined ? undefined : ((await readJson(join(folder, 'META-INF/metadata.json'))) ?? (await readJson(join(folder, 'contract-metadata/metadata.json'))));
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { contracts, serializers, metadata: metadata ?? {}, title: text(manifest?.['name']), version: text(manifest?.['version']) };
}

const LONG_ARGUMENT = 4096;

/**
 * The arguments of one proposal for the runs of several organisations. fabric-contract-api decodes every declared argument
 * as UTF-8, which takes 15 ms for 1 MiB of binary data; here it happens once for all runs, and not before it is asked for.
 */
export class CallArguments {
  readonly #texts: (string | undefined)[] = [];

  constructor(private readonly bytes: readonly Uint8Array[]) {}

  text(index: number): string {
    return (this.#texts[index] ??= Buffer.from(this.bytes[index] ?? []).toString());
  }

  texts(): string[] {
    return this.bytes.map((_bytes, index) => this.text(index));
  }

  /** Copies for one run, so that no run can change another's. The first decoding of a long one is answered from the shared text. */
  copies(): Buffer[] {
    return this.bytes.map((bytes, index) => {
      const copy = Buffer.from(bytes);
      if (copy.length < LONG_ARGUMENT) return copy;
      const decodeOnce = (encoding?: BufferEncoding, start?: number, end?: number): string => {
        Reflect.deleteProperty(copy, 'toString');
        return (encoding ?? 'utf8') === 'utf8' && start === undefined ? this.text(index) : copy.toString(encoding, start, end);
      };
      return Object.defineProperty(copy, 'toString', { value: decodeOnce, configurable: true });
    });
  }
}

/** One proposal for a contract to run. */
export interface ChaincodeCall {
  readonly channel: string;
  readonly txId: string;
  readonly mspId: string;
  readonly args: CallArguments;
  readonly signature: Uint8Array;
  readonly proposalBytes: Uint8Array;
}

export interface ChaincodeOutcome {
  readonly response: ChaincodeResponse;
  readonly event: { readonly name: string; readonly payload: Uint8Array } | undefined;
}

/** The contracts of one chaincode, with an instance of them for each organisation. */
export class ChaincodeHost {
  readonly #runners = new Map<string, ChaincodeRunner>();

  private constructor(
    readonly name: string,
    private readonly parts: ChaincodeParts,
    private readonly shim: Shim,
  ) {}

  static async load(name: string, source: ChaincodeSource): Promise<ChaincodeHost> {
    process.env['CORE_CHAINCODE_LOGGING_LEVEL'] ??= 'CRITICAL';
    const parts: ChaincodeParts =
      'module' in source ? await loadModule(source.module) : { contracts: source.contracts, serializers: undefined, metadata: {}, title: source.title ?? name, version: source.version ?? '' };
    if (parts.contracts.length === 0) throw new Error(`chaincode ${name} has no contracts`);
    const host = new ChaincodeHost(name, parts, await loadShim());
    host.#runner('');
    return host;
  }

  get version(): string {
    return this.parts.version === '' ? '1.0' : this.parts.version;
  }

  #newRunner(): ChaincodeRunner {
    const { contracts, serializers, metadata, title, version } = this.parts;
    const standard: Serializers = { transaction: 'jsonSerializer', serializers: { jsonSerializer: this.shim.serializer } };
    const chosen = serializers ? { ...serializers, serializers: { ...serializers.serializers, ...standard.serializers } } : standard;
    // The constructor appends its own contract to the array and completes the metadata in place: both are copies.
    const runner = new this.shim.Runner([...contracts], chosen, structuredClone(metadata), title, version);
    // @Default is process-wide in fabric-contract-api; one set by another chaincode must not hide this one's contracts.
    const [first] = Object.keys(runner.contractImplementations);
    if (!(runner.defaultContractName in runner.contractImplementations) && first !== undefined) runner.defaultContractName = first;
    return runner;
  }

  #runner(mspId: string): ChaincodeRunner {
    const known = this.#runners.get(mspId);
    if (known) return known;
    const runner = this.#newRunner();
    this.#runners.set(mspId, runner);
    return runner;
  }

  /** Runs the contract on the real stub of fabric-shim. @throws what a contract may never throw: an invalid stub call */
  async run(call: ChaincodeCall, handler: object): Promise<ChaincodeOutcome> {
    const none = { getArgsList_asU8: () => [] };
    const signedProposal = { getSignature: () => call.signature, getProposalBytes: () => call.proposalBytes };
    const stub = new this.shim.Stub(handler, call.channel, call.txId, none, signedProposal);
    stub.bufferArgs = call.args.copies();
    Object.defineProperty(stub, 'args', { get: () => call.args.texts() });
    stub.getMspID = () => call.mspId;
    const response = await this.#runner(call.mspId).Invoke(stub);
    const event = stub.chaincodeEvent;
    return { response, event: event && { name: event.getEventName(), payload: event.getPayload_asU8() } };
  }
}
