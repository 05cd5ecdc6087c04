import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { FabricError } from './fabric-error.js';
import { run } from './run.js';

const names = ['peer', 'orderer', 'cryptogen', 'configtxgen', 'configtxlator', 'osnadmin'] as const;
type BinaryName = (typeof names)[number];

export interface Binaries {
  /** Version of `peer`, such as 3.1.5. */
  readonly version: string;
  readonly path: Readonly<Record<BinaryName, string>>;
}

const oldest = { etcdraft: '2.5', BFT: '3.0' } as const;
const documentation = 'https://hyperledger-fabric.readthedocs.io (Getting Started, Install Fabric and Fabric Samples; or the page on building from source)';

/** Folders of FABRIC_BIN (as in PATH, may name several), then of PATH. */
function folders(environment: NodeJS.ProcessEnv): string[] {
  return [environment['FABRIC_BIN'], environment['PATH']].flatMap((list) => (list ?? '').split(path.delimiter)).filter((folder) => folder !== '');
}

function locate(name: BinaryName, environment: NodeJS.ProcessEnv): string | undefined {
  return folders(environment)
    .map((folder) => path.resolve(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Names of Fabric's commands that are neither on FABRIC_BIN nor on PATH. */
export function missingBinaries(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  return names.filter((name) => locate(name, environment) === undefined);
}

/**
 * Fabric's commands, checked for presence and version.
 * @throws FabricError BINARY_MISSING naming each absent command, BINARY_TOO_OLD
 */
export async function findBinaries(consensus: 'etcdraft' | 'BFT', environment: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const missing = missingBinaries(environment);
  if (missing.length > 0) {
    throw new FabricError('BINARY_MISSING', 'find Fabric', `not found on FABRIC_BIN (${environment['FABRIC_BIN'] ?? 'not set'}) or PATH: ${missing.join(', ')}`, {
      en: `install Hyperledger Fabric's commands and set FABRIC_BIN to their folder; see ${documentation}`,
      zh: `请安装 Hyperledger Fabric 命令行程序，并将 FABRIC_BIN 设为其所在目录；参见 ${documentation}`,
    });
  }
  const found = Object.fromEntries(names.map((name) => [name, locate(name, environment) ?? ''])) as Record<BinaryName, string>;
  const version = await versionOf(found.peer);
  if (isOlder(version, oldest[consensus])) {
    throw new FabricError('BINARY_TOO_OLD', 'find Fabric', `${found.peer} is version ${version}; ${consensus} needs ${oldest[consensus]} or newer`, {
      en: `install a newer Fabric (2.5 LTS or 3.1; BFT needs 3.x) and point FABRIC_BIN at it; see ${documentation}`,
      zh: `请安装更新的 Fabric（2.5 LTS 或 3.1；BFT 需要 3.x）并将 FABRIC_BIN 指向它；参见 ${documentation}`,
    });
  }
  return { version, path: found };
}

async function versionOf(peer: string): Promise<string> {
  const { stdout } = await run('find Fabric', peer, ['version']);
  const version = /Version:\s*v?(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  if (version !== undefined) return version;
  throw new FabricError('BINARY_TOO_OLD', 'find Fabric', `${peer} does not say its version`, {
    en: 'check that FABRIC_BIN names the commands of Hyperledger Fabric',
    zh: '请确认 FABRIC_BIN 指向 Hyperledger Fabric 的命令行程序',
  });
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  const major = (a?.[0] ?? 0) - (b?.[0] ?? 0);
  return major !== 0 ? major < 0 : (a?.[1] ?? 0) < (b?.[1] ?? 0);
}
