import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../e2e/main-job.js';
import { fabric, fabricIsHere, networkFolder } from './fabric-command.js';

interface Service {
  readonly container_name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly command?: string;
}

const folder = networkFolder();
const dir = folder.at('containers');
const config = path.join(root, 'network-config', 'fabric');
const { services } = parse(readFileSync(path.join(config, 'compose.yaml'), 'utf8'), { merge: true }) as { services: Record<string, Service> };
const profile = JSON.parse(readFileSync(path.join(config, 'raft', 'profile.json'), 'utf8')) as {
  centres: { id: string; mspId: string }[];
  orderers: { id: string; mspId: string }[];
};

/** Keys of a settings file as the variables that override them. */
function variables(prefix: string, value: unknown): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [prefix];
  return Object.entries(value).flatMap(([key, inner]) => variables(`${prefix}_${key.toUpperCase()}`, inner));
}

describe('the compose file', () => {
  it('has the processes of the profile and no other', () => {
    const expected = [...profile.orderers.map(({ id }) => `orderer.${id}`), ...profile.centres.flatMap(({ id }) => [`peer0.${id}`, `chaincode.${id}`])];
    expect(Object.keys(services).sort()).toEqual(expected.sort());
    for (const [name, { container_name: container }] of Object.entries(services)) expect(container).toBe(name);
  });

  it('gives each its own organisation', () => {
    for (const { id, mspId } of profile.orderers) expect(services[`orderer.${id}`]?.environment['ORDERER_GENERAL_LOCALMSPID']).toBe(mspId);
    for (const { id, mspId } of profile.centres) expect(services[`peer0.${id}`]?.environment['CORE_PEER_LOCALMSPID']).toBe(mspId);
  });

  it('overrides only keys that the orderer would take from its file', () => {
    const known = new Set(variables('ORDERER', parse(readFileSync(path.join(config, 'orderer.yaml'), 'utf8'))));
    for (const { id } of profile.orderers) {
      const set = Object.keys(services[`orderer.${id}`]?.environment ?? {}).filter((name) => name.startsWith('ORDERER_'));
      expect(set.filter((name) => !known.has(name))).toEqual([]);
    }
  });
});

describe.skipIf(!fabricIsHere())('its files', () => {
  beforeAll(async () => {
    expect((await fabric(['container-files', '--dir', dir])).code).toBe(0);
  }, 60_000);

  afterAll(async () => {
    await folder.remove();
  });

  it('are where the containers mount them', () => {
    const mounts = Object.values(services).flatMap(({ volumes }) => volumes.map((volume) => volume.split(':/')[0] ?? ''));
    const own = mounts.filter((source) => source.startsWith('${HUILIAN_NETWORK')).map((source) => source.replace(/^\$\{[^}]*\}/, dir));
    expect(own).toHaveLength(6);
    for (const source of own) expect(existsSync(path.join(source, 'tls', 'server.key')), source).toBe(true);
    for (const source of mounts.filter((each) => each.startsWith('./'))) expect(existsSync(path.join(config, source)), source).toBe(true);
  });

  it('name every variable that compose asks for, but the release', () => {
    const asked = new Set([...readFileSync(path.join(config, 'compose.yaml'), 'utf8').matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? ''));
    const given = readFileSync(path.join(dir, '.env'), 'utf8').split('\n').map((line) => line.split('=')[0] ?? '');
    expect([...asked].filter((name) => !given.includes(name))).toEqual(['HUILIAN_RELEASE']);
  });

  it('are for containers: a network of processes is refused there', async () => {
    const run = await fabric(['up', '--json', '--dir', dir]);
    expect(run.stdout).toContain('PROFILE_INVALID');
  });
});
