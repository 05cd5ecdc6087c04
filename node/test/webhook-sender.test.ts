import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createPlainServer, type AddressInfo, type Server as PlainServer } from 'node:net';
import * as x509 from '@peculiar/x509';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GuardedSender, type GuardedOptions } from '../src/adapters/webhooks/guarded-sender.js';

const loopback = { allowPrivate: ['127.0.0.0/8'], allowHttp: true } as const;
const credentials = 'user:word';
const publicAddress = '93.184.215.14';

function senderWith(options: Partial<GuardedOptions> = {}): GuardedSender {
  const sender = new GuardedSender({ allowPrivate: [], allowHttp: false, timeoutMilliseconds: 5000, ...options });
  onTestFinished(async () => { await sender.close(); });
  return sender;
}

async function listening<S extends Server | PlainServer>(server: S): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function target(answer: RequestListener): Promise<{ readonly url: string; readonly port: number; readonly seen: { readonly url: string; readonly body: string }[] }> {
  const seen: { url: string; body: string }[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      seen.push({ url: request.url ?? '', body });
      answer(request, response);
    });
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${String(port)}/in`, port, seen };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function post(sender: GuardedSender, url: string, signal = new AbortController().signal): Promise<void> {
  await sender.post(url, { 'content-type': 'application/json' }, '{}', signal);
}

describe('an address is refused, when it is given and when it is called', () => {
  test.each([
    ['loopback', 'https://127.0.0.1/'],
    ['all of loopback', 'https://127.9.9.9/'],
    ['loopback of IPv6', 'https://[::1]/'],
    ['IPv4-mapped', 'https://[::ffff:7f00:1]/'],
    ['IPv4-mapped, dotted', 'https://[::ffff:127.0.0.1]/'],
    ['IPv4-compatible', 'https://[::7f00:1]/'],
    ['metadata', 'https://169.254.169.254/latest/meta-data'],
    ['metadata of another platform', 'https://100.100.100.200/'],
    ['metadata by IPv6', 'https://[fd00:ec2::254]/'],
    ["a platform's own address", 'https://168.63.129.16/'],
    ['decimal', 'https://2130706433/'],
    ['octal', 'https://0177.0.0.1/'],
    ['hex', 'https://0x7f000001/'],
    ['short', 'https://127.1/'],
    ['full-width digits', 'https://１２７.0.0.1/'],
    ['zero', 'https://0.0.0.0/'],
    ['unspecified', 'https://[::]/'],
    ['private', 'https://10.1.2.3/'],
    ['private', 'https://172.16.0.1/'],
    ['private', 'https://192.168.1.1/'],
    ['CGNAT', 'https://100.64.0.1/'],
    ['link-local of IPv6', 'https://[fe80::1]/'],
    ['unique local', 'https://[fd12::1]/'],
    ['NAT64', 'https://[64:ff9b::7f00:1]/'],
    ['local NAT64', 'https://[64:ff9b:1::1]/'],
    ['6to4', 'https://[2002:7f00:1::]/'],
    ['Teredo', 'https://[2001:0:7f00:1::]/'],
    ['site-local', 'https://[fec0::1]/'],
    ['multicast', 'https://224.0.0.1/'],
    ['multicast of IPv6', 'https://[ff02::1]/'],
    ['broadcast', 'https://255.255.255.255/'],
    ['reserved', 'https://240.0.0.1/'],
    ['documentation', 'https://192.0.2.1/'],
    ['no TLS', `http://${publicAddress}/`],
    ['another scheme', `ftp://${publicAddress}/`],
    ['a file', 'file:///etc/passwd'],
    ['a unix socket', 'unix:/var/run/docker.sock'],
    ['a unix socket in the address', 'http+unix://%2Fvar%2Frun%2Fdocker.sock/'],
    ['credentials', `https://${credentials}@${publicAddress}/`],
    ['a fragment', `https://${publicAddress}/#a`],
    ['mail', `https://${publicAddress}:25/`],
    ['a shell', `https://${publicAddress}:22/`],
    ['a port that the Fetch standard refuses', `https://${publicAddress}:6667/`],
    ['no address', 'https://'],
    ['no address', 'hook'],
  ])('%s: %s', async (_name, url) => {
    const sender = senderWith();
    await expect(sender.check(url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN' });
    await expect(post(sender, url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN' });
  });

  test.each([[['10.0.0.7']], [['::ffff:10.0.0.7']], [[publicAddress, '127.0.0.1']], [['169.254.169.254']], [['fe80::1%eth0']], [['no-address']]])('a name that leads to %j', async (addresses) => {
    const sender = senderWith({ resolve: () => Promise.resolve(addresses) });
    await expect(sender.check('https://hook.example.invalid/')).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN', details: { reason: 'address' } });
    await expect(post(sender, 'https://hook.example.invalid/')).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN', details: { reason: 'address' } });
  });

  test('a name that the system itself resolves to loopback', async () => {
    await expect(senderWith().check('https://localhost/')).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN' });
  });

  test('a range in the settings that is none', () => {
    expect(() => senderWith({ allowPrivate: ['10.0.0.0/8', '300.0.0.0/8'] })).toThrow('CONFIG_INVALID {"path":"/webhooks/allowPrivate/1"');
  });
});

test('a public name and address on a usual port is allowed, and a range in the settings', async () => {
  const sender = senderWith({ resolve: () => Promise.resolve([publicAddress, '2606:2800:21f:cb07:6820:80da:af6b:8b2c']) });
  await sender.check('https://hook.example.invalid:8443/a?b=c');
  await sender.check(`https://${publicAddress}`);
  await expect(senderWith({ allowPrivate: ['10.1.0.0/16', 'fd12::/16'] }).check('https://10.1.2.3/')).resolves.toBeUndefined();
  await expect(senderWith({ allowPrivate: ['10.1.0.0/16', 'fd12::/16'] }).check('https://[fd12::9]/')).resolves.toBeUndefined();
  await expect(senderWith({ allowPrivate: ['10.1.0.0/16', 'fd12::/16'] }).check('https://10.2.2.3/')).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN' });
});

test('a name that is public when it is checked and private when it is called is not connected to', async () => {
  let connections = 0;
  const port = await listening(createPlainServer((socket) => {
    connections += 1;
    socket.destroy();
  }));
  const answers = [[publicAddress], ['127.0.0.1']];
  const sender = senderWith({ allowHttp: true, resolve: () => Promise.resolve(answers.shift() ?? ['127.0.0.1']) });
  const url = `http://rebinding.example.invalid:${String(port)}/`;
  await sender.check(url);
  await expect(post(sender, url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN', details: { reason: 'address' } });
  expect(connections).toBe(0);
});

test.each([301, 302, 303, 307, 308])('a redirect with %i is an end, not a way inside', async (status) => {
  const inside = await target((_request, response) => response.end());
  const outside = await target((_request, response) => response.writeHead(status, { location: `http://127.0.0.1:${String(inside.port)}/` }).end());
  await expect(post(senderWith(loopback), outside.url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN', details: { reason: 'redirect', status } });
  expect([outside.seen.length, inside.seen.length]).toEqual([1, 0]);
});

test('only a 2xx is a delivery; what the target says beside it is not read to its end', async () => {
  const statuses = [200, 204, 400, 500];
  const { seen, url } = await target((_request, response) => {
    response.writeHead(statuses[seen.length - 1] ?? 200);
    if (seen.length < 5) response.end();
    else {
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    }
  });
  const sender = senderWith(loopback);
  await post(sender, url);
  await post(sender, url);
  await expect(post(sender, url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED', details: { reason: 'status', status: 400 } });
  await expect(post(sender, url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED', details: { reason: 'status', status: 500 } });
  await post(sender, url);
  expect(seen).toHaveLength(5);
});

test('a target that is silent, away, or unknown is told apart in closed words', async () => {
  const silent = await target(() => undefined);
  await expect(post(senderWith({ ...loopback, timeoutMilliseconds: 200 }), silent.url)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED', details: { reason: 'timeout' } });
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  await expect(post(senderWith(loopback), `http://127.0.0.1:${String(port)}/`)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED', details: { reason: 'connection' } });
  const nowhere = senderWith({ resolve: () => Promise.reject(new Error('ENOTFOUND')) });
  await expect(nowhere.check('https://nowhere.example.invalid/')).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED', details: { reason: 'name' } });
});

test('TLS: the certificate must be for the name and of a trusted authority', async () => {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Invented receiver',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'hook.example.invalid' }]), new x509.BasicConstraintsExtension(true)],
  });
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----\n`;
  let calls = 0;
  const port = await listening(createSecureServer({ cert: certificate.toString('pem'), key }, (_request, response) => {
    calls += 1;
    response.end();
  }));
  const resolve = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
  const trusting = senderWith({ allowPrivate: ['127.0.0.1/32'], ca: certificate.toString('pem'), resolve });
  await post(trusting, `https://hook.example.invalid:${String(port)}/`);
  await expect(post(trusting, `https://other.example.invalid:${String(port)}/`)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED' });
  await expect(post(senderWith({ allowPrivate: ['127.0.0.1/32'], resolve }), `https://hook.example.invalid:${String(port)}/`)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED' });
  expect(calls).toBe(1);
});
