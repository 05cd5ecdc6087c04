import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

// What a delivery is compared with: the same number of bytes from a plain HTTPS server in a process of its own.

const [certificate = '', key = '', bytes = '0'] = process.argv.slice(2);
const body = Buffer.alloc(Number(bytes), 'x');
const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key), keepAlive: true }, (_request, response) => {
  response.writeHead(200, { 'content-length': body.length }).end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => {
  server.closeAllConnections();
  server.close();
});
