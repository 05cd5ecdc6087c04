import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHttp, type HttpDoor } from '../src/adapters/http/start-http.js';
import { EventWorld, operatorToken, type Door } from './event-node.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-console-files-'));
let world: EventWorld;
let node: Door;
const doors: HttpDoor[] = [];

beforeAll(async () => {
  world = await EventWorld.start(folder);
  node = await world.open();
});

afterAll(async () => {
  for (const door of doors) await door.close();
  await node.close();
  await world.consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Another door of the node, with a console's files as a build leaves them. */
async function doorOf(consoleFolder: string): Promise<string> {
  const door = await startHttp(node.node.services, { host: '127.0.0.1', port: 0, publicUrl: 'http://127.0.0.1:1', metricsToken: 'an-invented-token-of-the-monitoring', operatorToken, consoleFolder });
  doors.push(door);
  return door.url;
}

function built(): string {
  const parent = temporaryFolder();
  const folder = path.join(parent, 'dist');
  mkdirSync(path.join(folder, 'assets'), { recursive: true });
  writeFileSync(path.join(parent, 'secret.txt'), 'a secret beside the console');
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>console</title>');
  writeFileSync(path.join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(path.join(folder, 'assets', 'app-4f2a.js'), 'export {};');
  writeFileSync(path.join(folder, 'assets', 'app-4f2a.css'), 'body{}');
  writeFileSync(path.join(folder, 'assets', 'notes.sh'), 'echo');
  symlinkSync(path.join(parent, 'secret.txt'), path.join(folder, 'assets', 'link.txt'));
  return folder;
}

/** Sends an address as it is; `fetch` would tidy it. */
async function raw(url: string, address: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => { answer += chunk.toString('latin1'); });
  socket.write(`GET ${address} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n`);
  await once(socket, 'close');
  return answer;
}

describe('the console', () => {
  test('is served with a policy that lets in this node\'s own files alone; only what is named by its content is kept', async () => {
    const url = await doorOf(built());
    const page = await fetch(`${url}/console/`);
    expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')]).toEqual([200, 'text/html; charset=utf-8', 'no-store']);
    expect(await page.text()).toContain('<title>console</title>');
    expect((await fetch(`${url}/console/?refused=ROLE_UNMAPPED`)).status).toBe(200);
    expect((await fetch(`${url}/console/?planted=1`)).status).toBe(400);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    for (const [file, type] of [['assets/app-4f2a.js', 'text/javascript; charset=utf-8'], ['assets/app-4f2a.css', 'text/css; charset=utf-8']] as const) {
      const asset = await fetch(`${url}/console/${file}`);
      expect([asset.status, asset.headers.get('content-type'), asset.headers.get('cache-control')]).toEqual([200, type, 'public, max-age=31536000, immutable']);
    }
    expect((await fetch(`${url}/console/icon.svg`)).headers.get('cache-control')).toBe('no-cache');
  });

  test('a browser at the node\'s address is led there, a program is not', async () => {
    const url = await doorOf(built());
    for (const [route, headers] of [['/', { accept: 'text/html,application/xhtml+xml' }], ['/console', {}]] as const) {
      const answer = await fetch(url + route, { headers, redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/console/']);
    }
    const program = await fetch(`${url}/`, { headers: { accept: 'application/json' } });
    expect([program.status, ((await program.json()) as { code: string }).code]).toEqual([404, 'NOT_FOUND']);
  });

  test.each(['/console/../secret.txt', '/console/..%2fsecret.txt', '/console/%2e%2e/secret.txt', '/console/assets/..%2f..%2fsecret.txt', '/console/assets/../../secret.txt', '/console/assets/link.txt', '/console/assets/notes.sh', '/console/assets', '/console//etc/passwd', '/console/assets/%2fetc%2fpasswd', '/console/index.html%00.js', '/console/__proto__'])('%s leads nowhere', async (address) => {
    const answer = await raw(await doorOf(built()), address);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain('a secret');
  });

  test('where it is not built, a page says so and the interfaces work', async () => {
    const url = await doorOf(path.join(temporaryFolder(), 'nowhere'));
    const page = await fetch(`${url}/console/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(await page.text()).toMatch(/控制台尚未构建[^]*The console is not built/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});
