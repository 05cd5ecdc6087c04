import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, get } from 'node:https';
import type { AddressInfo } from 'node:net';

// Two hops with nothing done on them: what is asked here over HTTP is fetched from the plain HTTPS server, connections kept.

const [ca = '', port = '0'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, ca: readFileSync(ca) });
const server = createServer({ keepAlive: true }, (_request, response) => {
  get({ host: '127.0.0.1', port: Number(port), agent }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => { chunks.push(chunk); });
    answer.once('end', () => {
      const body = Buffer.concat(chunks);
      response.writeHead(200, { 'content-length': body.length }).end(body);
    });
  }).once('error', () => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => {
  server.closeAllConnections();
  server.close();
  agent.destroy();
});
