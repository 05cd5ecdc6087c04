// A staff directory for tests: oidc-provider, which is certified, as a process of its own on loopback. People and groups are invented.
// node directory-provider.mjs <redirect uri>; says its address over IPC.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const people = { 'li.lei': ['huilian-admins', 'staff'], 'han.mei': ['huilian-audit'], 'visitor': ['canteen'] };
const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: 'huilian-node', client_secret: 'an invented secret of the client', redirect_uris: [process.argv[2]], grant_types: ['authorization_code'], response_types: ['code'] }],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  cookies: { keys: ['an invented key of the directory'] },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: `subject-of-${id}`, preferred_username: id, groups: people[id] ?? [] }) }),
  pkce: { required: () => true },
});
server.on('request', provider.callback());
process.send({ issuer });
process.on('disconnect', () => process.exit(0));
