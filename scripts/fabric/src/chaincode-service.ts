import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isListening } from './answers.js';
import type { NetworkFolder } from './plan.js';
import type { Processes } from './processes.js';
import { run } from './run.js';

/** A package that a peer installs: nothing but the address of the centre's chaincode service. */
export interface ChaincodePackage {
  readonly file: string;
  /** `label:SHA-256 of the file`, as the peer will call it. */
  readonly id: string;
}

/** The same version and address give the same bytes, so a repeated deployment is recognised. */
export async function packageChaincode(folder: NetworkFolder, service: Omit<ServiceSpec, 'packageId' | 'source'>): Promise<ChaincodePackage> {
  const label = `${service.chaincode}_${service.version}`;
  const work = folder.at('packages', serviceName(service));
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(work, 'connection.json'), JSON.stringify({ address: `${service.host}:${String(service.port)}`, dial_timeout: '10s', tls_required: false }));
  writeFileSync(path.join(work, 'metadata.json'), JSON.stringify({ type: 'ccaas', label }));
  await archive(work, 'code.tar', ['connection.json']);
  const file = path.join(work, 'package.tar');
  await archive(work, 'package.tar', ['metadata.json', 'code.tar.gz']);
  const packed = `${file}.gz`;
  return { file: packed, id: `${label}:${createHash('sha256').update(readFileSync(packed)).digest('hex')}` };
}

async function archive(cwd: string, name: string, files: readonly string[]): Promise<void> {
  const stage = 'package the chaincode';
  await run(stage, 'tar', ['--format=ustar', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=0644', '-cf', name, ...files], { cwd });
  await run(stage, 'gzip', ['-n', name], { cwd });
}

/** Name of the process. */
export function serviceName({ chaincode, centre, version }: Pick<ServiceSpec, 'chaincode' | 'centre' | 'version'>): string {
  return `chaincode.${chaincode}.${centre}.${version}`;
}

export interface ServiceSpec {
  readonly chaincode: string;
  readonly centre: string;
  readonly version: string;
  readonly packageId: string;
  /** Where the peer reaches it. */
  readonly host: string;
  readonly port: number;
  /** Root of the package whose contracts the service runs. */
  readonly source: string;
}

/** Starts a centre's chaincode as a service, by Fabric's own Node runtime, and waits until it listens. */
export async function startService(folder: NetworkFolder, processes: Processes, spec: ServiceSpec): Promise<void> {
  const name = serviceName(spec);
  const runtime = createRequire(path.join(spec.source, 'package.json')).resolve('fabric-shim/cli.js');
  await processes.start({
    name,
    command: process.execPath,
    args: [runtime, 'server', '--chaincode-address', `127.0.0.1:${String(spec.port)}`, '--chaincode-id', spec.packageId],
    cwd: spec.source,
    ports: [spec.port],
    env: { CORE_CHAINCODE_LOGGING_LEVEL: 'error', CORE_CHAINCODE_LOGGING_SHIM: 'error' },
  });
  await processes.whenReady(name, async () => await isListening(spec.port));
}
